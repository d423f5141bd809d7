"""Change many events after a person has looked at the list: find, plan, preview, approve, apply, report.

What: the events of a time whose place names a room move to another one. Nothing is sent before somebody has read the
table of changes and pressed *Approve* in Airflow's *Required Actions*; *Reject* skips the rest. An event that somebody
changes in the meantime is left alone (``if_updated_at``; that look costs one more call for each event).

Why: a mistake in a plan for hundreds of events reaches hundreds of people. Here it reaches one, first.

Before you run it: Airflow 3.1 or newer with ``apache-airflow-providers-standard``, which bring the approval; a
connection ``dingtalk_default`` of type DingTalk whose app has the permissions ``Calendar.Event.Read`` and
``Calendar.Event.Write``; and your own values for the params. Those given are of the emulator's sample calendar.
"""

from __future__ import annotations

import re
from datetime import timedelta

from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException, Param, task
from airflow.providers.standard.operators.hitl import ApprovalOperator  # says so itself on an Airflow before 3.1

from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY

PARAMS = {
    "union_id": Param("iiPLinYue8mQzX0vTdRk4YwgiEiE", type="string", minLength=1, title="Organizer"),
    "first_day": Param("2027-01-01", type="string", format="date", title="From"),
    "last_day": Param("2027-04-01", type="string", format="date", title="Until, not included"),
    "old_room": Param("room Plum", type="string", minLength=1, title="Room in the place now"),
    "new_room": Param("room Bamboo", type="string", minLength=1, title="Room in the place then"),
}
SHOWN = 50  # rows; a longer plan is better read in the XCom of the preview


def plain(text: str) -> str:
    """Write a text so that Airflow, which reads Markdown there, shows it as it is."""
    return re.sub(r"([\\|*_`~<&\[\]])", r"\\\1", " ".join(text.split()))


with DAG(
    "dingtalk_plan_review_apply",
    schedule=None,
    catchup=False,
    params=PARAMS,
    default_args={
        "union_id": "{{ params.union_id }}",
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        **RETRY_POLICY,
    },
    tags=["dingtalk", "example"],
):
    found = DingTalkCalendarListEventsOperator(
        task_id="find",
        time_min="{{ params.first_day }}",
        time_max="{{ params.last_day }}",
        timezone="Asia/Shanghai",
        organizer_id="{{ params.union_id }}",  # only one's own events can be changed
    )

    @task
    def plan(events: list[dict], params: dict) -> list[dict]:
        """Write a row for each event that is to move."""
        from airflow_dingtalk_calendar.edits import is_instance, relocate

        rows = []
        for event in events:
            place = (event.get("location") or {}).get("displayName", "")
            if params["old_room"] in place and not is_instance(event):
                patch = relocate(event, place.replace(params["old_room"], params["new_room"]))
                row = {"event_id": event["id"], "patch": patch, "event": event}
                rows.append({**row, "if_updated_at": event.get("updateTime")})
        if not rows:
            raise AirflowSkipException("No event is in that room.")
        return rows

    rows = plan(found.output)
    preview = DingTalkCalendarApplyPlanOperator(task_id="preview", plan=rows, dry_run=True)

    @task
    def table(rows: list[dict], preview: dict) -> str:
        """Write what would change, for a person to read."""
        lines = ["| event | starts | change |", "| --- | --- | --- |"]
        for row, would in list(zip(rows, preview["rows"], strict=True))[:SHOWN]:
            title, start = row["event"].get("summary") or row["event_id"], row["event"]["start"]
            day_and_time = start.get("date") or start["dateTime"][:16].replace("T", " ")
            change = "<br>".join(plain(line) for line in would["diff"])
            lines.append(f"| {plain(title)} | {day_and_time} | {change} |")
        return "\n".join([*lines, "", f"Events: {preview['total']}, calls: {preview['calls']}."])

    approve = ApprovalOperator(
        task_id="approve",
        subject="Move these events to {{ params.new_room }}?",
        body=table(rows, preview.output),
    )
    apply = DingTalkCalendarApplyPlanOperator(task_id="apply", plan=rows)

    @task(trigger_rule="none_skipped")
    def report(results: list[dict]) -> list[str]:
        """Say what became of each event; fail if one of them is not as planned, so that the run fails, too."""
        lines = [f"{row['event_id']}: {row['status']} {row['code'] or ''}".strip() for row in results]
        if any(row["status"] in ("rejected", "unknown") for row in results):
            raise AirflowFailException("; ".join(lines))
        return lines

    approve >> apply >> report(apply.output["results"])
