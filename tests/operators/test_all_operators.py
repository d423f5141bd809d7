"""The operators beside the patch: in real task runs, and at their edges."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import PlanIncompleteError, RequestError, TransportError
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.operators import attendee, event
from airflow_dingtalk_calendar.operators.base import CalendarOperator, WritingOperator
from airflow_dingtalk_calendar.operators.event_lifecycle import (
    DingTalkCalendarCreateEventOperator,
    DingTalkCalendarDeleteEventOperator,
)
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.meeting_room import (
    DingTalkCalendarAddMeetingRoomsOperator,
    DingTalkCalendarRemoveMeetingRoomsOperator,
)
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from tests.airflow_runs import Run, Ti
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.conftest import event as an_event
from tests.markdown import Page

Dag = Callable[..., Run]

List = DingTalkCalendarListEventsOperator
Get = event.DingTalkCalendarGetEventOperator
Batch = DingTalkCalendarApplyPlanOperator
Create = DingTalkCalendarCreateEventOperator
Delete = DingTalkCalendarDeleteEventOperator
AddAttendees = attendee.DingTalkCalendarAddAttendeesOperator
RemoveAttendees = attendee.DingTalkCalendarRemoveAttendeesOperator
Respond = attendee.DingTalkCalendarRespondEventOperator
AddRooms = DingTalkCalendarAddMeetingRoomsOperator
RemoveRooms = DingTalkCalendarRemoveMeetingRoomsOperator

EVERY: dict[type[CalendarOperator], dict[str, Any]] = {
    List: {},
    Get: {"event_id": EVENT},
    Batch: {"plan": [{"event_id": EVENT, "patch": {"summary": "Retro"}}]},
    Create: {"event": {"summary": "Retro", "start": "2027-03-03T10:00", "end": "2027-03-03T11:00"}},
    Delete: {"event_id": EVENT},
    AddAttendees: {"event_id": EVENT, "attendees": ["iiPnew"]},
    RemoveAttendees: {"event_id": EVENT, "attendees": ["iiPguest"]},
    Respond: {"event_id": EVENT, "union_id": "iiPguest", "response_status": "declined"},
    AddRooms: {"event_id": EVENT, "room_ids": ["room-1"]},
    RemoveRooms: {"event_id": EVENT, "room_ids": ["room-1"]},
}
WRITING = [kind for kind in EVERY if issubclass(kind, WritingOperator)]
SERIES = {
    "pattern": {"type": "daily", "interval": 1},
    "range": {"type": "numbered", "numberOfOccurrences": 3},
}


def execute(kind: type[CalendarOperator], ti: Ti | None = None, **arguments: Any) -> Any:
    """Execute an operator without rendering."""
    given = {"union_id": ORGANIZER, **EVERY[kind], **arguments}
    if kind is Create:
        given.setdefault("timezone", "Asia/Shanghai")
    return kind(task_id="t", **given).execute({"ti": ti or Ti()})  # type: ignore[typeddict-item]


@pytest.fixture
def calendar(dingtalk: Emulator) -> Emulator:
    """DingTalk with two rooms and many people besides."""
    others = ["iiPnew", *(f"iiP{number}" for number in range(1200))]
    users = [*DATA["users"], *({"unionId": one, "name": one} for one in others)]
    rooms = [{"roomId": f"room-{number}", "displayName": f"Room {number}"} for number in (1, 2)]
    dingtalk.reset({**DATA, "users": users, "rooms": rooms})
    return dingtalk


def tokens(dingtalk: Emulator, action: str) -> list[str]:
    """Return the client tokens of an action's requests."""
    return [request["client_token"] for request in dingtalk.requests if request["action"] == action]


def sent(dingtalk: Emulator, action: str) -> list[Any]:
    """Return the bodies of an action's requests."""
    return [request["body"] for request in dingtalk.requests if request["action"] == action]


