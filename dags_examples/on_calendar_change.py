"""React to a calendar: when one of your meetings moves, its title says so and its description asks to check the room.

What: an asset stands for your calendar, and DingTalk pushes its changes to the asset's watcher. Seconds after an event
that you organize has got another time or place, this DAG runs, which tags the title and adds a note, quietly, and once
per event. Once an hour the watcher polls by itself, so that a lost push loses no change.

Why: it shows an event-driven DAG that changes what it reacts to. It does not start itself again, because what it writes
(title, description) is not among the fields that are watched. And a change may be reported twice, after a crash: the
second time it finds its note and has nothing to do.

Before you run it: Airflow 3.3 or newer, with ``airflow-dingtalk-calendar[stream]`` where the triggerer runs; a
connection ``dingtalk_default`` of type DingTalk whose app has the permissions ``Calendar.Event.Read`` and
``Calendar.Event.Write``, has its event subscription in Stream mode with the event of calendar changes ticked, and is
used by nothing else in Stream mode; your own unionId below. The watcher costs a call for each change or burst of
changes and 720 a month, each change 2 more. On Airflow 3.0 to 3.2 the watcher only polls once an hour, and a restart
of the triggerer loses changes. Airflow 2 reads this file, but has no watchers: nothing starts the DAG there.
"""

from __future__ import annotations

from datetime import timedelta
from importlib.util import find_spec

from airflow.providers.common.compat.sdk import DAG, task

from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from airflow_dingtalk_calendar.retry_policy import RETRY_POLICY
from airflow_dingtalk_calendar.triggers.changes import DingTalkCalendarChangesTrigger

ORGANIZER = "iiPLinYue8mQzX0vTdRk4YwgiEiE"  # unionId of the person whose calendar it is
NOTE = "This meeting has moved. Please check that the room still fits."
# Airflow does not retry by default. RETRY_POLICY: docs/semantics.md, Retry policy.
RETRIES = {"retries": 3, "retry_delay": timedelta(minutes=2), **RETRY_POLICY}

# Airflow has shared streams, which pushes need, from 3.3 on.
SOURCE = "stream" if find_spec("airflow.triggers.shared_stream") else "poll"

try:
    from airflow.sdk import Asset, AssetWatcher
except ImportError:  # Airflow 2
    SCHEDULE, NEEDS = None, "Needs Airflow 3: Airflow 2 has no asset watchers, so nothing starts this DAG."
else:
    trigger = DingTalkCalendarChangesTrigger(
        union_id=ORGANIZER,
        organizer_id=ORGANIZER,  # only one's own events can be changed
        fields=["start", "end", "location"],
        source=SOURCE,
        interval=timedelta(hours=1),
    )
    SCHEDULE = [Asset("dingtalk_calendar", watchers=[AssetWatcher(name="dingtalk_calendar_changes", trigger=trigger)])]
    NEEDS = "Started by changes in a DingTalk calendar."

with DAG(
    "dingtalk_on_calendar_change",
    description=NEEDS,
    schedule=SCHEDULE,
    catchup=False,
    default_args=RETRIES,
    tags=["dingtalk", "example"],
):

    @task
    def plan(triggering_asset_events=None) -> list[dict]:
        """Write the patch of each event that has moved and does not say so yet."""
        from airflow_dingtalk_calendar.assets.calendar import changes_in
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

        reports = [event for events in (triggering_asset_events or {}).values() for event in events]
        changes = [change for event in reports for change in changes_in(event.extra)]
        moved = dict.fromkeys(change["event_id"] for change in changes if change["kind"] == "updated")
        with DingTalkCalendarHook() as hook:
            events = [hook.get_event(ORGANIZER, event_id) for event_id in moved]
        return [
            {
                "event_id": event["id"],
                "patch": {
                    "summary": f"[moved] {event['summary']}",
                    "description": f"{event.get('description', '')}\n{NOTE}".strip(),
                    "notify_push": False,
                    "notify_chat": False,
                },
            }
            for event in events
            if NOTE not in event.get("description", "")
        ]

    DingTalkCalendarPatchEventOperator.partial(task_id="tag", union_id=ORGANIZER).expand_kwargs(plan())
