"""The hook's methods are ordinary ones: tools read their types, source and documentation."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from types import FunctionType
from typing import Any, get_type_hints

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.hooks.methods import attendees, event_lists, events, meeting_rooms, users

GROUPS = (
    events.EventMethods,
    event_lists.EventListMethods,
    attendees.AttendeeMethods,
    meeting_rooms.MeetingRoomMethods,
    users.UserMethods,
)
METHODS = {name: method for group in GROUPS for name, method in vars(group).items() if isinstance(method, FunctionType)}
# Of a call's parameters, what the hook takes from the connection or adds to it.
ENDPOINTS = set(api.__all__) & {name.removeprefix("a") for name in METHODS} | set(api.__all__) & set(METHODS)


def test_every_endpoint_has_two_methods() -> None:
    """Each call of the API can be made from a thread and from a coroutine, but those that obtain tokens or probe."""
    calls = {name for name in api.__all__ if isinstance(getattr(api, name), FunctionType)}
    inner = {"check_id", "next_page", "split_batches", "patch_event_body", "probe_write"}
    tokens = {name for name in calls if name.endswith("_token")}
    assert calls - inner - tokens == {name for name in METHODS if f"a{name}" in METHODS}
    assert len(METHODS) == 2 * len(calls - inner - tokens)


@pytest.mark.parametrize("name", METHODS)
def test_types_resolve_at_run_time(name: str) -> None:
    """Every annotation of every method means something to tools that read it."""
    hints = get_type_hints(getattr(DingTalkCalendarHook, name))
    assert set(hints) == {*inspect.signature(METHODS[name]).parameters, "return"} - {"self"}


@pytest.mark.parametrize("name", METHODS)
def test_source_and_documentation(name: str) -> None:
    """A method's source is its own, and its docstring says what it costs; its parameters: test_docstrings.py."""
    method = getattr(DingTalkCalendarHook, name)
    assert f"def {name}(" in inspect.getsource(method)
    assert "etered" in (inspect.getdoc(method) or "")


@pytest.mark.parametrize("name", [name for name in METHODS if f"a{name}" in METHODS])
def test_both_methods_take_the_same(name: str) -> None:
    """What a method takes and returns, its twin for coroutines takes and returns."""
    method, twin = METHODS[name], METHODS[f"a{name}"]
    assert inspect.signature(method) == inspect.signature(twin)
    assert inspect.iscoroutinefunction(twin)
    assert not inspect.iscoroutinefunction(method)


@pytest.mark.parametrize("name", sorted(ENDPOINTS - {"patch_event", "create_event"}))
def test_a_method_takes_what_its_call_takes(name: str) -> None:
    """No parameter of a call is lost on the way, none has another default."""
    of_call: Callable[..., Any] = getattr(api, name)
    expected = [(one.name, one.kind, one.default) for one in inspect.signature(of_call).parameters.values()]
    _, *taken = inspect.signature(METHODS[name]).parameters.values()
    assert [(one.name, one.kind, one.default) for one in taken] == expected


def test_tracebacks_name_the_method() -> None:
    """An error of a wrong argument leads through the method that was called."""
    with pytest.raises(InvalidInputError) as failure:
        DingTalkCalendarHook().get_event("", "event")
    assert "get_event" in [frame.name for frame in traceback.extract_tb(failure.tb)]


def test_language_models_see_schemas() -> None:
    """Airflow's toolset of hook methods knows the type and the meaning of each parameter of a patch."""
    toolsets = pytest.importorskip("airflow.providers.common.ai.toolsets.hook", reason="needs common-ai")
    schema, _ = toolsets._introspect_signature(DingTalkCalendarHook().patch_event)
    properties = schema["properties"]
    assert schema["required"] == ["union_id", "event_id", "patch"]
    assert properties["union_id"] == {"type": "string"}
    assert {"type": "object"} in properties["patch"]["anyOf"]
    assert properties["repeat_meeting"] == {"type": "boolean"}
