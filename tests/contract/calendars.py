"""The calendar that a contract test works in: its own events, all of them deleted in the end."""

from __future__ import annotations

import datetime as dt
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar
from uuid import uuid4

from airflow_dingtalk_calendar.exceptions import NotFoundError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.models.new_event import NewEvent
from tests.contract.places import Place

T = TypeVar("T")
Json = dict[str, Any]

ZONE = "Asia/Shanghai"
TITLE = "Contract test of airflow-dingtalk-calendar, may be deleted"
# So far ahead that no person has it on screen.
DAY = dt.date.today() + dt.timedelta(days=700)  # noqa: DTZ011  # any day will do
NEXT_DAY = DAY + dt.timedelta(days=1)
# With milliseconds and offset: of all spellings the one that no source says is refused.
MORNING, EVENING = (f"{DAY}T{hour:02}:00:00.000+08:00" for hour in (8, 20))
THREE_DAYS = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "numbered", "numberOfOccurrences": 3},
}
QUIET = {"notify_push": False, "notify_chat": False}


def at(hour: int) -> str:
    """Name an hour of the day that the tests use."""
    return f"{DAY}T{hour:02}:00"


def made_up_id() -> str:
    """Make an id of DingTalk's shape that no event has."""
    return b64encode(b64encode(uuid4().bytes)).decode()


class Calendar:
    """The organizer's calendar, by the hook alone."""

    def __init__(self, place: Place, hook: DingTalkCalendarHook) -> None:
        self.place, self.hook = place, hook
        self.organizer, self.guest = place.organizer, place.guest
        self._mine: dict[str, None] = {}

    def new(self, **fields: Any) -> Json:
        """Write the body of a new event of an hour, of which nobody is notified."""
        usual = {"summary": f"{TITLE} ({uuid4().hex[:8]})", "start": at(10), "end": at(11), **QUIET}
        return NewEvent.parse({**usual, **fields}, timezone=ZONE).to_body()

    def create(self, body: Json | None = None, client_token: str | None = None, **fields: Any) -> Json:
        """Create an event, to be deleted in the end. One call."""
        event = self.hook.create_event(self.organizer, body or self.new(**fields), client_token=client_token)
        self._mine[event["id"]] = None
        return event

    def patch(self, event: Json, patch: Mapping[str, Any], **options: Any) -> Json:
        """Change an event without notifying anybody. One call."""
        return self.hook.patch_event(self.organizer, event["id"], {**patch, **QUIET}, timezone=ZONE, **options)

    def get(self, event: Json) -> Json:
        """Read an event as it is now. One call."""
        return self.hook.get_event(self.organizer, event["id"])

    def delete(self, event: Json) -> None:
        """Delete an event without notifying anybody. One call."""
        self.hook.delete_event(self.organizer, event["id"], push_notification=False)
        self._mine.pop(event["id"], None)

    def instances(self, series: Json) -> list[Json]:
        """Return the instances of a series that the view shows. One call."""
        window = {"time_min": f"{DAY}T00:00:00.000+08:00", "time_max": f"{DAY + dt.timedelta(7)}T00:00:00.000+08:00"}
        page = self.eventually(
            lambda: self.hook.list_events_view(self.organizer, **window),
            lambda page: any(one.get("seriesMasterId") == series["id"] for one in page["events"]),
        )
        return [one for one in page["events"] if one.get("seriesMasterId") == series["id"]]

    def people(self, event: Json) -> dict[str, str]:
        """Return who takes part, and what each has answered. One call."""
        page = self.hook.list_attendees(self.organizer, event["id"])
        return {one["id"]: one.get("responseStatus", "") for one in page["attendees"]}

    def eventually(self, ask: Callable[[], T], good: Callable[[T], bool]) -> T:
        """Ask again while an answer is not good yet: a list may show a change some seconds later."""
        for seconds in self.place.patience:
            if good(answer := ask()):
                return answer
            time.sleep(seconds)
        return ask()

    def clean_up(self) -> None:
        """Delete what is left of the test's events."""
        for event_id in list(self._mine):
            with suppress(NotFoundError):
                self.delete({"id": event_id})