def writes(dingtalk: Emulator) -> list[str]:
    """Return the actions that took effect."""
    return [row["action"] for row in dingtalk.effects["writes"]]


def many(dingtalk: Emulator, number: int, **fields: Any) -> None:
    """Fill the calendar."""
    dingtalk.reset({**DATA, "events": [an_event(f"event{index}", **fields) for index in range(number)]})


# -- all of them ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EVERY)
def test_init_only_assigns(kind: type[CalendarOperator]) -> None:
    """Constructing checks nothing, and every argument is templated."""
    names = set(kind.template_fields)
    operator = kind(task_id="t", **dict.fromkeys(names, "{{ x }}"))
    assert {name: getattr(operator, name) for name in names} == dict.fromkeys(names, "{{ x }}")
    assert names >= {"union_id", "calendar_id", "dingtalk_conn_id", *EVERY[kind]}


@pytest.mark.parametrize("kind", WRITING)
def test_dry_run_sends_nothing(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """A dry run returns the requests, and not even fetches a token."""
    result = execute(kind, dry_run="True")
    requests = result["requests"] if "requests" in result else [result["request"]]
    assert (result["dry_run"], result["event"], calendar.requests) == (True, None, [])
    assert all(request.keys() == {"method", "path", "body"} for request in requests)


@pytest.mark.parametrize("kind", WRITING)
def test_retry_is_the_same_request_and_clear_a_new_one(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """An automatic retry sends the same client token, after a clear it is another, and both can be given."""
    for ti in (Ti(try_number=1), Ti(try_number=2), Ti(try_number=3, max_tries=4)):
        execute(kind, ti)
    execute(kind, client_token="mine")
    first, second, third, given = [one["client_token"] for one in calendar.requests if one["client_token"]]
    assert first == second != third
    assert given == "mine"


@pytest.mark.parametrize("kind", WRITING)
def test_a_retry_after_an_unknown_outcome_takes_effect_once(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """A worker that lost the answer, retried by Airflow, has done it once in the end."""
    attempts = 1 if kind is Create else 4  # an event is not asked for again at once
    calendar.fault(kind="apply_then_reset", times=attempts, skip=1)
    with pytest.raises(TransportError, match="unknown whether"):
        execute(kind)
    assert sum(1 for request in calendar.requests if request["client_token"]) == attempts
    execute(kind, Ti(try_number=2))
    assert len(writes(calendar)) == 1


@pytest.mark.parametrize("kind", [kind for kind in EVERY if "event_id" in EVERY[kind] and kind is not Delete])
def test_permanent_errors_fail_for_good(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """An event that is not there fails the task without retries."""
    with pytest.raises(AirflowFailException, match="404 itemNotFound"):
        execute(kind, event_id="missing")


@pytest.mark.parametrize("kind", EVERY)
def test_passing_errors_are_left_to_airflows_retries(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """A failure that lasts is raised as it is, so that Airflow retries."""
    calendar.fault(kind="html", status=503, skip=1, times=None)
    with pytest.raises((RequestError, PlanIncompleteError)) as caught:
        execute(kind)
    assert caught.value.retryable


@pytest.mark.parametrize("kind", EVERY)
def test_a_blank_id_is_refused(kind: type[CalendarOperator], calendar: Emulator) -> None:
    """An id that rendered to nothing is refused before anything is sent."""
    with pytest.raises(AirflowFailException, match="union_id: is blank"):
        execute(kind, union_id="None")
    assert calendar.requests == []


@pytest.mark.parametrize("kind", EVERY)
def test_the_log_shows_no_content(
    kind: type[CalendarOperator], calendar: Emulator, said: pytest.LogCaptureFixture
) -> None:
    """At INFO the log says what was done, and nothing of the event's content."""
    execute(kind)
    assert [record for record in said.records if record.name == "tasks"]
    assert all(word not in said.text for word in ("Planning", "What comes next", "Retro"))


# -- list and get ---------------------------------------------------------------------------------------------


def test_events_are_found_and_patched(dag: Dag, dingtalk: Emulator) -> None:
    """The list feeds expand_kwargs, and each event found is patched."""
    dingtalk.reset({**DATA, "events": [an_event("one"), an_event("two"), an_event("three", summary="Lunch")]})
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator as List

        found = List(
            task_id="find",
            union_id="{ORGANIZER}",
            time_min="{{{{ dag_run.conf['day'] }}}}",
            time_max="2027-03-03T00:00:00+08:00",
            timezone="{{{{ 'Asia/' ~ 'Shanghai' }}}}",
            summary_contains="{{{{ 'plan' }}}}",
            max_events="{{{{ 1 + 9 }}}}",
            expand="{{{{ False }}}}",
        )
        Patch.partial(task_id="rename", union_id="{ORGANIZER}").expand_kwargs(
            found.output.map(lambda event: {{"event_id": event["id"], "patch": {{"summary": "Daily"}}}})
        )
        """,
        conf={"day": "2027-03-02"},
    )
    assert run.state("find") == "success"
    assert {one["id"] for one in run.xcom("find")} == {"one", "two"}
    assert {update["event_id"] for update in dingtalk.effects["updates"]} == {"one", "two"}


def test_all_pages_are_read(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The list is complete over pages, and the log says what it cost."""
    many(dingtalk, 250)
    assert len(execute(List)) == 250
    assert "Found 250 events in 3 calls." in said.text
    assert dingtalk.effects["calls"] == {"ListEvents": 3}


def test_too_many_events_are_an_error(dingtalk: Emulator) -> None:
    """More events than max_events fail for good, naming the remedy, without reading on."""
    many(dingtalk, 250)
    with pytest.raises(AirflowFailException, match=r"more than 99 events: narrow .*max_map_length"):
        execute(List, max_events="99")
    assert dingtalk.effects["calls"] == {"ListEvents": 1}


def test_filters(dingtalk: Emulator) -> None:
    """Title, organizer and cancelled events are filtered; a filter that came out blank is refused."""
    dingtalk.reset(
        {
            **DATA,
            "events": [
                an_event("mine"),
                an_event("hers", organizer={"id": "iiPguest"}, attendees=[{"id": ORGANIZER}]),
                an_event("gone", status="cancelled"),
            ],
        }
    )
    assert [one["id"] for one in execute(List, organizer_id="iiPguest")] == ["hers"]
    assert {one["id"] for one in execute(List, show_deleted="true")} == {"mine", "hers", "gone"}
    assert execute(List, summary_contains="lunch") == []
    for name in ("summary_contains", "organizer_id", "series_master_id"):
        with pytest.raises(AirflowFailException, match=f"{name}: is blank"):
            execute(List, **{name: " "})


def test_expanding_a_series(dingtalk: Emulator) -> None:
    """With expand, each occurrence is an event, filtered by its series here."""
    dingtalk.reset({**DATA, "events": [an_event("series", recurrence=SERIES), an_event()]})
    window = {"time_min": "2027-03-01", "time_max": dt.date(2027, 3, 10), "timezone": "Asia/Shanghai", "expand": True}
    assert len(execute(List, **window)) == 4
    assert len(execute(List, **window, series_master_id="series")) == 3
    assert dingtalk.effects["calls"] == {"ListEventsView": 2}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({"expand": True}, "time_min: is required with expand"),
        ({"expand": True, "time_min": "2027-03-01T00:00Z"}, "time_max: is required with expand"),
        (
            {"expand": 1 == 1, "time_min": "2027-03-01T00:00Z", "time_max": "2027-03-02T00:00Z", "show_deleted": True},
            "show_deleted: cannot be combined with expand",
        ),
        ({"time_min": "tomorrow"}, "time_min: must be an ISO 8601"),
        ({"time_min": "2027-03-01T00:00", "timezone": "Asia/Beijing"}, "is not a zone"),
        ({"time_min": "2027-03-02T00:00Z", "time_max": "2027-03-01T00:00Z"}, "time_max: must be after time_min"),
        ({"max_events": "many"}, "max_events: must be an integer"),
        ({"show_deleted": "maybe"}, "show_deleted: must be true or false"),
    ],
)
def test_wrong_questions_are_refused(arguments: dict[str, Any], problem: str, dingtalk: Emulator) -> None:
    """What cannot be asked fails for good and is not sent."""
    with pytest.raises(AirflowFailException, match=problem):
        execute(List, **arguments)
    assert dingtalk.requests == []


@pytest.mark.parametrize(
    ("value", "asked"),
    [
        ("2027-03-02 00:00:00+00:00", "2027-03-02T00:00:00+00:00"),
        (dt.datetime(2027, 3, 2, tzinfo=dt.UTC), "2027-03-02T00:00:00+00:00"),
        ("2027-03-02T10:00", "2027-03-02T10:00:00+09:00"),
        ("2027-03-02", "2027-03-02T00:00:00+09:00"),
    ],
)
def test_times_are_completed(value: Any, asked: str, dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """A time without an offset is read in the connection's zone, a day means its midnight."""
    connect(extra={"timezone": "Asia/Tokyo"})
    execute(List, time_min=value)
    assert dict(parse_qsl(dingtalk.requests[-1]["query"]))["timeMin"] == asked


def test_a_time_without_a_zone_is_refused(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """Without an offset and without any zone, nobody knows when."""
    connect(extra={"timezone": None})
    with pytest.raises(AirflowFailException, match="time_min: needs a UTC offset, or a timezone"):
        execute(List, time_min="2027-03-01T00:00")


def test_get(dag: Dag, dingtalk: Emulator) -> None:
    """One event is read and returned."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.event import DingTalkCalendarGetEventOperator as Get

        Get(task_id="get", union_id="{ORGANIZER}", event_id="{{{{ '{EVENT}' }}}}", max_attendees="{{{{ 5 }}}}")
        """
    )
    assert run.xcom("get")["summary"] == "Planning"
    assert dingtalk.effects["calls"] == {"GetEvent": 1}


# -- create and delete ----------------------------------------------------------------------------------------


def test_a_life_cycle(dag: Dag, dingtalk: Emulator) -> None:
    """An event is created, gets people, changes and goes, its id passed on by XCom."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator as Add
        from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarCreateEventOperator as Create
        from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarDeleteEventOperator as Delete

        @task
        def people():
            return ["iiPguest"]

        create = Create(
            task_id="create",
            union_id="{ORGANIZER}",
            timezone="Asia/Shanghai",
            event={{"summary": "Retro {{{{ 6 * 7 }}}}", "start": "2027-03-03T10:00", "end": "2027-03-03T11:00"}},
        )
        new = {{"union_id": "{ORGANIZER}", "event_id": "{{{{ ti.xcom_pull('create', key='event_id') }}}}"}}
        add = Add(task_id="add", **new, attendees=people(), push_notification="{{{{ False }}}}")
        patch = Patch(task_id="patch", **new, patch={{"location": "Room 2"}})
        create >> add >> patch >> Delete(task_id="delete", **new)
        """
    )
    assert [run.state(name) for name in ("create", "add", "patch", "delete")] == ["success"] * 4
    assert writes(dingtalk) == ["CreateEvent", "AddAttendee", "PatchEvent", "DeleteEvent"]
    assert run.xcom("create")["id"] == run.xcom("create", "event_id")
    assert run.xcom("create")["summary"] == "Retro 42"
    assert (run.xcom("add"), run.xcom("delete")) == (["iiPguest"], True)
    assert sent(dingtalk, "AddAttendee") == [{"attendeesToAdd": [{"id": "iiPguest"}], "pushNotification": False}]


def test_a_wrong_event_is_not_sent(dingtalk: Emulator) -> None:
    """Every problem of a new event is named, and nothing is sent."""
    with pytest.raises(AirflowFailException, match=r"event\.summary: is blank.*event\.start: is required"):
        execute(Create, event='{"summary": "None"}')
    assert dingtalk.requests == []


def test_a_created_meeting(dingtalk: Emulator) -> None:
    """A video meeting is made with its event, once though the answer was lost."""
    given = {"event": {**EVERY[Create]["event"], "online_meeting": True}, "unchecked_fields": "{}"}
    dingtalk.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(TransportError, match="unknown whether"):
        execute(Create, **given)
    execute(Create, Ti(try_number=2), **given)
    assert len(dingtalk.effects["meetings"]) == 1


def test_deleting_what_is_gone(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """An event that is gone counts as deleted, with a warning, unless that is to fail."""
    assert execute(Delete, push_notification="false") is True
    assert execute(Delete, Ti(run_id="later")) is False
    assert "not there; gone already" in said.text
    with pytest.raises(AirflowFailException, match="itemNotFound"):
        execute(Delete, Ti(run_id="last"), fail_if_missing="true")
    assert writes(dingtalk) == ["DeleteEvent"]


def test_how_deleting_notifies(dingtalk: Emulator) -> None:
    """The switch is in the request's parameters, also in a dry run."""
    assert execute(Delete, push_notification="False", dry_run=True)["request"]["params"] == {
        "pushNotification": "false"
    }


# -- people and rooms -----------------------------------------------------------------------------------------


def test_long_lists_are_split(calendar: Emulator) -> None:
    """1,200 people are three calls, each under a token of its own that a retry keeps."""
    people = [f"iiP{number}" for number in range(1200)]
    for ti in (Ti(), Ti(try_number=2)):
        assert execute(AddAttendees, ti, attendees=people) == people
    first, again = tokens(calendar, "AddAttendee")[:3], tokens(calendar, "AddAttendee")[3:]
    assert (first, len(set(first))) == (again, 3)
    assert [len(body["attendeesToAdd"]) for body in sent(calendar, "AddAttendee")[:3]] == [500, 500, 200]
    assert writes(calendar) == ["AddAttendee"] * 3


def test_a_token_given_for_a_long_list(calendar: Emulator) -> None:
    """Of a client token of one's own, each of several calls gets another, the same in each try."""
    for _ in range(2):
        execute(RemoveAttendees, attendees=[f"iiP{number}" for number in range(501)], client_token="mine")
    first, second, *again = tokens(calendar, "RemoveAttendee")
    assert again == [first, second]
    assert len({first, second, "mine"}) == 3


def test_a_split_list_in_a_dry_run(calendar: Emulator) -> None:
    """A dry run shows every call of a long list."""
    result = execute(AddAttendees, attendees=[f"iiP{number}" for number in range(501)], dry_run=True)
    assert [len(request["body"]["attendeesToAdd"]) for request in result["requests"]] == [500, 1]


def test_attendees_may_be_objects_or_text(calendar: Emulator) -> None:
    """Optional people, JSON text and booleans in text are taken."""
    people = [{"id": "iiPnew", "is_optional": "True"}, {"id": "iiP1", "isOptional": False}, "iiP2"]
    assert execute(AddAttendees, attendees=json.dumps(people), chat_notification=False) == ["iiPnew", "iiP1", "iiP2"]
    assert sent(calendar, "AddAttendee") == [
        {
            "attendeesToAdd": [
                {"id": "iiPnew", "isOptional": True},
                {"id": "iiP1", "isOptional": False},
                {"id": "iiP2"},
            ],
            "chatNotification": False,
        }
    ]


@pytest.mark.parametrize(
    ("attendees", "problem"),
    [
        ("['iiPnew']", r"must be a list or the JSON text of one; .* \| tojson"),
        ("iiPnew", "must be a list"),
        ({"id": "iiPnew"}, "must be a list"),
        ([], "must not be empty"),
        (["iiPnew", {"id": "iiPnew"}], "names one of them twice"),
        (["iiPnew", "None"], r"attendees\[1\]\.id: is blank"),
        ([{"email": "chen@example.com"}], r"attendees\[0\]: can have id"),
        ([{"id": "iiPnew", "is_optional": "maybe"}], r"attendees\[0\]\.is_optional: must be true or false"),
    ],
)
def test_wrong_attendees_are_refused(attendees: Any, problem: str, dingtalk: Emulator) -> None:
    """A list that is none, or wrong in a place, fails for good and is not sent."""
    with pytest.raises(AirflowFailException, match=problem):
        execute(AddAttendees, attendees=attendees)
    assert dingtalk.requests == []


def test_lists_are_rendered(dag: Dag, calendar: Emulator) -> None:
    """Templates within lists, whole lists as JSON text, and the output of mapped tasks are taken."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator as Add
        from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarRemoveAttendeesOperator as Remove
        from airflow_dingtalk_calendar.operators import meeting_room

        @task
        def person(number):
            return f"iiP{{number}}"

        one = {{"union_id": "{ORGANIZER}", "event_id": "{EVENT}"}}
        add = Add(task_id="add", **one, attendees=person.expand(number=[1, 2]))
        remove = Remove(task_id="remove", **one, attendees="{{{{ ti.xcom_pull('add') | tojson }}}}")
        Book = meeting_room.DingTalkCalendarAddMeetingRoomsOperator
        Release = meeting_room.DingTalkCalendarRemoveMeetingRoomsOperator
        book = Book(task_id="book", **one, room_ids=["room-{{{{ 1 }}}}", "room-{{{{ 1 + 1 }}}}"])
        release = Release(task_id="release", **one, room_ids='["room-1"]')
        add >> remove >> book >> release
        """
    )
    assert (run.xcom("add"), run.xcom("remove")) == (["iiP1", "iiP2"], ["iiP1", "iiP2"])
    assert (run.xcom("book"), run.xcom("release")) == (["room-1", "room-2"], ["room-1"])
    assert writes(calendar) == ["AddAttendee", "RemoveAttendee", "AddMeetingRooms", "RemoveMeetingRooms"]
    assert [one["roomId"] for one in calendar.event(EVENT)["meetingRooms"]] == ["room-2"]


@pytest.mark.parametrize("kind", [AddRooms, RemoveRooms])
@pytest.mark.parametrize(
    ("rooms", "problem"), [([], "must not be empty"), ([f"r{n}" for n in range(6)], "more than 5"), ("r", "a list")]
)
def test_wrong_rooms_are_refused(kind: type[CalendarOperator], rooms: Any, problem: str, dingtalk: Emulator) -> None:
    """No room, or more than five, fail for good and are not sent."""
    with pytest.raises(AirflowFailException, match=problem):
        execute(kind, room_ids=rooms)
    assert dingtalk.requests == []


@pytest.mark.parametrize("kind", EVERY)
def test_an_operator_has_one_constructor(kind: type[CalendarOperator]) -> None:
    """Airflow wraps each constructor above its own, which DAG files pay for with each task, so there is one only."""
    own = [base for base in kind.__mro__ if base.__module__.startswith("airflow_dingtalk_calendar")]
    assert sum("__init__" in vars(base) for base in own) == 1


def test_every_operator_is_announced() -> None:
    """Airflow's metadata names the module of each operator, and the reference each operator."""
    modules = {module for entry in get_provider_info()["operators"] for module in entry["python-modules"]}
    assert {kind.__module__ for kind in EVERY} == modules
    page = Page("docs/reference/operators.md").text
    for kind in EVERY:
        module = kind.__module__.removeprefix("airflow_dingtalk_calendar.")
        assert f"| `{kind.__name__}` | `{module}` |" in page
