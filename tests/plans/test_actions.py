"""Plans of all actions: rows, groups, events that a plan creates, and what is refused before anything is sent."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError, PlanIncompleteError
from airflow_dingtalk_calendar.plans import runner
from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.plans.worker_pool import thread_count
from tests.airflow_runs import Run, Ti
from tests.conftest import DATA, ORGANIZER, event
from tests.frozen import tokens as frozen
from tests.frozen.world import begin
from tests.frozen.world import dingtalk as frozen_world
from tests.operators.test_plan import QUOTA, Operator, execute, failing

Dag = Callable[..., Run]
Connect = Callable[..., None]

GUEST, NEW = "iiPguest", "iiPnew"
CROWD = [f"iiP{number}" for number in range(1201)]
NEW_EVENT = {"summary": "Retro", "start": "2027-03-03T10:00:00+08:00", "end": "2027-03-03T11:00:00+08:00"}
ZONE = {"timezone": "Asia/Shanghai"}
CREATED = {"created_by": "retro"}
LATER = "2030-01-01T00:00:00Z"
CREATE = {"action": "create", "event": NEW_EVENT}
NAMED = {**CREATE, "name": "retro", "group": "g"}
EVERY: list[dict[str, Any]] = [
    {"event_id": "E0", "patch": {"summary": "New"}},
    {"action": "delete", "event_id": "E1", "push_notification": False},
    {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "chat_notification": False},
    {"action": "remove_attendees", "event_id": "E3", "attendees": [GUEST]},
    {"action": "add_rooms", "event_id": "E4", "room_ids": ["room-1"]},
    {"action": "remove_rooms", "event_id": "E5", "room_ids": ["room-2"]},
    {"action": "respond", "event_id": "E6", "union_id": GUEST, "response_status": "declined"},
    NAMED,
    {"action": "add_attendees", "event_id": CREATED, "attendees": [NEW], "group": "g"},
    {"action": "add_rooms", "event_id": CREATED, "room_ids": ["room-1"], "group": "g"},
]


@pytest.fixture
def calendar(dingtalk: Emulator, connect: Connect) -> Emulator:
    """DingTalk with ten events, two rooms, many people, and no pace that matters."""
    rooms = [{"roomId": f"room-{number}", "displayName": f"Room {number}"} for number in (1, 2)]
    booked = {"meetingRooms": [{"roomId": "room-2", "displayName": "Room 2"}]}
    events = [event(f"E{number}", **(booked if number == 5 else {})) for number in range(10)]
    users = [*DATA["users"], *({"unionId": one, "name": one} for one in (NEW, *CROWD))]
    dingtalk.reset({**DATA, "users": users, "rooms": rooms, "events": events})
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def run(plan: list[dict[str, Any]], *arguments: Any, **keywords: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Apply a plan that works."""
    result: tuple[Any, list[dict[str, Any]]] = execute(plan, *arguments, **{**ZONE, **keywords})
    return result


def failed(plan: list[dict[str, Any]], **keywords: Any) -> list[dict[str, Any]]:
    """Apply a plan of which a row is refused; return the rows that it reports."""
    _, results = failing(AirflowFailException, plan, **{**ZONE, **keywords})
    return results


