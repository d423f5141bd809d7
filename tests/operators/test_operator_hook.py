"""The operators' hook: made when a task first asks for it, closed by execute, and left out of copies."""

from __future__ import annotations

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.operators.attendee import DingTalkCalendarAddAttendeesOperator
from airflow_dingtalk_calendar.operators.base import CalendarOperator
from airflow_dingtalk_calendar.operators.event import (
    DingTalkCalendarGetEventOperator,
    DingTalkCalendarPatchEventOperator,
)
from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarDeleteEventOperator
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from tests.airflow_runs import Run, Ti
from tests.conftest import EVENT, ORGANIZER

ONE = {"union_id": ORGANIZER, "event_id": EVENT}
TASKS: Sequence[tuple[type[Any], dict[str, Any]]] = [
    (DingTalkCalendarGetEventOperator, ONE),
    (DingTalkCalendarPatchEventOperator, {**ONE, "patch": {"summary": "New"}}),
    (DingTalkCalendarListEventsOperator, {"union_id": ORGANIZER}),
    (DingTalkCalendarAddAttendeesOperator, {**ONE, "attendees": ["iiPnew"]}),
    (DingTalkCalendarDeleteEventOperator, ONE),
    (
        DingTalkCalendarApplyPlanOperator,
        {"union_id": ORGANIZER, "plan": [{"event_id": EVENT, "patch": {"summary": "New"}}]},
    ),
    (DingTalkCalendarEventSensor, {**ONE, "responses": {"accepted": 1}}),
]


def make(kind: type[Any] = DingTalkCalendarGetEventOperator, /, **arguments: Any) -> Any:
    """Make an operator."""
    return kind(task_id="t", **{**ONE, **arguments})


def test_nothing_is_imported_for_it_at_parse_time() -> None:
    """Defining tasks imports no hook; asking for one does."""
    script = """
import sys
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarGetEventOperator as Get
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Sensor
get, wait = Get(task_id="g", union_id="u", event_id="e"), Sensor(task_id="s", union_id="u", event_id="e", ended=True)
name = "airflow_dingtalk_calendar.hooks.calendar"
print(">", name in sys.modules, get.hook is not wait.hook, name in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "> False True True" in done.stdout


@pytest.mark.parametrize(("kind", "arguments"), TASKS)
def test_every_task_has_one(dingtalk: Emulator, kind: type[Any], arguments: dict[str, Any]) -> None:
    """The first use makes the hook of the connection, execute uses that one and closes it."""
    task = kind(task_id="t", **arguments)
    hook = task.hook
    assert hook is task.hook
    assert hook.dingtalk_conn_id == "dingtalk_default"
    assert hook._settings is None  # nothing is read before the first call
    task.execute({"ti": Ti()})
    assert hook._settings is not None
    assert "_transport" not in vars(hook)


def test_use_after_execute_opens_anew(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """After execute, task and caller can go on; the task's next hook reads the connection anew."""
    task = make()
    kept = task.hook
    task.execute({"ti": Ti()})
    assert kept.get_event(ORGANIZER, EVENT)["id"] == EVENT
    connect({"timeout": 7})
    assert task.hook.get_conn().timeout == 7
    assert task.hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    kept.close()
    task.hook.close()


def test_execute_closes_after_a_failure(dingtalk: Emulator) -> None:
    """A task that fails closes its hook, too."""
    task = make(event_id="missing")
    hook = task.hook
    with pytest.raises(AirflowFailException):
        task.execute({"ti": Ti()})
    assert "_transport" not in vars(hook)


def test_it_follows_the_connection_id(dingtalk: Emulator) -> None:
    """A hook of another connection is not used, and none is made of a template."""
    task = make(dingtalk_conn_id="{{ params.conn }}")
    with pytest.raises(InvalidInputError, match="dingtalk_conn_id"):
        task.hook  # noqa: B018
    task.render_template_fields({"params": {"conn": "first"}})
    first = task.hook
    assert first.dingtalk_conn_id == "first"
    task.dingtalk_conn_id = "second"
    assert task.hook.dingtalk_conn_id == "second"
    assert task.hook is not first


def test_templates_see_no_hook(dingtalk: Emulator) -> None:
    """A template gets at no hook, and so at no secret, of any operator; the task itself does afterwards."""
    asked = "{{ task.hook is defined }} {{ other.hook is defined }}"
    task = make(event_id=asked)
    task.render_template_fields({"task": task, "other": make()})
    assert task.event_id.split() == ["False", "False"]
    assert task.hook
    with pytest.raises(Exception, match="has no attribute 'hook'"):
        make(event_id="{{ task.hook.get_conn().app_secret }}").render_template_fields({"task": task})
    assert task.hook


