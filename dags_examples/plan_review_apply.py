"""Move events to another room once a person has approved it: find, plan, preview, approve, apply, report.

What: events whose place names a room. Why: a mistake in a plan of hundreds meets one person first. Before you run it:
Airflow 3.1, your own values, and a connection ``dingtalk_default`` (``Calendar.Event.Read``, ``Calendar.Event.Write``).
"""

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, Param, task
from airflow.providers.standard.operators.hitl import ApprovalOperator  # says so itself on an Airflow before 3.1

from airflow_dingtalk_calendar import edits, plans  # what is in them is imported when it is used
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person whose events they are: of the emulator's sample
TIMES = {"time_min": "2038-01-01", "time_max": "2038-04-01", "timezone": "Asia/Shanghai"}
PARAMS = {
    "old_room": Param("room Plum", type="string", minLength=1, title="Room in the place now"),
    "new_room": Param("room Bamboo", type="string", minLength=1, title="Room in the place then"),
}
DEFAULTS = {"union_id": ORGANIZER, "retries": 3, "retry_delay": 120, **RETRY_POLICY}

with DAG("dingtalk_plan_review_apply", schedule=None, params=PARAMS, default_args=DEFAULTS, tags=["dingtalk"]):
    found = DingTalkCalendarListEventsOperator(task_id="find", organizer_id=ORGANIZER, **TIMES)

    @task.short_circuit
    def plan(events, params):
        """Write a row for each event in the room; without any, there is nothing to ask."""

        def change_room(event):
            place = (event.get("location") or {}).get("displayName", "")
            return edits.relocate(event, place.replace(params["old_room"], params["new_room"])) if place else None

        return plans.rows_for(events, change_room)

    rows = plan(found.output)
    preview = DingTalkCalendarApplyPlanOperator(task_id="preview", plan=rows, dry_run=True)
    approve = ApprovalOperator(task_id="approve", subject="Change these events?", body=preview.output["markdown"])
    apply = DingTalkCalendarApplyPlanOperator(task_id="apply", plan=rows)

    @task(trigger_rule="none_skipped")
    def report(results):
        """Report the outcome of each event, also when apply has failed; then the run fails, too."""
        lines = [f"{row['event_id']}: {row['status']} {row['code']}".strip() for row in results]
        if {row["status"] for row in results} & {"rejected", "unknown", "partial"}:
            raise AirflowFailException("; ".join(lines))
        return lines

    approve >> apply >> report(apply.output["results"])
