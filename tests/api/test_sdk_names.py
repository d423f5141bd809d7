"""What goes over the wire has the names of DingTalk's official SDK, frozen in ``data/sdk_names.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from tests.models.test_event_patch import ALL_DAY, WHOLE

FROZEN = json.loads((Path(__file__).parent.parent / "data" / "sdk_names.json").read_text())["operations"]

DAY = ("2027-03-02T00:00:00+08:00", "2027-03-03T00:00:00+08:00")
WINDOW = dict(zip(("time_min", "time_max"), DAY, strict=True))
TIMES = dict(zip(("start_time", "end_time"), DAY, strict=True))
PAGE = {"max_results": 10, "next_token": "n"}

# Every call there is, with every parameter it takes; a legacy one is not in the SDK.
CALLS: list[api.Call[Any]] = [
    api.get_event("u", "e", max_attendees=1),
    api.list_events("u", **WINDOW, **PAGE, show_deleted=True, max_attendees=1, sync_token="s", series_master_id="m"),  # type: ignore[arg-type]
    api.list_events_view("u", **WINDOW, **PAGE, max_attendees=1),  # type: ignore[arg-type]
    api.list_instances("u", "e", **WINDOW, **PAGE, max_attendees=1),  # type: ignore[arg-type]
    api.create_event("u", {"summary": "x", "start": WHOLE["start"]}),
    api.patch_event("u", "e", EventPatch.parse(WHOLE)),
    api.patch_event("u", "e", EventPatch.parse(ALL_DAY)),
    api.delete_event("u", "e", push_notification=True),
    api.add_attendees("u", "e", [{"id": "a", "isOptional": True}], push_notification=True, chat_notification=True),
    api.remove_attendees("u", "e", ["a"]),
    api.list_attendees("u", "e", **PAGE),  # type: ignore[arg-type]
    api.respond_event("u", "e", "accepted"),
    api.list_calendars("u"),
    api.list_meeting_rooms("u", **PAGE),  # type: ignore[arg-type]
    api.add_meeting_rooms("u", "e", ["r"]),
    api.remove_meeting_rooms("u", "e", ["r"]),
    api.get_schedule("u", ["u"], **TIMES),
    api.get_meeting_rooms_schedule("u", ["r"], **TIMES),
    api.get_me(),
    api.get_access_token("k", "s"),
    api.get_unified_token("c", "k", "s"),
    api.get_corp_access_token("k", "s", "c", "t"),
    api.get_user_token("k", "s", code="c"),
    api.get_user_token("k", "s", refresh_token="r"),
]
NOT_IN_THE_SDK = {"get_user_by_staff_id"}
each_call = pytest.mark.parametrize("call", CALLS, ids=lambda call: call.action)


def names(body: Any) -> Iterator[str]:
    """Name the members of a body, however deep; those of ``extra`` are free."""
    if isinstance(body, list):
        for one in body:
            yield from names(one)
    elif isinstance(body, dict):
        for name, value in body.items():
            yield name
            yield from () if name == "extra" else names(value)


@each_call
def test_method_and_path(call: api.Call[Any]) -> None:
    """Each call goes where the SDK sends the action of that name."""
    frozen = FROZEN[call.action]
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(frozen["path"]))
    assert call.method == frozen["method"]
    assert re.fullmatch(pattern, call.path)


@each_call
def test_names_of_parameters_and_members(call: api.Call[Any]) -> None:
    """Nothing is sent under a name that the SDK does not know."""
    frozen = FROZEN[call.action]
    assert set(call.params) <= set(frozen["query"])
    assert set(call.json or {}) <= set(frozen["body"])
    assert set(names(call.json)) <= set(frozen["members"])
    assert set(call.headers) <= set(frozen["headers"])


@each_call
def test_every_parameter_of_the_sdk_can_be_sent(call: api.Call[Any]) -> None:
    """No query parameter is missing here."""
    assert set(call.params) == set(FROZEN[call.action]["query"])


def test_a_client_token_goes_where_the_sdk_sends_one() -> None:
    """Exactly the calls whose SDK counterpart has the header send a client token."""
    frozen = {action for action, operation in FROZEN.items() if "x-client-token" in operation["headers"]}
    assert {call.action for call in CALLS if "x-client-token" in call.headers} == frozen


def test_no_operation_is_left_out() -> None:
    """Every function that makes a call is compared here, and nothing frozen is unused."""
    no_calls = {"AccessToken", "Call", "Event", "Json", "check_id", "next_page", "split_batches"}
    no_calls |= {"patch_event_body", "probe_write"}  # PatchEvent once more
    no_calls |= {"resolve_staff_ids", "find_free_times"}  # others, several times
    made = set(api.__all__) - no_calls - NOT_IN_THE_SDK
    assert len(made) == len({call.action for call in CALLS})
    assert {call.action for call in CALLS} == set(FROZEN)