@pytest.mark.parametrize("value", ["{% if x %}", "{{ x }}", None, 7])
def test_what_is_no_connection_id_fails(dingtalk: Emulator, value: Any) -> None:
    """What was not rendered, or to something else than text, fails the task and names the argument."""
    with pytest.raises(AirflowFailException, match="dingtalk_conn_id"):
        make(dingtalk_conn_id=value).execute({"ti": Ti()})


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda task: pickle.loads(pickle.dumps(task))])  # noqa: S301
@pytest.mark.parametrize("kind", [DingTalkCalendarGetEventOperator, DingTalkCalendarEventSensor])
def test_copies_have_their_own(dingtalk: Emulator, kind: type[Any], copied: Callable[[Any], Any]) -> None:
    """Copies and pickles of a task whose hook has open sockets work, and have a hook of their own."""
    task = make(kind, **({"ended": True} if kind is DingTalkCalendarEventSensor else {}))
    hook = task.hook
    hook.get_event(ORGANIZER, EVENT)
    other = copied(task)
    assert "_hook" not in vars(other) or vars(other)["_hook"] is None
    assert other.hook is not hook
    assert other.hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    assert task.hook is hook
    hook.close()
    other.hook.close()


def test_a_subclass_may_bring_its_own(dingtalk: Emulator) -> None:
    """Execute uses and closes the hook of a subclass that overrides it."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    made = DingTalkCalendarHook()

    class Own(DingTalkCalendarGetEventOperator):
        hook = made  # type: ignore[assignment]

    assert make(Own).execute({"ti": Ti()})["id"] == EVENT
    assert made._settings is not None
    assert "_transport" not in vars(made)


DAG_FILE = f"""
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarGetEventOperator as Get

class Twice(Get):
    def pre_execute(self, context):
        self.asked = [self.hook.dingtalk_conn_id]

    def execute(self, context):
        first = super().execute(context)["id"]
        second = self.hook.get_event(self.union_id, self.event_id)["id"]
        self.hook.close()
        return [*self.asked, self.hook.dingtalk_conn_id, first == second == self.event_id]

one = {{"union_id": "{ORGANIZER}", "event_id": "{EVENT}"}}
plain = Twice(task_id="plain", **one)
plain.hook  # as an operator's link or a listener might
Twice(task_id="default", default_args={{"dingtalk_conn_id": "other"}}, **one)
Twice(task_id="templated", dingtalk_conn_id="{{{{ params.none or 'other' }}}}", **one)
mapped = Twice.partial(task_id="mapped", union_id="{ORGANIZER}", dingtalk_conn_id="{{{{ 'other' }}}}")
mapped.expand(event_id=["{EVENT}"] * 2)
Twice.partial(task_id="conns", **one).expand(dingtalk_conn_id=["other", "dingtalk_default"])
"""


def test_real_tasks_have_one(dag: Callable[..., Run], dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain, with default_args, templated and mapped: each task of a run has the hook of its own connection."""
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", json.dumps(dingtalk.connection()))
    run = dag(DAG_FILE)
    assert run.xcom("plain") == ["dingtalk_default", "dingtalk_default", True]
    assert run.xcom("default") == ["other", "other", True]
    assert run.xcom("templated") == ["other", "other", True]
    assert [run.xcom("mapped", map_index=index) for index in (0, 1)] == [["other", "other", True]] * 2
    assert run.xcom("conns", map_index=0) == ["other", "other", True]
    assert run.xcom("conns", map_index=1) == ["dingtalk_default", "dingtalk_default", True]


def test_a_serialized_task_has_none() -> None:
    """What Airflow stores of a task is the same whether somebody has asked for its hook or not."""
    from airflow.providers.common.compat.sdk import DAG
    from airflow.serialization import serialized_objects

    format_names = ("DagSerialization", "SerializedDAG")  # since Airflow 3.2, and before
    stored_format: Any = next(filter(None, (getattr(serialized_objects, name, None) for name in format_names)))

    def stored(*, asked: bool) -> Any:
        with DAG("d", schedule=None) as dag:
            task = make()
        if asked:
            assert isinstance(task, CalendarOperator)
            assert task.hook
        return stored_format.to_dict(dag)

    assert stored(asked=True) == stored(asked=False)
    assert stored_format.from_dict(stored(asked=True)).get_task("t").dingtalk_conn_id == "dingtalk_default"
    assert '"_hook"' not in json.dumps(stored(asked=True), default=str)
