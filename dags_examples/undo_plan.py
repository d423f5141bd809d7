"""Undo a plan after a person has approved it: fetch the undo, preview, approve, apply, report.

What: the task that applied a plan has pushed the plan that reverts it (XCom ``undo``). This DAG asks for that task
by name, shows what its undo would change, and applies it once somebody has pressed *Approve*. What somebody has changed
since stays: such a row is skipped (``changedSince``).

Why: a wrong bulk change is reverted in minutes, and later changes by others stay.

Before you run it: Airflow 3.1 or newer with ``apache-airflow-providers-standard``, which bring the approval; a
connection ``dingtalk_default`` of type DingTalk whose app has the permissions ``Calendar.Event.Read`` and
``Calendar.Event.Write``; and a run whose task had ``keep_before=True`` or rows with their ``event``.
"""

from __future__ import annotations

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, task
from airflow.providers.standard.operators.hitl import ApprovalOperator  # says so itself on an Airflow before 3.1

from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

PARAMS = {
    "dag_id": Param(
        "dingtalk_plan_review_apply",
        type="string",
        minLength=1,
        title="DAG",
        description="Id of the DAG whose change is to be undone.",
    ),
    # Without minLength: on Airflow 3.1 the approval checks the defaults when the file is parsed.
    "run_id": Param("", type="string", title="Run", description="Run id, as the page of the run shows it at its top."),
    "task_id": Param(
        "apply", type="string", minLength=1, title="Task", description="Id of the task in it that applied the plan."
    ),
}
DEFAULTS = {"retries": 3, "retry_delay": 120, **RETRY_POLICY}

with DAG("dingtalk_undo_plan", schedule=None, params=PARAMS, default_args=DEFAULTS, tags=["dingtalk"]):

    @task
    def fetch(params, ti):
        """Fetch the undo that the task has pushed, with the events as they are now, for who has to approve it."""
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
        from airflow_dingtalk_calendar.plans import rows_with_events

        names = {name: params[name] for name in ("dag_id", "run_id", "task_id")}
        names["task_ids"] = names.pop("task_id")
        undo = ti.xcom_pull(**names, key="undo")
        if undo is None:
            raise AirflowFailException(f"There is no undo of {names}: enter the ids of a run that applied a plan.")
        with DingTalkCalendarHook() as hook:
            return rows_with_events(undo, hook.get_event)

    rows = fetch()
    preview = DingTalkCalendarApplyPlanOperator(task_id="preview", plan=rows, dry_run=True)
    approve = ApprovalOperator(task_id="approve", subject="Take these changes back?", body=preview.output["markdown"])
    # An undo that keeps what it changes can be undone itself.
    apply = DingTalkCalendarApplyPlanOperator(task_id="apply", plan=rows, keep_before=True)

    @task(trigger_rule="none_skipped")
    def report(results):
        """Report the outcome of each event, also when apply has failed; then the run fails, too."""
        lines = [f"{row['event_id']}: {row['status']} {row['code']} {row['message']}".strip() for row in results]
        if {row["status"] for row in results} & {"rejected", "unknown", "partial"}:
            raise AirflowFailException("; ".join(lines))
        return lines

    approve >> apply >> report(apply.output["results"])