def codes(results: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return status and code of each row."""
    return [(row["status"], row["code"]) for row in results]


def writes(dingtalk: Emulator) -> list[str]:
    """Return the actions that took effect."""
    return [row["action"] for row in dingtalk.effects["writes"]]


def people(dingtalk: Emulator, event_id: str) -> dict[str, str]:
    """Return who is invited to an event, with their answers."""
    return {one["id"]: one["responseStatus"] for one in dingtalk.event(event_id).get("attendees", ())}


def created_ids(dingtalk: Emulator) -> list[str]:
    """Return the ids of the events that were created, in the order of their creation."""
    return [row["event_id"] for row in dingtalk.effects["writes"] if row["action"] == "CreateEvent"]


def problems(plan: list[Any]) -> list[str]:
    """Return what is said of a plan that is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        parse_plan(plan, union_id=ORGANIZER, timezone="Asia/Shanghai")
    return [str(problem) for problem in caught.value.problems]


# -- every action ----------------------------------------------------------------------------------------------


def test_one_plan_has_every_action(calendar: Emulator) -> None:
    """Each row does what the operator of its action does, and is reported with its action, group and event."""
    counts, results = run(EVERY)
    (created,) = created_ids(calendar)
    assert {row.get("action", "patch") for row in EVERY} == set(ACTIONS)
    assert counts["applied"] == len(EVERY)
    assert [row["event_id"] for row in results] == [f"E{number}" for number in range(7)] + [created] * 3
    assert [row["action"] for row in results] == [row.get("action", "patch") for row in EVERY]
    assert (results[7]["name"], results[7]["group"], results[8]["group"]) == ("retro", "g", "g")
    assert calendar.event("E0")["summary"] == "New"
    assert calendar.event("E1")["status"] == "cancelled"
    assert people(calendar, "E2").keys() == {GUEST, NEW}
    assert people(calendar, "E3") == {}
    assert [room["roomId"] for room in calendar.event("E4")["meetingRooms"]] == ["room-1"]
    assert calendar.event("E5").get("meetingRooms", []) == []
    assert people(calendar, "E6")[GUEST] == "declined"
    assert people(calendar, created).keys() >= {NEW}
    assert [room["roomId"] for room in calendar.event(created)["meetingRooms"]] == ["room-1"]


def test_a_plan_of_all_actions_comes_from_an_upstream_task(dag: Dag, calendar: Emulator) -> None:
    """In a real run a task makes the plan, and what became of each row is in XCom."""
    done = dag(
        f"""
        from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Apply

        @task
        def plan():
            return {EVERY!r}

        Apply(task_id="apply", union_id="{ORGANIZER}", plan=plan(), timezone="Asia/Shanghai")
        """
    )
    assert done.state("apply") == "success"
    assert done.xcom("apply")["applied"] == len(EVERY)
    assert {row["status"] for row in done.xcom("apply", "results")} == {"applied"}
    assert sorted(writes(calendar)) == sorted(
        [
            *("PatchEvent", "DeleteEvent", "AddAttendee", "RemoveAttendee", "AddMeetingRooms", "RemoveMeetingRooms"),
            *("RespondEvent", "CreateEvent", "AddAttendee", "AddMeetingRooms"),
        ]
    )


@pytest.mark.parametrize("native", [False, True])
def test_plans_are_mapped_and_rendered(dag: Dag, calendar: Emulator, native: bool) -> None:
    """Mapped tasks apply a plan each, with native rendering or JSON text, and make an event each."""
    plan = "{{ params.plan }}" if native else "{{ params.plan | tojson }}"
    done = dag(
        f"""
        from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Apply

        dag.params["plan"] = {[NAMED, EVERY[8]]!r}
        Apply.partial(task_id="apply", plan="{plan}", timezone="Asia/Shanghai", max_calls="{{{{ 4 }}}}").expand(
            union_id=["{ORGANIZER}", "{ORGANIZER}"]
        )
        """,
        native=native,
    )
    assert [done.xcom("apply", map_index=index)["applied"] for index in (0, 1)] == [2, 2]
    assert len(set(created_ids(calendar))) == 2


def test_events_come_back_on_request(calendar: Emulator) -> None:
    """With ``return_events`` the results have events where DingTalk answers with one."""
    _, results = run([NAMED, *EVERY[:2]], return_events=True)
    assert [(row["event"] or {}).get("summary") for row in results] == ["Retro", "New", None]


# -- groups ----------------------------------------------------------------------------------------------------


def test_the_rows_of_a_group_are_applied_in_order(calendar: Emulator) -> None:
    """Whatever stands between them in the plan, one row of a group follows another."""
    group = [
        {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"},
        {"action": "remove_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"},
        {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"},
        {"event_id": "E2", "patch": {"summary": "New"}, "group": "g"},
        {"action": "delete", "event_id": "E2", "group": "g"},
    ]
    others = [{"event_id": f"E{number}", "patch": {"summary": "New"}} for number in (3, 4, 5, 6)]
    run([row for pair in zip(group, [*others, EVERY[0]], strict=True) for row in pair])
    mine = [row["action"] for row in calendar.effects["writes"] if row["event_id"] == "E2"]
    assert mine == ["AddAttendee", "RemoveAttendee", "AddAttendee", "PatchEvent", "DeleteEvent"]
    assert people(calendar, "E2").keys() == {GUEST, NEW}


def test_a_row_that_fails_stops_its_group_only(calendar: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The rest of the group is skipped, and says after which row; other groups go on."""
    plan = [
        {"action": "add_rooms", "event_id": "E2", "room_ids": ["nowhere"], "group": "one"},
        {"event_id": "E2", "patch": {"summary": "New"}, "group": "one"},
        {"action": "respond", "event_id": "E2", "union_id": GUEST, "response_status": "accepted", "group": "one"},
        {"event_id": "E3", "patch": {"summary": "New"}, "group": "two"},
        {"action": "delete", "event_id": "E3", "group": "two"},
    ]
    results = failed(plan)
    assert codes(results) == [
        ("rejected", "invalidParameter"),
        ("skipped", "groupFailed"),
        ("skipped", "groupFailed"),
        ("applied", ""),
        ("applied", ""),
    ]
    assert results[1]["message"] == "plan[0], an earlier row of its group, was not done: rejected invalidParameter"
    assert "plan[1], event E2: skipped, groupFailed" in said.text
    assert calendar.event("E2")["summary"] == "Planning"


def test_a_change_since_stops_a_group(calendar: Emulator) -> None:
    """When somebody has changed the event since it was read, no later row of its group is sent; that is no failure."""
    plan = [
        {"event_id": "E2", "patch": {"summary": "New"}, "if_updated_at": LATER, "group": "g"},
        {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"},
    ]
    _, results = run(plan)
    assert codes(results) == [("skipped", "changedSince"), ("skipped", "groupFailed")]
    assert writes(calendar) == []


def test_groups_run_side_by_side(calendar: Emulator) -> None:
    """Groups do not wait for each other: while the first rows of some are under way, those of others are, too."""
    calendar.configure(service_time=0.05)
    plan = [
        {"action": action, "event_id": event_id, "attendees": [NEW], "group": event_id}
        for event_id in ("E2", "E3", "E4")
        for action in ("add_attendees", "remove_attendees")
    ]
    run(plan)
    order = [row["event_id"] for row in calendar.effects["writes"]]
    assert order != sorted(order)
    assert sorted(order[:3]) == ["E2", "E3", "E4"]


def test_each_api_has_threads_of_its_own(calendar: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is of each API, so a plan of eight actions has as many threads as keep the pace of all eight."""
    asked: list[tuple[float, int, int]] = []

    def count_threads(*given: Any) -> int:
        asked.append(given)
        return thread_count(*given)

    monkeypatch.setattr(runner, "thread_count", count_threads)
    run(EVERY)
    assert asked == [(1000, 8, 8)]


def test_a_refusal_of_all_rows_stops_groups_too(
    calendar: Emulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A used-up quota ends the task in the middle of a group; what was not begun is not tried."""
    monkeypatch.setattr(runner, "thread_count", lambda *_: 1)
    calendar.fault(kind="error", action="PatchEvent", **QUOTA)
    plan = [
        {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"},
        {"event_id": "E2", "patch": {"summary": "New"}, "group": "g"},
        {"action": "delete", "event_id": "E2", "group": "g"},
        {"event_id": "E3", "patch": {"summary": "New"}},
    ]
    found = codes(failed(plan))
    assert found[:2] == [("applied", ""), ("rejected", QUOTA["code"])]
    assert found[2:] == [("skipped", "notTried"), ("skipped", "notTried")]


# -- events that the plan creates --------------------------------------------------------------------------------


def test_a_dry_run_names_events_that_do_not_exist_yet(calendar: Emulator) -> None:
    """Where a later row needs the id of an event that the plan creates, a placeholder stands for it."""
    shown, _ = run([NAMED, *EVERY[8:]], dry_run=True)
    assert [row["event_id"] for row in shown["rows"]] == [None, CREATED, CREATED]
    assert "created_by%3Aretro" in shown["rows"][1]["requests"][0]["path"]
    assert shown["rows"][1]["diff"] == [f"attendees: + {NEW}"]
    assert shown["rows"][0]["diff"][0] == "a new event"
    assert calendar.requests == []


def test_an_answer_without_the_id_ends_its_group(calendar: Emulator) -> None:
    """An event whose id DingTalk does not say is created and not created again; who needs the id says so."""
    calendar.fault(kind="applied_body", action="CreateEvent", body={})
    results = failed([NAMED, *EVERY[8:]])
    assert codes(results) == [("applied", ""), ("rejected", "noEventId"), ("skipped", "groupFailed")]
    assert results[0]["event_id"] is results[1]["event_id"] is None
    assert results[1]["message"] == "DingTalk created the event retro, and its answer does not have the event's id"
    assert len(created_ids(calendar)) == 1


def test_rows_on_a_created_event_are_reported_with_its_id(calendar: Emulator) -> None:
    """A row that fails names the event that the plan has created."""
    results = failed([NAMED, {"action": "add_rooms", "event_id": CREATED, "room_ids": ["nowhere"], "group": "g"}])
    assert results[1]["event_id"] == results[0]["event_id"] == created_ids(calendar)[0]


# -- refused before anything is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "says"),
    [
        (
            [{**EVERY[8], "event_id": {"created_by": "nobody"}}],
            ["plan[0].event_id.created_by: no row that creates an event has the name nobody"],
        ),
        (
            [EVERY[8], NAMED],
            ["plan[0].event_id.created_by: plan[1], which has the name retro, comes later: put it first"],
        ),
        (
            [NAMED, {**EVERY[8], "group": "h"}],
            [
                "plan[1].event_id.created_by: plan[0], which has the name retro, is in another group: "
                "give both rows the same group"
            ],
        ),
        (
            [{**NAMED, "group": None}, {**EVERY[8], "group": None}],
            [
                "plan[1].event_id.created_by: plan[0], which has the name retro, is in another group: "
                "give both rows the same group"
            ],
        ),
        ([NAMED, NAMED], ["plan[1].name: is the name of plan[0] already; use another one"]),
        (
            [NAMED, {"action": "delete", "event_id": CREATED, "group": "g"}],
            ["plan[1]: deletes the event that this plan creates: leave out both rows"],
        ),
        (
            [EVERY[1], {"event_id": "E1", "patch": {"summary": "New"}}],
            [
                "plan[1].event_id: is the event of plan[0], too, which is not in the same group: "
                "give both rows one group",
                "plan[1].event_id: is the event that plan[0] deletes before",
            ],
        ),
        (
            [EVERY[2], {**EVERY[3], "event_id": "E2"}],
            [
                "plan[1].event_id: is the event of plan[0], too, which is not in the same group: "
                "give both rows one group"
            ],
        ),
        (
            [EVERY[0], EVERY[0]],
            ["plan[1].event_id: is the event of plan[0] again; put both changes into one patch"],
        ),
        ([{"action": "add_room", "event_id": "E"}], ["plan[0].action: is not an action; did you mean add_rooms?"]),
        (
            [{"action": 7, "event_id": "E"}],
            [
                "plan[0].action: is not an action; known: add_attendees, add_rooms, create, delete, patch, "
                "remove_attendees, remove_rooms, respond"
            ],
        ),
        (
            [{"action": "respond", "event_id": "E", "response": "accepted"}],
            [
                "plan[0]: has no place for response in the action respond; did you mean response_status?",
            ],
        ),
        (
            [{"action": "delete", "event_id": "E", "name": "x"}],
            [
                "plan[0]: has no place for name in the action delete; known: action, calendar_id, event, event_id, "
                "fail_if_missing, group, if_fields, if_updated_at, notes, push_notification, union_id"
            ],
        ),
        (
            [{**CREATE, "event_id": "E"}],
            ["plan[0]: has no place for event_id in the action create; did you mean event?"],
        ),
        ([{"event_id": {"create": "x"}, "patch": None}], ['plan[0].event_id: must be an id, or {"created_by": name}']),
        ([{"action": "add_attendees", "event_id": "E"}], ["plan[0].attendees: is absent: give it in the row"]),
        ([{"action": "add_rooms", "event_id": "E"}], ["plan[0].room_ids: is absent: give it in the row"]),
        ([{"action": "respond", "event_id": "E"}], ["plan[0].response_status: is absent: give it in the row"]),
        ([{"action": "create"}], ["plan[0].event: is absent: give it in the row"]),
        ([{**CREATE, "event": {"summary": "x"}}], ["plan[0].event.start: is required"]),
    ],
)
def test_a_wrong_plan_is_refused_in_its_own_words(plan: list[dict[str, Any]], says: list[str]) -> None:
    """Each mistake is named by its row and member, with what to do about it."""
    assert problems(plan) == says


@pytest.mark.parametrize(
    "plan", [[EVERY[8], NAMED], [NAMED, NAMED], [EVERY[0], {"action": "remove", "event_id": "E1"}]], ids=str
)
def test_nothing_is_sent_of_a_wrong_plan(plan: list[dict[str, Any]], calendar: Emulator) -> None:
    """A mistake in one row keeps back all others."""
    failed(plan)
    assert calendar.requests == []


# -- rows that have nothing to do ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "status"),
    [
        ({"event_id": "E0", "patch": {"summary": "Planning"}}, "unchanged"),
        ({"action": "delete", "event_id": "E0"}, "applied"),
        ({"action": "add_attendees", "event_id": "E0", "attendees": [GUEST]}, "unchanged"),
        ({"action": "add_attendees", "event_id": "E0", "attendees": [GUEST, NEW]}, "applied"),
        ({"action": "add_attendees", "event_id": "E0", "attendees": [{"id": GUEST, "is_optional": True}]}, "applied"),
        ({"action": "remove_attendees", "event_id": "E0", "attendees": [NEW]}, "unchanged"),
        ({"action": "remove_attendees", "event_id": "E0", "attendees": [NEW, GUEST]}, "applied"),
        ({"action": "add_rooms", "event_id": "E5", "room_ids": ["room-2"]}, "unchanged"),
        ({"action": "add_rooms", "event_id": "E5", "room_ids": ["room-2", "room-1"]}, "applied"),
        ({"action": "remove_rooms", "event_id": "E5", "room_ids": ["room-1"]}, "unchanged"),
        ({"action": "remove_rooms", "event_id": "E5", "room_ids": ["room-1", "room-2"]}, "applied"),
        ({"action": "respond", "event_id": "E0", "union_id": GUEST, "response_status": "accepted"}, "unchanged"),
        ({"action": "respond", "event_id": "E0", "union_id": GUEST, "response_status": "declined"}, "applied"),
        (CREATE, "applied"),
    ],
    ids=str,
)
def test_what_is_so_already_is_not_sent(row: dict[str, Any], status: str, calendar: Emulator) -> None:
    """With ``skip_if_unchanged`` a row of any action is sent only if the event is not as the row wants it."""
    counts, results = run([row], skip_if_unchanged=True)
    assert (counts[status], results[0]["status"]) == (1, status)
    assert len(writes(calendar)) == (status == "applied")


def test_a_deleted_event_is_unchanged(calendar: Emulator) -> None:
    """An event that is gone counts as deleted, unless the row wants it to be there."""
    plan = [{"action": "delete", "event_id": "gone"}, {"action": "delete", "event_id": "E1"}]
    _, results = run(plan)
    assert codes(results) == [("unchanged", "itemNotFound"), ("applied", "")]
    results = failed([{"action": "delete", "event_id": "gone", "fail_if_missing": True}])
    assert codes(results) == [("rejected", "itemNotFound")]


def test_a_retry_cannot_know_who_deleted_the_event(calendar: Emulator) -> None:
    """An event that has to be there and is gone in a retry may be the earlier try's doing: that is not known."""
    calendar.configure(replay="again")
    plan = [{"action": "delete", "event_id": "E1", "fail_if_missing": True}]
    calendar.fault(kind="apply_then_reset", action="DeleteEvent")
    failing(PlanIncompleteError, plan)
    assert codes(failed(plan, ti=Ti(try_number=2))) == [("unknown", "itemNotFound")]


# -- rows of several calls ----------------------------------------------------------------------------------------


def test_a_long_list_of_people_may_be_done_in_part(calendar: Emulator) -> None:
    """Of 1,201 people the first 500 are invited when the second call is refused, and the row says so."""
    calendar.fault(kind="error", action="AddAttendee", skip=1, status=400, code="invalidParameter", message="no")
    plan = [
        {"action": "add_attendees", "event_id": "E2", "attendees": CROWD, "group": "g"},
        {"event_id": "E2", "patch": {"summary": "New"}, "group": "g"},
    ]
    results = failed(plan)
    assert codes(results) == [("partial", "invalidParameter"), ("skipped", "groupFailed")]
    assert results[0]["message"].startswith("500 of 1,201 people are done. no")
    assert len(people(calendar, "E2")) == 501


def test_a_task_that_ends_between_two_calls_says_so(calendar: Emulator, connect: Connect) -> None:
    """A row of which one call of three was sent when the task was asked to end is partial, and goes on in a retry."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    plan = [{"action": "add_attendees", "event_id": "E2", "attendees": CROWD}]
    ti = Ti()
    task = Operator(task_id="t", union_id=ORGANIZER, plan=plan, retries=2)

    def end(seconds: float) -> None:
        if calendar.effects["writes"]:
            task.on_kill()

    task.hook.clock = replace(task.hook.clock, sleep=end)
    with pytest.raises(PlanIncompleteError):
        task.execute({"ti": ti})  # type: ignore[typeddict-item]
    (row,) = ti.pushed["results"]
    assert (row["status"], row["code"]) == ("partial", "notTried")
    assert row["message"] == "500 of 1,201 people are done. The task was asked to stop."
    counts, _ = run(plan, ti=Ti(try_number=2))
    assert counts["applied"] == 1
    assert len(people(calendar, "E2")) == 1202


@pytest.mark.parametrize(
    ("plan", "options", "calls"),
    [
        ([{"action": "add_attendees", "event_id": "E2", "attendees": CROWD}], {}, 3),
        ([{"action": "remove_attendees", "event_id": "E2", "attendees": CROWD}], {"skip_if_unchanged": True}, 4),
        ([NAMED, *EVERY[8:]], {}, 3),
        ([NAMED, *EVERY[8:]], {"skip_if_unchanged": True}, 5),
        (EVERY, {}, 10),
        ([{"event_id": "E0", "patch": None}], {"skip_if_unchanged": True}, 0),
    ],
    ids=["batches", "batches and a read", "a group", "a group and its reads", "every action", "nothing"],
)
def test_calls_are_counted_exactly(
    calendar: Emulator, plan: list[dict[str, Any]], options: dict[str, Any], calls: int
) -> None:
    """``max_calls`` counts people by 500 and reads, within groups, too: as many are enough, one fewer is refused."""
    if calls > 1:
        error, _ = failing(AirflowFailException, plan, **ZONE, **options, max_calls=calls - 1)
        assert f"max_calls: is {calls - 1}, and the plan takes {calls} metered calls" in str(error)
        assert calendar.requests == []
    run(plan, **options, max_calls=max(calls, 1))
    spent = sum(calendar.effects["calls"].values())
    assert spent <= calls
    assert spent == calls or options


# -- client tokens ------------------------------------------------------------------------------------------------


def tokens(dingtalk: Emulator) -> dict[str, list[str]]:
    """Return the client tokens that each action was sent under, sorted."""
    found: dict[str, list[str]] = {}
    for request in dingtalk.requests:
        if request["client_token"]:
            found.setdefault(request["action"], []).append(request["client_token"])
    return {action: sorted(given) for action, given in found.items()}


def test_two_events_that_are_alike_are_two_events(calendar: Emulator) -> None:
    """Two rows that ask for the very same event make two, under two tokens."""
    counts, results = run([CREATE, CREATE])
    assert counts["applied"] == 2
    assert len(set(created_ids(calendar))) == len({row["event_id"] for row in results}) == 2
    assert len(set(tokens(calendar)["CreateEvent"])) == 2


def test_the_same_row_twice_in_a_group_is_two_requests(calendar: Emulator) -> None:
    """Who was invited, uninvited and is invited again is invited, although two requests are the very same."""
    invite = {"action": "add_attendees", "event_id": "E2", "attendees": [NEW], "group": "g"}
    run([invite, {**invite, "action": "remove_attendees"}, invite])
    assert NEW in people(calendar, "E2")
    assert len(set(tokens(calendar)["AddAttendee"])) == 2


def test_tokens_do_not_depend_on_the_place_of_a_row(calendar: Emulator) -> None:
    """The same rows in another order, beside others, are the same requests, which DingTalk does not repeat."""
    plan = [row for row in EVERY if "group" not in row]
    run([*plan, CREATE])
    sent, effects = tokens(calendar), len(calendar.effects["writes"])
    run([CREATE, {"event_id": "E9", "patch": None}, *reversed(plan)])
    assert tokens(calendar) == {action: sorted(given * 2) for action, given in sent.items()}
    assert len(calendar.effects["writes"]) == effects


@pytest.mark.parametrize("operator", ["patch", "create", "add people", "delete"])
def test_a_row_is_the_same_request_as_its_operator(operator: str) -> None:
    """A row has the client token of the operator that does the same: that of earlier versions, which is frozen."""
    _, arguments = frozen.OPERATORS[operator]
    sent = frozen_tokens()["operators"][f"{operator}, derived"]
    with frozen_world() as emulator:
        begin(emulator, frozen.CALENDAR)
        name = {"patch": "patch", "create": "create", "add people": "add_attendees", "delete": "delete"}[operator]
        execute([{"action": name, **arguments}], ti=Ti())
        calls = [request for request in emulator.requests if request["client_token"]]
        assert sent == [f"{one['action']} {one['path'].split('/events', 1)[1]} {one['client_token']}" for one in calls]


def frozen_tokens() -> Any:
    """Return the client tokens that every version derives."""
    return json.loads((Path(frozen.__file__).parent / "data" / "tokens.json").read_text(encoding="utf-8"))
