"""The undo of a plan, over real sockets: what it gives back, what it leaves alone, and what it says it cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from airflow_dingtalk_calendar import plans
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import PlanIncompleteError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators import large_results
from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.undone import GUEST, NEW, QUIET, ROOMS, TIMES, USERS, apply, booked_calendar, effects, row, shown, statuses


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Callable[..., None]) -> Emulator:
    """DingTalk with one event that has a guest and a room."""
    dingtalk.reset(booked_calendar())
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


ACTIONS = [
    row(patch={"summary": "New", "location": "Room 2", "description": "", "reminders": []}, clear=["description"]),
    row(patch=TIMES),
    row(patch={"start": "2027-03-02", "end": "2027-03-03", "is_all_day": True}),
    row(patch={"attendees": [NEW]}),
    row("add_attendees", attendees=[NEW, GUEST]),
    row("add_attendees", attendees=[{"id": GUEST, "is_optional": True}]),
    row(patch={"attendees": [{"id": GUEST, "is_optional": True}, NEW], "summary": "Optional"}),
    row("remove_attendees", attendees=[GUEST, NEW]),
    row("add_rooms", room_ids=["bamboo", "plum"]),
    row("remove_rooms", room_ids=["plum"]),
]


@pytest.mark.parametrize("updates", ["second", "minute"])
@pytest.mark.parametrize("plan", ACTIONS, ids=lambda one: "-".join([one["action"], *one.get("patch", ())]))
def test_each_action_is_undone_and_done_again(calendar: Emulator, plan: dict[str, Any], updates: str) -> None:
    """The undo brings the event back, and the undo of the undo is a redo."""
    calendar.configure(update_time=updates)
    before = shown(calendar)
    done = apply([plan], keep_before=True)
    after = shown(calendar)
    assert after != before
    undone = apply(done["undo"], keep_before=True)
    assert set(statuses(undone)) == {"applied"}
    assert shown(calendar) == before
    apply(undone["undo"])
    assert shown(calendar) == after


@pytest.mark.parametrize("updates", ["yes", "no"])
def test_an_answer_is_undone(calendar: Emulator, updates: str) -> None:
    """The answer that a person had given before is given again, whether or not an answer changes updateTime."""
    calendar.configure(response_updates=updates)
    before = calendar.event(EVENT)["updateTime"]
    done = apply([row("respond", union_id=GUEST, response_status="declined")], keep_before=True)
    assert (calendar.event(EVENT)["updateTime"] != before) == (updates == "yes")
    apply(done["undo"])
    assert calendar.event(EVENT)["attendees"][0]["responseStatus"] == "accepted"


def test_a_creation_with_later_rows_is_undone_by_one_deletion(calendar: Emulator) -> None:
    """What rows did to an event that the plan created needs no undo of its own."""
    new = {"action": "create", "group": "g", "name": "new", "event": {"summary": "S", **TIMES}}
    later = {"action": "add_attendees", "group": "g", "event_id": {"created_by": "new"}, "attendees": [GUEST]}
    done = apply([new, later], keep_before=True)
    (undo,) = done["undo"]
    assert undo["action"] == "delete"
    assert statuses(apply([undo])) == ["applied"]
    assert calendar.event(undo["event_id"])["status"] == "cancelled"


def test_a_created_event_that_somebody_changed_is_not_deleted(calendar: Emulator) -> None:
    """A deletion would take away what somebody wrote into the event since."""
    done = apply([{"action": "create", "event": {"summary": "S", **TIMES}}])
    event_id = done["undo"][0]["event_id"]
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, event_id, {"summary": "Agenda"})
    (result,) = apply(done["undo"])["results"]
    assert (result["status"], result["code"]) == ("skipped", "changedSince")
    assert calendar.event(event_id)["status"] == "confirmed"


@pytest.mark.parametrize("updates", ["second", "minute"])
def test_a_change_by_somebody_survives(calendar: Emulator, updates: str) -> None:
    """A row whose fields somebody has changed since is skipped and names them; other fields may have changed."""
    calendar.configure(update_time=updates)
    done = apply([row(patch={"summary": "New"})], keep_before=True)
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {"location": "Hall"})
        assert statuses(apply(done["undo"], dry_run=False)) == ["applied"]
        done = apply([row(patch={"summary": "New"})], keep_before=True)
        hook.patch_event(ORGANIZER, EVENT, {"summary": "Mine"})
    (result,) = apply(done["undo"])["results"]
    assert (result["status"], result["code"]) == ("skipped", "changedSince")
    assert "summary" in result["message"]
    assert (calendar.event(EVENT)["summary"], calendar.event(EVENT)["location"]["displayName"]) == ("Mine", "Hall")


def test_people_and_rooms_of_others_stay(calendar: Emulator) -> None:
    """Undoing takes away what the plan added, and not what somebody else has added since."""
    plan = [row("add_attendees", attendees=[NEW], group="g"), row("add_rooms", room_ids=["bamboo"], group="g")]
    calendar.reset({**DATA, "users": [*USERS, {"unionId": "iiPother", "name": "Zhao"}], "rooms": ROOMS})
    done = apply(plan, keep_before=True)
    with DingTalkCalendarHook() as hook:
        hook.add_attendees(ORGANIZER, EVENT, [{"id": "iiPother"}])
        hook.add_meeting_rooms(ORGANIZER, EVENT, ["plum"])
    assert statuses(apply(done["undo"])) == ["applied", "applied"]
    assert set(shown(calendar)["attendees"]) == {GUEST, "iiPother"}
    assert shown(calendar)["meetingRooms"] == ["plum"]


LASTING = [
    (row("delete"), {}, "a deletion"),
    (row("remove_attendees", attendees=[GUEST]), {}, "answers of people"),
    (row("remove_rooms", room_ids=["plum"]), {}, "a room that somebody takes"),
    (row(patch={"online_meeting": True}), {}, "the link of a video meeting"),
    (row(patch={"attendees": [{"email": "wang@example.com"}]}), {}, "people invited by email address"),
    (row(patch={"summary": "New"}), {}, "notices"),
    (row(patch={"summary": "New"}), {"keep_before": False}, "what the event was"),
]


@pytest.mark.parametrize(("plan", "arguments", "effect"), LASTING, ids=[one[2] for one in LASTING])
def test_what_cannot_be_undone_is_named(calendar: Emulator, plan: Any, arguments: Any, effect: str) -> None:
    """The dry run names it before, and the result afterwards."""
    given = {"keep_before": True, **arguments}
    dry = apply([plan], dry_run=True, **given)["return_value"]
    assert effect in effects(dry["cannot_undo"])
    assert effect in effects(apply([plan], **given)["cannot_undo"])


def test_a_field_that_was_empty_and_cannot_be_emptied_is_named(calendar: Emulator) -> None:
    """A single event that becomes a series cannot become a single event again."""
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "numberOfOccurrences": 3}}
    plan = row(patch={"recurrence": rule})
    assert "recurrence: the event had none" in effects(apply([plan], keep_before=True)["cannot_undo"])


def test_a_late_start_of_a_series_is_named(calendar: Emulator) -> None:
    """Occurrences before the new start are dropped, and an earlier start brings none of them back as it was."""
    rule = {"pattern": {"type": "daily", "interval": 1}, "range": {"type": "numbered", "numberOfOccurrences": 5}}
    calendar.store.put_events([event(recurrence=rule)])
    plan = row(patch={"start": "2027-03-04T10:00", "end": "2027-03-04T11:00"})
    assert "past occurrences" in effects(apply([plan], keep_before=True)["cannot_undo"])


@pytest.mark.parametrize("change", [row("add_attendees", attendees=[NEW]), row(patch={"attendees": [NEW]})])
def test_people_of_a_large_event_are_named(calendar: Emulator, change: dict[str, Any]) -> None:
    """GetEvent returns 500 people, so that nobody knows who of a larger event was there before."""
    crowd = [{"id": f"p{number}", "responseStatus": "accepted"} for number in range(500)]
    calendar.store.put_events([event(attendees=crowd)])
    done = apply([change], keep_before=True)
    assert done["undo"] == []
    assert "500 or more" in effects(done["cannot_undo"])


def test_a_large_undo_is_warned_about(
    calendar: Emulator, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """What would burden Airflow's metadata database is said, with the remedy."""
    monkeypatch.setattr(large_results, "LARGE_XCOM", 100)
    apply([row(patch={"summary": "New"})], keep_before=True)
    (warning,) = [line for line in said.messages if "XCom undo" in line]
    assert "xcom_backend" in warning


