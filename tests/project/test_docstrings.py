"""The reference describes every parameter, says which are templated, and links a guide for each task."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar import edits, plans
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook, client_token_for
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.rrule import to_rrule

HOWTO = Path(__file__).parents[2] / "docs" / "howto"
CLASSES = (DingTalkCalendarHook, EventPatch, NewEvent)


def members(owner: Any) -> Iterator[Callable[..., Any]]:
    """Find the methods that a class of ours shows."""
    bases = [base for base in inspect.getmro(owner) if base.__module__.startswith("airflow_ding")]
    for name in sorted({name for base in bases for name in vars(base)}):
        found = getattr(owner, name)
        if not name.startswith(("_", "model_")) and (inspect.isfunction(found) or inspect.ismethod(found)):
            yield found


def tasks() -> Iterator[type]:
    """Find the operators, sensors and triggers that the provider lists."""
    info = get_provider_info()
    for entry in (*info["operators"], *info["sensors"], *info["triggers"]):
        for name in entry["python-modules"]:
            module = import_module(name)
            yield from (one for one in vars(module).values() if getattr(one, "__module__", "") == name and is_task(one))


def is_task(one: Any) -> bool:
    """Return whether something is a class for DAG authors."""
    return inspect.isclass(one) and one.__name__.startswith("DingTalk")


FUNCTIONS = [
    *(getattr(face, name) for face in (edits, plans) for name in face.__all__),
    *(method for owner in CLASSES for method in members(owner)),
    to_rrule,
    client_token_for,
]


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_each_parameter_of_a_function_is_described(function: Callable[..., Any]) -> None:
    """A docstring has each parameter of the function, and no other."""
    text = inspect.getdoc(function)
    assert text
    if ":meth:" not in text:  # a twin for coroutines refers to the other
        assert described(text) == names(function)


@pytest.mark.parametrize("task", list(tasks()), ids=lambda task: task.__name__)
def test_each_argument_of_a_task_is_described(task: type) -> None:
    """The docstring of an operator, a sensor or a trigger has each of its arguments, and no other."""
    assert described(inspect.getdoc(task) or "") == names(task.__init__)  # type: ignore[misc]


@pytest.mark.parametrize("task", list(tasks()), ids=lambda task: task.__name__)
def test_templated_parameters_say_so(task: type) -> None:
    """The description of a parameter ends with ``(templated)`` exactly if it is in ``template_fields``."""
    templated = names(task.__init__).intersection(getattr(task, "template_fields", ()))  # type: ignore[misc]
    marked = {name for name, text in descriptions(inspect.getdoc(task) or "") if text.endswith(" (templated)")}
    assert marked == templated


@pytest.mark.parametrize("task", list(tasks()), ids=lambda task: task.__name__)
def test_each_task_links_its_guide(task: type) -> None:
    """The docstring of an operator, a sensor or a trigger links one how-to guide, which exists."""
    (guide,) = re.findall(r"^\.\. seealso:: .*:doc:`/howto/(\w+)`\.$", inspect.getdoc(task) or "", re.MULTILINE)
    assert (HOWTO / f"{guide}.md").is_file()


def descriptions(text: str) -> list[tuple[str, str]]:
    """Read each parameter of a docstring with its description, on one line."""
    found = re.findall(r"^:param (\w+): (.*(?:\n    .*)*)", text, re.MULTILINE)
    return [(name, " ".join(said.split())) for name, said in found]


def described(text: str) -> set[str]:
    """Read which parameters a docstring describes."""
    return set(re.findall(r"^:param (\w+):", text, re.MULTILINE))


def names(function: Callable[..., Any]) -> set[str]:
    """Return the parameters of a function, without those that are the language's or Airflow's."""
    return set(inspect.signature(function).parameters) - {"self", "kwargs"}
