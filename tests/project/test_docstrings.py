"""The reference describes every parameter once, says which are templated, and links a guide for each task.

What several of them take is described in one place: the docstrings of the others name it, as "Shared parameters: see …"
or "Like …", and the tests follow it there.
"""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest

from airflow_dingtalk_calendar import edits, plans
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook, client_token_for
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.rrule import to_rrule

ROOT = Path(__file__).parents[2]
HOWTO = ROOT / "docs" / "howto"
READ = [
    *sorted((ROOT / "airflow_dingtalk_calendar").rglob("*.py")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *ROOT.glob("*.md"),
]
# Say reported, notified, received; fixed, retried, transient, non-retryable; obtains; applied, sent; impossible.
METAPHORS = re.compile(
    r"(?<![a-z])(?:told|tells? of|hears? of|heard of|mend(?:s|ed|ing)?|hopeless|sights?|for ever"
    r"|pass by (?:it|them)sel\w+|failures? that may pass|comes? by (?:a|its) token"
    r"|carr(?:y|ies|ied|ying)(?: \w+){0,2} out)(?![a-z])",
    re.IGNORECASE,
)
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


TASKS = list(tasks())
LONG = 90  # characters: a shorter description takes one line, and is read faster than a reference


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__qualname__)
def test_each_parameter_of_a_function_is_described(function: Callable[..., Any]) -> None:
    """A docstring has each parameter of the function and no other, or names the function that has those they share."""
    text = inspect.getdoc(function)
    assert text
    taken, own = names(function), {name for name, _ in own_parameters(text)}
    assert own <= taken <= {name for name, _ in parameters(text)}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_each_argument_of_a_task_is_described_once(task: type) -> None:
    """The docstring of a task, with those of the bases that it names, has each of its arguments once, and no other."""
    found = [name for name, _ in parameters(inspect.getdoc(task) or "")]
    assert sorted(found) == sorted(names(task.__init__))  # type: ignore[misc]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_arguments_that_a_task_shares_are_those_of_its_bases(task: type) -> None:
    """Where shared arguments are described is a class that the task inherits from."""
    assert set(shared_places(inspect.getdoc(task) or "")) <= set(inspect.getmro(task))


def test_no_description_of_a_parameter_stands_twice() -> None:
    """What takes more than a line to describe is described in one docstring, and the others name that."""
    texts = {inspect.getdoc(one) or "" for one in (*FUNCTIONS, *TASKS)}  # twins have the same docstring
    found = Counter(stated for text in texts for _, stated in own_parameters(text) if len(stated) > LONG)
    assert [stated for stated, times in found.items() if times > 1] == []


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_templated_parameters_say_so(task: type) -> None:
    """The description of a parameter ends with ``(templated)`` exactly if it is in ``template_fields``."""
    templated = names(task.__init__).intersection(getattr(task, "template_fields", ()))  # type: ignore[misc]
    marked = {name for name, stated in parameters(inspect.getdoc(task) or "") if stated.endswith(" (templated)")}
    assert marked == templated


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
def test_each_task_links_its_guide(task: type) -> None:
    """The docstring of an operator, a sensor or a trigger links one how-to guide, which exists."""
    (guide,) = re.findall(r"^\.\. seealso:: .*:doc:`/howto/(\w+)`\.$", inspect.getdoc(task) or "", re.MULTILINE)
    assert (HOWTO / f"{guide}.md").is_file()


@pytest.mark.parametrize("file", READ, ids=lambda file: str(file.relative_to(ROOT)))
def test_modules_and_pages_speak_the_terms_of_the_field(file: Path) -> None:
    """No module or page has one of the metaphors that they once had for reporting and retrying."""
    assert METAPHORS.findall(file.read_text(encoding="utf-8")) == []


def parameters(text: str) -> list[tuple[str, str]]:
    """Read each parameter of a docstring with its description, and those of the docstrings that it names for it."""
    shared = [parameters(inspect.getdoc(place) or "") for place in shared_places(text)]
    return [*own_parameters(text), *chain.from_iterable(shared)]


def own_parameters(text: str) -> list[tuple[str, str]]:
    """Read each parameter that stands in a docstring with its description, on one line."""
    found = re.findall(r"^:param (\w+): (.*(?:\n    .*)*)", text, re.MULTILINE)
    return [(name, " ".join(stated.split())) for name, stated in found]


def shared_places(text: str) -> list[Any]:
    """Find the class or function whose docstring describes shared parameters; a short name is a method of the hook."""
    targets = re.findall(r"^(?:Shared parameters: see|Like) :\w+:`~?([\w.]+)`[.,]", text, re.MULTILINE)
    return [resolve_name(one) if "." in one else getattr(DingTalkCalendarHook, one) for one in targets]


def names(function: Callable[..., Any]) -> set[str]:
    """Return the parameters of a function, without those that are the language's or Airflow's."""
    return set(inspect.signature(function).parameters) - {"self", "kwargs"}