def test_rows_get_the_events_that_they_do_not_bring(calendar: Emulator) -> None:
    """One read for each event that is there; what a row brings, creates or cannot find stays as it is."""
    given = [row(patch={"summary": "A"}), row("add_rooms", room_ids=["bamboo"]), row(patch={"summary": "B"}, event={})]
    others: list[Any] = [{"event_id": "missing"}, {"event_id": {"created_by": "new"}}, {"action": "create"}]
    rows = [{"union_id": ORGANIZER, **one} for one in [*given, *others]]
    with DingTalkCalendarHook() as hook:
        found = plans.rows_with_events(rows, hook.get_event)
    assert [one.get("event", {}).get("summary") for one in found] == ["Planning", "Planning", *[None] * 4]
    assert [{name: one[name] for name in one if name != "event"} for one in found[:2]] == rows[:2]
    assert found[2:] == rows[2:]
    assert [one["action"] for one in calendar.requests if one["action"] == "GetEvent"] == ["GetEvent"] * 2


def test_a_quiet_change_is_undone_quietly(calendar: Emulator) -> None:
    """Whoever was not notified of the change is not notified of its undo."""
    done = apply([row(patch={"summary": "New", "extra": QUIET})], keep_before=True)
    apply(done["undo"])
    assert calendar.effects["notifications"] == []
    assert "notices" not in effects(done["cannot_undo"])


def test_a_room_that_somebody_took_is_an_error_of_its_row(calendar: Emulator) -> None:
    """The undo does not take a room away from another event, and says so."""
    done = apply([row("remove_rooms", room_ids=["plum"])], keep_before=True)
    taken = event("other", meetingRooms=[{"roomId": "plum"}])
    calendar.store.put_events([taken])
    undone = apply(done["undo"], on_error="continue")
    assert statuses(undone) == ["rejected"]
    assert shown(calendar)["meetingRooms"] == []


def test_a_partly_applied_plan_undoes_what_was_applied(calendar: Emulator) -> None:
    """Rows that were refused, or found to be so already, have no undo."""
    plan = [row(patch={"summary": "New"}), {"event_id": "missing", "patch": {"summary": "New"}}]
    done = apply(plan, keep_before=True, on_error="continue")
    assert [one["event_id"] for one in done["undo"]] == [EVENT]


@pytest.mark.parametrize("kind", ["reset", "apply_then_reset"])
def test_an_unknown_outcome_is_read_first(calendar: Emulator, kind: str) -> None:
    """Whether or not the change took effect, its undo leaves the event as it was."""
    before, ti = shown(calendar), Ti()
    calendar.fault(kind=kind, action="PatchEvent")
    with pytest.raises(PlanIncompleteError):
        apply([row(patch={"summary": "New"})], ti, keep_before=True)
    (undo,) = ti.pushed["undo"]
    assert statuses(apply([undo])) == ["unchanged" if kind == "reset" else "applied"]
    assert shown(calendar) == before
