"""What Airflow's database holds of triggers: class path and arguments, and what they fire."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred

from tests.conftest import EVENT, ORGANIZER
from tests.frozen.names import public
from tests.frozen.world import dingtalk

NOW = dt.datetime(2027, 3, 1, 12, tzinfo=dt.UTC).timestamp()
CONDITIONS: dict[str, dict[str, Any]] = {
    "starts within": {"starts_within": dt.timedelta(hours=1)},
    "starts within text": {"starts_within": "3600", "recheck": "7200", "timezone": "Asia/Tokyo"},
    "ended": {"ended": "True"},
    "responses": {"responses": {"accepted": 5, "answered": "all"}, "count_optional": True},
    "fields": {"fields": {"summary": "Another", "start": "2027-03-02T10:00", "end": "2027-03-02T12:00"}},
    "fields and people": {"fields": '{"attendees": ["iiPother"], "location": "4F"}'},
    "cancelled": {"cancelled": True, "poke_interval": 600.0},
}
CHANGES: dict[str, dict[str, Any]] = {
    "default": {},
    "all": {
        "calendar_id": "primary",
        "fields": ["summary", "start", "responses"],
        "summary_pattern": "^Sprint",
        "organizer_id": "iiPLin",
        "series_master_id": "S",
        "interval": dt.timedelta(minutes=5),
        "dingtalk_conn_id": "other",
    },
}
PAST, LATER = 0.0, 4_000_000_000.0
TRIGGER = {
    "union_id": ORGANIZER,
    "event_id": EVENT,
    "calendar_id": "primary",
    "timezone": "Asia/Shanghai",
    "wake": PAST,
    "deadline": LATER,
    "interval": 1800.0,
    "recheck": 21600.0,
    "dingtalk_conn_id": "dingtalk_default",
}


def collect() -> dict[str, Any]:
    """Return the triggers of deferred sensors, those of watchers, and what the former fire."""
    with dingtalk():
        deferred = {name: _deferred(**arguments) for name, arguments in CONDITIONS.items()}
        fired = {
            "met": _fired({"fields": {"summary": "Planning"}}),
            "failed": _fired({"ended": True}, event_id="missing"),
            "timeout": _fired({"cancelled": True}, deadline=PAST),
        }
    watchers = {name: changes(**arguments).serialize() for name, arguments in CHANGES.items()}
    plain: dict[str, Any] = json.loads(json.dumps({"deferred": deferred, "watchers": watchers, "fired": fired}))
    return plain


def changes(**arguments: Any) -> Any:
    """Make the trigger of a watcher."""
    return public("DingTalkCalendarChangesTrigger")(union_id=ORGANIZER, **arguments)


def _deferral(**arguments: Any) -> TaskDeferred:
    given = {"task_id": "t", "union_id": ORGANIZER, "event_id": EVENT, "deferrable": True, "timeout": 86400.0}
    sensor = public("DingTalkCalendarEventSensor")(**{**given, **arguments})
    sensor._clock = lambda: NOW
    try:
        sensor.poke({})
    except TaskDeferred as deferral:
        return deferral
    raise AssertionError("the sensor has nothing to wait for")


def _deferred(**arguments: Any) -> dict[str, Any]:
    deferral = _deferral(**arguments)
    return {
        "method_name": deferral.method_name,
        "timeout": deferral.timeout.total_seconds(),
        "trigger": deferral.trigger.serialize(),
    }


def _fired(condition: dict[str, Any], **arguments: Any) -> dict[str, Any]:
    """Run a trigger until it fires; of an event that it found, name the members."""
    trigger = public("DingTalkCalendarEventTrigger")(**{**TRIGGER, "condition": condition, **arguments})
    payload = asyncio.run(anext(trigger.run())).payload
    return {**payload, **({"event": sorted(payload["event"])} if "event" in payload else {})}
