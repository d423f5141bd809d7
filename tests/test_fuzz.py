"""Whatever a server answers and whatever a DAG hands over: an error of ours, or something sound."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType, SimpleNamespace
from typing import Any
from uuid import uuid4

import pendulum
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.client.responses import Response, interpret_answer
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidPatchError, RequestError
from airflow_dingtalk_calendar.models import comparison
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent
from tests.airflow_runs import Run
from tests.conftest import EVENT, ORGANIZER
from tests.models.test_event_patch import WHOLE

# -- answers ------------------------------------------------------------------------------------------------

NAMES = sorted(
    {"id", "events", "attendees", "nextToken", "syncToken", "organizer", "displayName", "dateTime", "date", "timeZone"}
    | {"method", "minutes", "pattern", "range", "endDate", "uiName", "uiStatus", "isOptional", "response", "calendars"}
    | {"accessToken", "expireIn", "access_token", "expires_in", "refreshToken", "result", "unionid", "errcode", "code"}
    | {"scheduleInformation", "scheduleItems", "unionId", "sub_code", "status", "punish", "hasMore", *WHOLE}
)
TEXTS = st.text(max_size=8) | st.sampled_from([EVENT, "0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=15,
)
FROM, TO = "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"
CALLS = [
    api.get_event(ORGANIZER, EVENT),
    api.patch_event(ORGANIZER, EVENT, EventPatch.parse({"summary": "x"})),
    api.create_event(ORGANIZER, NewEvent.parse({"summary": "x", "start": "2027-01-01", "end": "2027-01-02"}).to_body()),
    api.delete_event(ORGANIZER, EVENT),
    api.list_events(ORGANIZER, time_min=FROM, time_max=TO),
    api.list_events_view(ORGANIZER, time_min=FROM, time_max=TO),
    api.list_attendees(ORGANIZER, EVENT),
    api.list_calendars(ORGANIZER),
    api.add_meeting_rooms(ORGANIZER, EVENT, ["room"]),
    api.list_meeting_rooms(ORGANIZER),
    api.get_schedule(ORGANIZER, [ORGANIZER], start_time=FROM, end_time=TO),
    api.get_user_by_staff_id("staff"),
    api.get_me(),
    api.get_access_token("key", "secret"),
    api.get_unified_token("corp", "key", "secret"),
    api.get_user_token("key", "secret", code="code"),
]


def read(call: api.Call[Any], status: int, content: bytes) -> Any:
    """Read an answer, or return the error that it means."""
    try:
        found = interpret_answer(call, Response(status, {}, content))
        return found.result if isinstance(found, Odd) else found
    except RequestError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 2000
        return error


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.action)
@given(payload=JSON | st.dictionaries(st.sampled_from(NAMES), JSON), status=st.sampled_from([200, 200, 400]))
def test_any_answer_of_any_endpoint(call: api.Call[Any], payload: Any, status: int) -> None:
    """Whatever JSON an endpoint answers is read, or becomes an error of ours."""
    read(call, status, json.dumps(payload).encode())


JUNK = st.sampled_from([None, True, 7, 1e999, "", "x", "0001-01-01T00:00:00+08:00", [], [[]], {}, {"id": []}])


def spoilt(value: Any) -> st.SearchStrategy[Any]:
    """Return something good, any part of which may be junk instead."""
    if isinstance(value, dict):
        return st.fixed_dictionaries({}, optional={name: spoilt(one) for name, one in value.items()}) | JUNK
    if isinstance(value, list):
        return st.lists(st.one_of(*map(spoilt, value)) if value else JUNK, max_size=3) | JUNK
    return st.just(value) | JUNK


@given(event=spoilt(dict(WHOLE)).filter(lambda event: isinstance(event, dict)))
def test_any_event_can_be_compared(event: dict[str, Any]) -> None:
    """Whatever event comes back from a change that has been made is compared with what was asked for."""
    body = EventPatch.parse(WHOLE).to_body(EVENT)
    assert set(comparison.not_applied(body, event)) <= set(body)
    comparison.is_unchanged(body, event)


@pytest.mark.parametrize("depth", [10, 300, 900, 1000, 5000, 100_000])
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"code":', "}"), ('{"message":', "}")])
def test_deep_nesting(depth: int, status: int, opening: str, closing: str) -> None:
    """However deeply an answer is nested, it becomes an error of ours."""
    content = f'{{"id": "x", "code": {opening * depth}1{closing * depth}}}'.encode()
    assert isinstance(read(CALLS[0], status, content), RequestError)


@pytest.mark.parametrize(
    "content",
    [
        b'{"id": ' + b"9" * 100_000 + b"}",
        b'{"code": ' + b"9" * 4000 + b"}",
        b'{"code": 1e999, "message": NaN}',
        b'{"id": "\xff\xfe"}',
        b'{"id": "\\ud800"}',
        '{"id": "x"}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
        b"\x00" * 100,
        b'{"a": 1' * 1000,
        b'"' + b"\\" * 9999,
    ],
    ids=ascii,
)
@pytest.mark.parametrize("status", [200, 400, 500])
def test_odd_answers(status: int, content: bytes) -> None:
    """Huge numbers, broken text and half an answer become errors of ours."""
    assert isinstance(read(CALLS[0], status, content), RequestError)


# -- patches and new events ---------------------------------------------------------------------------------


class OddText(str):
    """Text that native rendering might hand over."""


class OddMapping(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __getitem__(self, key: str) -> Any:
        return {"id": "x"}[key]

    def __iter__(self) -> Any:
        return iter(("id",))

    def __len__(self) -> int:
        return 1


# What a template may leave behind when Airflow renders to native objects, and what Python code may hand over.
ODDITIES: list[Callable[[], Any]] = [
    lambda: b"bytes",
    lambda: bytearray(b"x"),
    lambda: memoryview(b"x"),
    lambda: {1, 2},
    lambda: frozenset({"a"}),
    lambda: ("a", "b"),
    lambda: deque(["a"]),
    lambda: range(3),
    lambda: (number for number in range(3)),
    lambda: OrderedDict(id="x"),
    lambda: MappingProxyType({"id": "x"}),
    OddMapping,
    lambda: OddText("2027-03-02T10:00"),
    lambda: {1: "x"},
    lambda: {None: "x"},
    lambda: {("a",): "x"},
    lambda: Decimal("1.5"),
    lambda: Decimal("NaN"),
    lambda: Fraction(1, 3),
    lambda: 10**5000,
    lambda: complex(1, 2),
    lambda: math.inf,
    lambda: math.nan,
    lambda: dt.datetime(2027, 3, 2, 10, tzinfo=dt.UTC),
    lambda: dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=14))),
    lambda: dt.datetime.max.replace(tzinfo=dt.timezone(dt.timedelta(hours=-14))),
    lambda: dt.datetime.max,  # noqa: DTZ901  # that is the point
    lambda: dt.date.max,
    lambda: dt.time(10),
    lambda: dt.timedelta(days=1),
    lambda: pendulum.datetime(2027, 3, 2, tz="Asia/Shanghai"),
    lambda: pendulum.duration(days=1),
    lambda: pendulum.timezone("Asia/Shanghai"),
    uuid4,
    object,
    lambda: object,
    lambda: len,
    lambda: SimpleNamespace(id="x"),
    lambda: ValueError("x"),
    lambda: ...,
    lambda: NotImplemented,
    lambda: EventPatch.parse({"summary": "x"}),
]
HANDED_OVER = st.recursive(
    st.sampled_from(ODDITIES).map(lambda make: make()) | st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=8,
)
FIELDS = [*WHOLE, "online_meeting", "notify_push", "notify_chat", "is_all_day", "rich_text_description", "id"]
INPUT = st.dictionaries(st.sampled_from(FIELDS), HANDED_OVER | st.sampled_from(list(WHOLE.values())), max_size=5)


@pytest.mark.parametrize("kind", [EventPatch, NewEvent], ids=lambda kind: kind.__name__)
@given(
    given_=INPUT | HANDED_OVER,
    timezone=st.none() | st.just("Asia/Shanghai") | TEXTS,
    clear=st.lists(st.sampled_from(["summary", "description", "reminders"]) | TEXTS, max_size=2),
    unchecked=st.none() | st.dictionaries(TEXTS, HANDED_OVER, max_size=2),
)
def test_anything_handed_over(kind: Any, given_: Any, timezone: Any, clear: list[str], unchecked: Any) -> None:
    """Whatever Python object is given as a patch or a new event: a body that is JSON, or InvalidPatchError."""
    options = {"clear": clear} if kind is EventPatch else {}
    try:
        model = kind.parse(given_, timezone=timezone, unchecked_fields=unchecked, **options)
        body = model.to_body(EVENT) if kind is EventPatch else model.to_body()
    except InvalidPatchError as error:
        assert str(error).isprintable()
        return
    assert json.loads(json.dumps(body, allow_nan=False)) == body


@pytest.mark.parametrize("make", ODDITIES, ids=range(len(ODDITIES)))
@pytest.mark.parametrize("field", ["summary", "start", "reminders", "is_all_day", "attendees", "extra", "recurrence"])
def test_each_oddity_in_each_kind_of_field(field: str, make: Callable[[], Any]) -> None:
    """Every kind of Python object, in every kind of field, is taken as what it says or refused by its path."""
    try:
        body = EventPatch.parse({field: make()}, timezone="Asia/Shanghai").to_body(EVENT)
    except InvalidPatchError as error:
        assert all(problem.path.startswith("patch") for problem in error.problems)
    else:
        assert json.loads(json.dumps(body, allow_nan=False)) == body


def test_native_templates_of_every_type(dag: Callable[..., Run], dingtalk: Emulator) -> None:
    """With native rendering, whatever type a template comes out as, the patch is sent or the task fails saying why."""
    wrong = ["{{ ti }}", "{{ 1.5 }}", "{{ macros }}"]
    tasks = "\n".join(
        f'Patch(task_id="t{number}", union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"reminders": "{text}"}})'
        for number, text in enumerate(wrong)
    )
    run = dag(tasks, native=True)
    assert [run.state(f"t{number}") for number in range(len(wrong))] == ["failed"] * len(wrong)
    assert dingtalk.effects["updates"] == []
