"""What ``soft_fail`` and ``never_fail`` skip, in each mode: a condition that is not met, never a misconfiguration."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    TaskDeferred,
)

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
from airflow_dingtalk_calendar.triggers.event import DingTalkCalendarEventTrigger
from tests.airflow_runs import Run, Ti
from tests.conftest import EVENT, ORGANIZER

# On 2.11 a sensor in mode reschedule asks the database when its first try began.
pytestmark = pytest.mark.usefixtures("airflow_db")

MODES = {"poke": {"mode": "poke"}, "reschedule": {"mode": "reschedule"}, "deferrable": {"deferrable": True}}
ASKED = ["soft_fail", "never_fail"]
WRONG_ARGUMENTS: list[dict[str, Any]] = [
    {"exists": True, "cancelled": True},
    {},
    {"starts_within": "soon"},
    {"exists": True, "event_id": ""},
    {"fields": {"titel": "x"}},
]
REFUSALS: list[dict[str, Any]] = [
    {"status": 403, "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"},
    {"status": 403, "code": "Forbidden.AccessDenied.IpNotInWhiteList"},
    {"status": 403, "code": "Forbidden.AccessDenied.ApiCountLimitForOrg"},
    {"status": 400, "code": "invalidParameter"},
]


def sensor(mode: str, asked: str | None, **arguments: Any) -> DingTalkCalendarEventSensor:
    """Make a sensor outside of a DAG."""
    flags = {asked: True} if asked else {}
    given = {"union_id": ORGANIZER, "event_id": EVENT, **MODES[mode], **flags, **arguments}
    return DingTalkCalendarEventSensor(task_id="wait", **given)


class Instance(Ti):
    """A task instance that has not been rescheduled."""

    def get_first_reschedule_date(self, context: Any) -> None:
        """Return no date."""


def executed(mode: str, asked: str | None, **arguments: Any) -> Any:
    """Execute a sensor."""
    return sensor(mode, asked, **arguments).execute({"ti": Instance()})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("arguments", WRONG_ARGUMENTS, ids=str)
def test_wrong_arguments_fail(dingtalk: Emulator, mode: str, asked: str, arguments: dict[str, Any]) -> None:
    """A wrong argument fails the task."""
    with pytest.raises(AirflowFailException):
        executed(mode, asked, **arguments)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda refusal: refusal["code"])
def test_refusals_fail(dingtalk: Emulator, mode: str, asked: str, refusal: dict[str, Any]) -> None:
    """A missing permission, a used-up quota or a refused request fails the task."""
    dingtalk.fault(action="GetEvent", kind="error", times=None, **refusal)
    with pytest.raises(AirflowFailException, match=refusal["code"]):
        executed(mode, asked, starts_within=0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED)
def test_wrong_credentials_fail(connect: Callable[..., None], mode: str, asked: str) -> None:
    """A wrong secret, or a connection that is wrong, fails the task."""
    for change in ({"password": "wrong"}, {"host": "ftp://x"}, {"extra": {"timeout": -1}}):
        connect(**change)
        with pytest.raises(AirflowFailException):
            executed(mode, asked, starts_within=0)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED)
def test_a_missing_connection_fails(dingtalk: Emulator, mode: str, asked: str) -> None:
    """A connection that is not there fails the task, to be tried again: a secrets backend may be down."""
    with pytest.raises(AirflowNotFoundException):
        executed(mode, asked, exists=True, dingtalk_conn_id="nowhere")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("asked", ASKED)
def test_waiting_in_vain_skips(dingtalk: Emulator, said: pytest.LogCaptureFixture, mode: str, asked: str) -> None:
    """An event that is gone skips the task, and the log says why."""
    with pytest.raises(AirflowSkipException, match="Event gone is not there"):
        executed(mode, asked, starts_within=0, event_id="gone")
    assert "Skipped instead of failed: Event gone is not there" in said.text


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
@pytest.mark.parametrize("asked", ASKED)
def test_a_time_out_skips(dingtalk: Emulator, said: pytest.LogCaptureFixture, mode: str, asked: str) -> None:
    """A time-out skips the task, and the log says why."""
    with pytest.raises(AirflowSkipException, match="timed out"):
        executed(mode, asked, cancelled=True, timeout=0)
    assert "Skipped instead of failed: Sensor has timed out" in said.text


@pytest.mark.parametrize("mode", ["poke", "reschedule"])
def test_what_nobody_has_foreseen(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, mode: str) -> None:
    """A fault of the program is skipped with never_fail, which means any failure, and raised with soft_fail."""

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(DingTalkCalendarEventSensor, "_event_target", broken)
    with pytest.raises(ZeroDivisionError):
        executed(mode, "soft_fail", exists=True)
    with pytest.raises(AirflowSkipException, match="by zero"):
        executed(mode, "never_fail", exists=True)


def fired(arguments: dict[str, Any]) -> dict[str, Any]:
    """Run the trigger of a sensor that has deferred, at its deadline, and return what it fires."""

    async def first(trigger: DingTalkCalendarEventTrigger) -> Any:
        return await anext(trigger.run())

    return dict(asyncio.run(first(DingTalkCalendarEventTrigger(**{**arguments, "wake": 0.0, "deadline": 0.0}))).payload)


@pytest.mark.parametrize("asked", [*ASKED, None])
@pytest.mark.parametrize(
    ("change", "fails"),
    [
        ({"fault": REFUSALS[0]}, AirflowFailException),
        ({"secret": "wrong"}, AirflowFailException),
        ({"conn_id": "nowhere"}, AirflowNotFoundException),
        ({"event_id": "gone"}, None),
        ({}, None),
    ],
    ids=str,
)
def test_after_the_triggerer(
    dingtalk: Emulator,
    connect: Callable[..., None],
    said: pytest.LogCaptureFixture,
    change: dict[str, Any],
    fails: type[Exception] | None,
    asked: str | None,
) -> None:
    """What goes wrong in the triggerer fails or skips the task as it would in the worker."""
    from airflow_dingtalk_calendar.client import token_cache

    with pytest.raises(TaskDeferred) as deferred:
        sensor("deferrable", asked, cancelled=True).execute({})  # type: ignore[typeddict-item]
    if "event_id" in change:
        with pytest.raises(TaskDeferred) as deferred:
            sensor("deferrable", asked, starts_within=0).execute({})  # type: ignore[typeddict-item]
    arguments = deferred.value.trigger.serialize()[1]
    if "fault" in change:
        dingtalk.fault(action="GetEvent", kind="error", times=None, **change["fault"])
    if "secret" in change:
        token_cache.TOKEN_CACHE.clear()
        connect(password=change["secret"])
    if "conn_id" in change:
        arguments["dingtalk_conn_id"] = change["conn_id"]
    if "event_id" in change:
        arguments["event_id"] = change["event_id"]
    result = json.loads(json.dumps(fired(arguments)))
    resumed = sensor("deferrable", asked, cancelled=True)
    expected = fails or (AirflowSkipException if asked else Exception)
    with pytest.raises(expected) as caught:
        resumed.resume_execution("execute_complete", {"event": result}, {})  # type: ignore[typeddict-item]
    assert isinstance(caught.value, AirflowSkipException) == (fails is None and asked is not None)
    assert ("Skipped instead of failed" in said.text) == isinstance(caught.value, AirflowSkipException)


@pytest.mark.parametrize("mode", MODES)
def test_in_a_real_run(dag: Callable[..., Run], dingtalk: Emulator, mode: str) -> None:
    """In Airflow itself a misconfigured sensor fails, and one whose event is gone is skipped."""
    dingtalk.fault(action="GetEvent", kind="error", skip=1, times=None, **REFUSALS[0])
    how = MODES[mode]
    run = dag(
        f"""
        from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait
        given = dict(union_id="{ORGANIZER}", starts_within=0, soft_fail=True, **{how!r})
        Wait(task_id="gone", event_id="gone", **given) >> Wait(
            task_id="refused", event_id="{EVENT}", trigger_rule="all_done", **given
        )
        """
    )
    assert (run.state("gone"), run.state("refused")) == ("skipped", "failed")


@pytest.mark.parametrize("error", ["Trigger timeout", "Trigger/execution timeout"])
def test_a_triggerer_that_is_down(error: str) -> None:
    """A time-out of Airflow's own, in the words of each of its versions, is a time-out."""
    for asked in ASKED:
        with pytest.raises(AirflowSkipException, match="did not respond in time"):
            sensor("deferrable", asked).resume_execution("__fail__", {"error": error}, {})  # type: ignore[typeddict-item]
    with pytest.raises(AirflowSensorTimeout):
        sensor("deferrable", None).resume_execution("__fail__", {"error": error}, {})  # type: ignore[typeddict-item]


def test_a_trigger_that_broke() -> None:
    """A trigger that failed for another reason is no time-out: it fails with soft_fail, too."""
    with pytest.raises(Exception, match="Trigger failure"):
        sensor("deferrable", "soft_fail").resume_execution("__fail__", {"error": "Trigger failure"}, {})  # type: ignore[typeddict-item]
