"""Whom a plan notifies, what it takes away, what it costs, and the limits to that, all before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans.apply import ApplyOptions
from airflow_dingtalk_calendar.plans.impact import Impact, estimate_impact
from airflow_dingtalk_calendar.plans.plan import parse_plan
from tests.airflow_runs import Ti
from tests.conftest import ORGANIZER, event

QUIET = {"extra": {"noPushNotification": "true", "noChatNotification": "true"}}
INVITED = [{"id": "u1"}, {"id": "u2"}, {"id": ORGANIZER}]
NEW = {
    "summary": "Kick-off",
    "start": {"dateTime": "2027-06-01T10:00:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-06-01T11:00:00", "timeZone": "Asia/Shanghai"},
}
SERIES = {
    "recurrence": {
        "pattern": {"type": "weekly", "interval": 1, "daysOfWeek": "tuesday"},
        "range": {"type": "numbered", "numberOfOccurrences": 10},
    }
}
MOVED = {
    "start": {"dateTime": "2027-03-16T10:00:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-16T11:00:00", "timeZone": "Asia/Shanghai"},
}


def about(*invited: Any, **members: Any) -> dict[str, Any]:
    """Make an event as it was read."""
    return {**event("E", **members), "attendees": list(invited)}


def impact_of(*rows: dict[str, Any], **options: Any) -> Impact:
    """Estimate what rows do."""
    plan = parse_plan(rows, union_id=ORGANIZER)
    return estimate_impact(plan.rows, ApplyOptions(lambda *_: "token", **options))


@pytest.mark.parametrize(
    ("row", "people", "emails"),
    [
        ({"event_id": "E", "patch": {"summary": "x"}, "event": about(*INVITED)}, 2, 0),
        ({"event_id": "E", "patch": {"summary": "x", **QUIET}, "event": about(*INVITED)}, 0, 0),
        ({"event_id": "E", "patch": {"attendees": ["u1", "a@example.com"]}, "event": about(*INVITED)}, 3, 1),
        ({"event_id": "E", "patch": {"attendees": ["u1", "a@example.com"], **QUIET}}, 1, 1),
        ({"action": "create", "event": {**NEW, "attendees": ["u1", "u2"]}}, 2, 0),
        ({"action": "create", "event": {**NEW, "attendees": ["u1", "u2"], **QUIET}}, 0, 0),
        ({"action": "delete", "event_id": "E", "event": about(*INVITED)}, 2, 0),
        ({"action": "add_attendees", "event_id": "E", "attendees": ["u3", "u4"]}, 2, 0),
        (
            {
                "action": "add_attendees",
                "event_id": "E",
                "attendees": ["u3"],
                "push_notification": False,
                "chat_notification": False,
            },
            0,
            0,
        ),
        ({"action": "remove_attendees", "event_id": "E", "attendees": ["u1"]}, 1, 0),
        ({"action": "add_rooms", "event_id": "E", "room_ids": ["R"]}, 0, 0),
        ({"action": "respond", "event_id": "E", "response_status": "accepted"}, 0, 0),
    ],
)
def test_who_is_notified(row: dict[str, Any], people: int, emails: int) -> None:
    """Each action notifies the people whom DingTalk would, unless its switches hold that back, which mail is not."""
    impact = impact_of(row)
    assert (impact.people, impact.emails, impact.unknown_rows) == (people, emails, 0)


def test_people_are_counted_once() -> None:
    """Somebody whom several rows notify is one person."""
    rows = [{"event_id": name, "patch": {"summary": "x"}, "event": about(*INVITED)} for name in ("A", "B")]
    assert impact_of(*rows).people == 2


def test_a_row_without_its_event_is_unknown() -> None:
    """Of a patch or a deletion that does not bring its event, nobody knows whom it notifies."""
    impact = impact_of({"event_id": "A", "patch": {"summary": "x"}}, {"action": "delete", "event_id": "B"})
    assert (impact.people, impact.unknown_rows) == (0, 2)
    assert "unknown for 2 rows without their event" in str(impact)


def test_dropped_occurrences_and_calls_are_counted() -> None:
    """A series that begins later loses the occurrences before; reads count among the calls."""
    row = {"event_id": "E", "patch": MOVED, "event": about(**SERIES)}
    impact = impact_of(row, {"action": "add_rooms", "event_id": "F", "room_ids": ["R"]}, skip_if_unchanged=True)
    assert (impact.lost_occurrences, impact.calls) == (2, 4)
    assert "past occurrences dropped: 2; calls: 4." in str(impact)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_rows": 1}, "max_rows: is 1, and the plan has 2: split the plan, or raise max_rows"),
        ({"max_notified": 1}, "max_notified: is 1, and the plan has 2: split the plan, or raise max_notified"),
        ({"max_rows": 1, "max_notified": 1}, "max_notified: is 1"),
        ({"max_calls": 1}, "max_calls: is 1, and the plan takes 2 metered calls"),
    ],
)
def test_a_plan_that_does_too_much_is_refused(dingtalk: Emulator, limits: dict[str, int], said: str) -> None:
    """A limit that the plan exceeds refuses it by name, before anything is sent."""
    rows = [{"event_id": name, "patch": {"summary": "x"}, "event": about(*INVITED)} for name in ("A", "B")]
    operator = DingTalkCalendarApplyPlanOperator(task_id="t", union_id=ORGANIZER, plan=rows, **limits)
    with pytest.raises(AirflowFailException) as caught:
        operator.execute({"ti": Ti()})  # type: ignore[typeddict-item]
    assert said in str(caught.value)
    assert dingtalk.requests == []


def test_whom_nobody_knows_is_too_many(dingtalk: Emulator) -> None:
    """With max_notified, a row whose people nobody knows is refused, with the remedy."""
    rows = [{"event_id": "A", "patch": {"summary": "x"}}]
    operator = DingTalkCalendarApplyPlanOperator(task_id="t", union_id=ORGANIZER, plan=rows, max_notified=100)
    with pytest.raises(AirflowFailException, match="give these rows their event, or hold notifications back"):
        operator.execute({"ti": Ti()})  # type: ignore[typeddict-item]
    assert dingtalk.requests == []


def test_the_impact_is_in_the_log_and_the_dry_run(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Before anything is sent, one line says whom the plan disturbs; a dry run returns the figures."""
    rows = [{"event_id": "A", "patch": {"summary": "x"}, "event": about(*INVITED)}]
    operator = DingTalkCalendarApplyPlanOperator(task_id="t", union_id=ORGANIZER, plan=rows, dry_run=True)
    shown = operator.execute({"ti": Ti()})  # type: ignore[typeddict-item]
    assert shown["impact"] == {
        "notified": 2,
        "notified_by_email": 0,
        "rows_of_unknown_people": 0,
        "lost_occurrences": 0,
        "calls": 1,
    }
    assert "Notices to about 2 people, of these 0 by email; past occurrences dropped: 0; calls: 1." in said.text
