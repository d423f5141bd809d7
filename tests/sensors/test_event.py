"""The sensor and its trigger: in real task runs of all three modes, and at their edges."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import (
    AirflowFailException,
    AirflowNotFoundException,
    AirflowSensorTimeout,
    AirflowSkipException,
    BaseSensorOperator,
    TaskDeferred,
)

from airflow_dingtalk_calendar.client import token_cache
from airflow_dingtalk_calendar.client.transport import Transport
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.sensors.event import GRACE, HEAD_START, DingTalkCalendarEventSensor
from airflow_dingtalk_calendar.triggers.event import MAX_NAP, DingTalkCalendarEventTrigger
from tests.airflow_runs import Run, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.markdown import Page
from tests.security.test_secrets import SECRET, token_of
from tests.watch.test_conditions import NOW

try:
    from airflow.sdk.exceptions import AirflowRescheduleException
except ImportError:  # before Airflow 3.1
    from airflow.exceptions import AirflowRescheduleException

Dag = Callable[..., Run]
MODES = ["poke", "reschedule", "deferrable"]
SLEEPING = ["poke", "deferrable"]
HOUR = 3600.0


class Time:
    """Time that passes by sleeping only."""

    def __init__(self, begin: dt.datetime) -> None:
        self.begin = self.now = begin.timestamp()
        self.naps: list[float] = []
        self._changes: list[tuple[float, Callable[[], None]]] = []

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds
        while self._changes and self._changes[0][0] <= self.passed:
            self._changes.pop(0)[1]()

    async def asleep(self, seconds: float) -> None:
        self.sleep(seconds)

    def at(self, seconds: float, change: Callable[[], None]) -> None:
        """Have something happen when so much time has passed."""
        self._changes.append((seconds, change))

    @property
    def passed(self) -> float:
        return self.now - self.begin


def passing(monkeypatch: pytest.MonkeyPatch, begin: dt.datetime) -> Time:
    """Set time for sensor, trigger and Airflow's own sleeping between two pokes."""
    made = Time(begin)
    for kind in (DingTalkCalendarEventSensor, DingTalkCalendarEventTrigger):
        monkeypatch.setattr(kind, "_clock", staticmethod(lambda: made.now))
    monkeypatch.setattr(DingTalkCalendarEventTrigger, "_asleep", staticmethod(made.asleep))
    airflows = SimpleNamespace(sleep=made.sleep, monotonic=lambda: made.now)
    monkeypatch.setattr(sys.modules[BaseSensorOperator.__module__], "time", airflows)
    return made


@pytest.fixture(autouse=True)
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    """Time that begins an hour before the event."""
    return passing(monkeypatch, NOW)


@pytest.fixture
def wait(dag: Dag) -> Callable[..., Run]:
    """Run one sensor for real, in a mode."""

    def run(mode: str, **arguments: Any) -> Run:
        how = {"deferrable": True} if mode == "deferrable" else {"mode": mode, "deferrable": False}
        given = {"union_id": ORGANIZER, "event_id": EVENT, **how, **arguments}
        return dag(
            f"""
            import datetime
            from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor
            DingTalkCalendarEventSensor(task_id="wait", **{given!r})
            """
        )

    return run


def sensor(**arguments: Any) -> DingTalkCalendarEventSensor:
    """Make a sensor outside of a DAG."""
    return DingTalkCalendarEventSensor(task_id="wait", **{"union_id": ORGANIZER, "event_id": EVENT, **arguments})


def deferred(**arguments: Any) -> TaskDeferred:
    """Let a sensor defer."""
    with pytest.raises(TaskDeferred) as caught:
        sensor(deferrable=True, **arguments).execute({})  # type: ignore[typeddict-item]
    return caught.value


def trigger(**arguments: Any) -> DingTalkCalendarEventTrigger:
    """Make a trigger as a triggerer does, from what a sensor's deferring has stored."""
    path, kwargs = deferred(**arguments).trigger.serialize()
    module, _, name = path.rpartition(".")
    stored = json.loads(json.dumps(kwargs))
    made: DingTalkCalendarEventTrigger = getattr(sys.modules[module], name)(**stored)
    return made


def fired(waiting: DingTalkCalendarEventTrigger) -> list[dict[str, Any]]:
    """Run a trigger to its end; return what it fired."""

    async def run() -> list[dict[str, Any]]:
        return [one.payload async for one in waiting.run()]

    return asyncio.run(run())


def finish(mode: str, **arguments: Any) -> Any:
    """Wait to the end without Airflow's scheduler: in one process, or by deferring and resuming a new instance."""
    if mode != "deferrable":
        return sensor(deferrable=False, **arguments).execute({})  # type: ignore[typeddict-item]
    (event,) = fired(trigger(**arguments))
    return sensor(**arguments).resume_execution("execute_complete", {"event": event}, {})  # type: ignore[typeddict-item]


def polls(dingtalk: Emulator) -> int:
    """Count the metered calls."""
    calls = dingtalk.effects["calls"]
    assert set(calls) <= {"GetEvent"}
    return int(calls.get("GetEvent", 0))


def change(dingtalk: Emulator, **fields: Any) -> Callable[[], None]:
    """Return what changes the event."""
    return lambda: dingtalk.store.put_events([event(**fields)])


def starting(minutes: int) -> dict[str, Any]:
    """Have the event begin so many minutes after the time begins."""
    ends = {"start": NOW + dt.timedelta(minutes=minutes), "end": NOW + dt.timedelta(minutes=minutes + 60)}
    return {name: {"dateTime": end.isoformat(), "timeZone": "Asia/Shanghai"} for name, end in ends.items()}


# -- in all modes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_what_is_so_already(wait: Callable[..., Run], dingtalk: Emulator, time: Time, mode: str) -> None:
    """A condition that is true costs one call and no waiting, and the event is the task's result."""
    run = wait(mode, starts_within=dt.timedelta(hours=2))
    assert run.state("wait") == "success"
    assert run.xcom("wait")["summary"] == "Planning"
    assert (polls(dingtalk), time.naps) == (1, [])


@pytest.mark.parametrize("mode", MODES)
def test_a_passing_failure_is_waited_out(
    wait: Callable[..., Run], dingtalk: Emulator, connect: Callable[..., None], mode: str
) -> None:
    """A transient failure does not end the wait: the next poll succeeds."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(kind="error", action="GetEvent", status=503, code="serviceBusy")
    run = wait(mode, exists=True, poke_interval=1)
    assert run.state("wait") == "success"
    assert run.xcom("wait")["id"] == EVENT
    assert len([request for request in dingtalk.requests if request["action"] == "GetEvent"]) == 2


@pytest.mark.parametrize("mode", MODES)
def test_the_time_is_up(dag: Dag, dingtalk: Emulator, mode: str) -> None:
    """A time-out fails the task, or skips it if so asked, in each mode."""
    how = "deferrable=True" if mode == "deferrable" else f"mode='{mode}'"
    run = dag(
        f"""
        from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait
        given = dict(union_id="{ORGANIZER}", event_id="{EVENT}", cancelled=True, timeout=0, {how})
        Wait(task_id="failing", **given)
        Wait(task_id="soft", soft_fail=True, **given)
        Wait(task_id="never", never_fail=True, **given)
        """
    )
    assert [run.state(name) for name in ("failing", "soft", "never")] == ["failed", "skipped", "skipped"]


@pytest.mark.parametrize("mode", SLEEPING)
@pytest.mark.parametrize("change", [{"event_id": "gone"}, {"starts_within": "soon"}, {"timeout": 0}], ids=str)
def test_how_waiting_fails(dingtalk: Emulator, mode: str, change: dict[str, Any]) -> None:
    """A missing event or a time-out fails the task for good, or skips it if so asked; a wrong argument fails it."""
    arguments = {"starts_within": 0, **change}
    with pytest.raises(AirflowSensorTimeout if "timeout" in change else AirflowFailException):
        finish(mode, **arguments)
    for asked in ("soft_fail", "never_fail"):
        with pytest.raises(AirflowFailException if "starts_within" in change else AirflowSkipException):
            finish(mode, **arguments, **{asked: True})


@pytest.mark.parametrize("mode", SLEEPING)
def test_the_moment_is_computed(dingtalk: Emulator, time: Time, mode: str) -> None:
    """An event with a known time is polled twice: at once, and then."""
    assert finish(mode, ended=True)["id"] == EVENT
    assert time.passed == pytest.approx(2 * HOUR, abs=0.01)
    assert polls(dingtalk) == 2


@pytest.mark.parametrize("mode", SLEEPING)
def test_an_event_that_moves_is_noticed(dingtalk: Emulator, time: Time, mode: str) -> None:
    """An event moved earlier is noticed at the next recheck, one moved later is waited for."""
    change(dingtalk, **starting(minutes=20 * 60))()
    time.at(HOUR, change(dingtalk, **starting(minutes=7 * 60)))
    time.at(6.5 * HOUR, change(dingtalk, **starting(minutes=9 * 60)))
    assert finish(mode, starts_within=0)["id"] == EVENT
    assert time.passed == pytest.approx(9 * HOUR, abs=0.01)
    assert polls(dingtalk) == 4  # at 0, 6, 7 and 9 o'clock


@pytest.mark.parametrize("mode", SLEEPING)
def test_a_condition_without_a_known_time_is_polled_in_intervals(dingtalk: Emulator, time: Time, mode: str) -> None:
    """Answers are polled each half hour, until there are enough."""
    people = [{"id": "iiPguest", "responseStatus": "needsAction"}]
    change(dingtalk, attendees=people)()
    time.at(HOUR, change(dingtalk, attendees=[{"id": "iiPguest", "responseStatus": "declined"}]))
    assert finish(mode, responses={"answered": "all"})["attendees"][0]["responseStatus"] == "declined"
    assert (time.passed, polls(dingtalk)) == (HOUR, 3)


@pytest.mark.parametrize("mode", SLEEPING)
def test_there_is_a_last_poll(dingtalk: Emulator, time: Time, mode: str) -> None:
    """When the time is up the event is polled once more, however long the interval is."""
    time.at(100, change(dingtalk, summary="Daily"))
    assert finish(mode, fields={"summary": "Daily"}, timeout=100)["summary"] == "Daily"
    assert time.passed == pytest.approx(100, abs=0.2)
    assert polls(dingtalk) == 2


@pytest.mark.parametrize("mode", SLEEPING)
def test_what_is_deleted_meanwhile(dingtalk: Emulator, time: Time, mode: str) -> None:
    """An event that is deleted while somebody waits for its end fails the task; it is what others wait for."""
    time.at(60, lambda: dingtalk.store.events.clear())
    with pytest.raises(AirflowFailException, match=f"Event {EVENT} is not there: deleted, or"):
        finish(mode, ended=True)
    change(dingtalk)()
    time.at(time.passed + 60, lambda: dingtalk.store.events.clear())
    assert finish(mode, cancelled=True) == {"id": EVENT, "status": "cancelled"}


@pytest.mark.parametrize("mode", SLEEPING)
def test_what_is_not_there_yet(dingtalk: Emulator, time: Time, mode: str) -> None:
    """An event that is not there is waited for."""
    dingtalk.store.events.clear()
    time.at(60, change(dingtalk))
    assert finish(mode, exists=True)["id"] == EVENT


@pytest.mark.parametrize("mode", SLEEPING)
def test_a_lasting_failure_ends_the_wait(dingtalk: Emulator, time: Time, mode: str) -> None:
    """What no retry can fix fails the task, also later on."""
    dingtalk.fault(kind="error", action="GetEvent", skip=1, status=400, code="paramIllegal")
    with pytest.raises(AirflowFailException, match="GetEvent 400 paramIllegal"):
        finish(mode, ended=True)
    assert time.passed == pytest.approx(2 * HOUR, abs=0.01)


def test_templates(dag: Dag, dingtalk: Emulator) -> None:
    """Every argument may be a template, and nested values too."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.sensors.event import DingTalkCalendarEventSensor as Wait
        one = dict(union_id="{{{{ '{ORGANIZER}' }}}}", event_id="{{{{ '{EVENT}' }}}}", recheck="{{{{ 60 * 60 }}}}")
        Wait(task_id="soon", **one, starts_within="{{{{ macros.timedelta(days=9) }}}}", ended="{{{{ False }}}}")
        Wait(task_id="named", **one, fields={{"summary": "{{{{ 'Plan' ~ 'ning' }}}}", "start": "2027-03-02T10:00"}})
        Wait(task_id="asked", **one, responses={{"accepted": "{{{{ 2 - 1 }}}}"}}, count_optional="{{{{ True }}}}")
        Wait.partial(task_id="mapped", **one, deferrable=True).expand(exists=["True", "{{{{ True }}}}"])
        """
    )
    assert [run.state(name) for name in ("soon", "named", "asked")] == ["success"] * 3
    assert [run.state("mapped", index) for index in (0, 1)] == ["success"] * 2


# -- the sensor -----------------------------------------------------------------------------------------------


def test_init_only_assigns() -> None:
    """Constructing checks nothing of our own, and every argument of our own is templated."""
    names = set(DingTalkCalendarEventSensor.template_fields)
    made = sensor(**dict.fromkeys(names, "{{ x }}"))
    assert {name: getattr(made, name) for name in names} == dict.fromkeys(names, "{{ x }}")
    assert names >= {"union_id", "calendar_id", "dingtalk_conn_id", "event_id", "starts_within", "recheck", "timezone"}


def test_deferring_is_airflows_to_decide() -> None:
    """Without an argument, Airflow's setting says whether the sensor defers."""
    from airflow.providers.common.compat.sdk import conf

    assert sensor().deferrable is conf.getboolean("operators", "default_deferrable", fallback=False)


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ({}, "condition: none is given; give exactly one"),
        ({"ended": True, "exists": True}, "condition: ended and exists are given"),
        ({"ended": True, "recheck": "soon"}, "recheck: must be a timedelta, or seconds"),
        ({"ended": True, "event_id": " "}, "event_id: is blank"),
        ({"fields": {"sumary": "x"}}, "did you mean summary"),
    ],
    ids=str,
)
def test_wrong_arguments_are_refused(mode: str, arguments: dict[str, Any], problem: str, dingtalk: Emulator) -> None:
    """What cannot be waited for fails for good, before anything is sent or deferred."""
    with pytest.raises(AirflowFailException, match=problem):
        sensor(deferrable=mode == "deferrable", **arguments).execute({})  # type: ignore[typeddict-item]
    assert dingtalk.requests == []


def test_a_worker_is_freed_until_the_moment(dingtalk: Emulator, airflow_db: None) -> None:
    """Rescheduled, the task comes back at the moment, at the recheck, after the interval, or at the time-out."""
    ti = Ti(max_tries=0, get_first_reschedule_date=lambda _: None)
    for arguments, pause in (
        ({"ended": True}, 2 * HOUR),
        ({"ended": True, "recheck": HOUR}, HOUR),
        ({"cancelled": True}, HOUR / 2),
        ({"cancelled": True, "poke_interval": 90}, 90),
        ({"cancelled": True, "timeout": 60}, 60),
        ({"ended": True, "timeout": 60}, 60),
    ):
        before = dt.datetime.now(dt.UTC)
        with pytest.raises(AirflowRescheduleException) as caught:
            sensor(mode="reschedule", deferrable=False, **arguments).execute({"ti": ti})  # type: ignore[typeddict-item]
        assert (caught.value.reschedule_date - before).total_seconds() == pytest.approx(pause, abs=5)


def test_the_log_says_how_it_stands(
    dingtalk: Emulator, said: pytest.LogCaptureFixture, connect: Callable[..., None]
) -> None:
    """Each poll says in one line what was found, and when the next one is; a failure too."""
    connect(extra={"max_attempts": 1})
    waiting = trigger(responses={"accepted": 2}, timeout=3600)
    dingtalk.fault(kind="error", action="GetEvent", status=503, code="serviceBusy")
    (end,) = fired(waiting)
    assert end["message"] == f"Event {EVENT} 1 of 2 accepted; timed out."
    lines = [record.getMessage() for record in said.records if record.name == "tasks"]
    assert lines[0] == f"Event {EVENT} 1 of 2 accepted."
    lines = [line for line in lines if not line.startswith("Metered calls: ")]
    assert lines[1].startswith(f"Event {EVENT} could not be read: GetEvent 503 serviceBusy")
    assert lines[1].endswith("next poll at 2027-03-02T01:35:00+00:00.")
    assert not [line for line in lines if "Planning" in line]


def test_large_events_are_read_whole(dingtalk: Emulator) -> None:
    """Where more people are invited than one answer holds, the rest is read too, only if they are waited for."""
    people = [{"id": f"p{number}", "responseStatus": "accepted"} for number in range(1200)]
    dingtalk.reset({**DATA, "users": [*DATA["users"], *({"unionId": p["id"], "name": "x"} for p in people)]})
    change(dingtalk, attendees=people)()
    found = sensor(responses={"accepted": "all", "answered": 1200}).execute({})  # type: ignore[typeddict-item]
    assert len(found["attendees"]) == 1200
    assert dingtalk.effects["calls"] == {"GetEvent": 1, "ListAttendees": 3}
    sensor(exists=True).execute({})  # type: ignore[typeddict-item]
    sensor(fields={"summary": "Planning"}).execute({})  # type: ignore[typeddict-item]
    assert dingtalk.effects["calls"] == {"GetEvent": 3, "ListAttendees": 3}
    sensor(fields={"attendees": ["p1199"]}).execute({})  # type: ignore[typeddict-item]
    assert dingtalk.effects["calls"] == {"GetEvent": 4, "ListAttendees": 6}


# -- deferring and resuming -----------------------------------------------------------------------------------


def test_a_trigger_is_never_ready_at_once(dingtalk: Emulator, time: Time) -> None:
    """It waits until the scheduler has noticed that the worker is done, whatever it waits for, and time-outs too."""
    change(dingtalk, **starting(minutes=0))()
    time.now -= 2  # it starts in two seconds
    for arguments in (
        {"starts_within": 0},
        {"starts_within": 0, "timeout": 1},
        {"cancelled": True, "poke_interval": 0},
    ):
        kwargs = deferred(**arguments).trigger.serialize()[1]
        assert min(kwargs["wake"], kwargs["deadline"]) == pytest.approx(time.now + HEAD_START)


def test_what_is_deferred(dingtalk: Emulator, time: Time) -> None:
    """Airflow's own time-out comes after the trigger's, which is of the wall clock."""
    defer = deferred(ended=True, timeout=1000, recheck=77)
    assert (defer.method_name, defer.timeout) == ("execute_complete", dt.timedelta(seconds=1000) + GRACE)
    path, kwargs = defer.trigger.serialize()
    assert path == "airflow_dingtalk_calendar.triggers.event.DingTalkCalendarEventTrigger"
    assert kwargs == {
        "union_id": ORGANIZER,
        "event_id": EVENT,
        "calendar_id": "primary",
        "condition": {"ended": True},
        "timezone": "Asia/Shanghai",
        "wake": time.now + 77,
        "deadline": time.now + 1000,
        "interval": 1800.0,
        "recheck": 77.0,
        "dingtalk_conn_id": "dingtalk_default",
    }


@pytest.mark.parametrize(
    "arguments",
    [{"ended": True}, {"responses": {"accepted": 5}}, {"fields": {"start": "2027-03-02T10:01", "reminders": [5]}}],
    ids=str,
)
def test_a_trigger_survives_being_stored(arguments: dict[str, Any], dingtalk: Emulator) -> None:
    """A trigger made from what Airflow's database keeps of another one is the same, and holds no secret."""
    defer = deferred(**arguments)
    stored = stored_by_airflow(defer.trigger)
    again = DingTalkCalendarEventTrigger(**stored)
    assert again.serialize() == defer.trigger.serialize()
    for secret in (SECRET, token_of(dingtalk)):
        assert secret not in json.dumps(stored)
        assert secret not in repr(vars(again))


def stored_by_airflow(trigger: DingTalkCalendarEventTrigger) -> dict[str, Any]:
    """Return a trigger's arguments as Airflow's table of triggers, where they are encrypted, gives them back."""
    from airflow.models.trigger import Trigger

    stored: dict[str, Any] = Trigger.from_object(trigger).kwargs
    return stored


@pytest.mark.parametrize(
    ("asked", "skips"), [({}, False), ({"soft_fail": True}, True), ({"never_fail": True}, True)], ids=str
)
def test_resuming(asked: dict[str, Any], skips: bool, dingtalk: Emulator) -> None:
    """The resumed task, a new instance, returns the event or fails as the trigger says, or is skipped if so asked."""

    def resumed(event: Any) -> Any:
        return sensor(ended=True, **asked).resume_execution("execute_complete", {"event": event}, {})  # type: ignore[typeddict-item]

    assert resumed({"status": "met", "event": {"id": "x"}}) == {"id": "x"}
    for status, error in (("impossible", AirflowFailException), ("timeout", AirflowSensorTimeout)):
        with pytest.raises(AirflowSkipException if skips else error):
            resumed({"status": status, "message": "Event x is not there."})
    for status, error in (("failed", AirflowFailException), ("no_connection", AirflowNotFoundException)):
        with pytest.raises(error):
            resumed({"status": status, "message": "The app lacks a permission."})


@pytest.mark.parametrize(
    "event", [None, {}, "met", {"status": "done"}, {"status": "met"}, {"status": "failed"}], ids=str
)
def test_an_event_that_is_none_of_ours(event: Any) -> None:
    """Whatever a trigger of another version sends is refused with a clear error, and skipped only with never_fail."""
    with pytest.raises(RuntimeError, match="unexpected result"):
        sensor(soft_fail=True).execute_complete({}, event)  # type: ignore[typeddict-item]
    with pytest.raises(AirflowSkipException, match="unexpected result"):
        sensor(never_fail=True).resume_execution("execute_complete", {"event": event}, {})  # type: ignore[typeddict-item]


# -- the trigger ----------------------------------------------------------------------------------------------


def test_a_restart_goes_on_where_it_was(dingtalk: Emulator, time: Time) -> None:
    """A trigger started anew keeps moment and deadline: it neither polls early nor waits longer."""
    waiting = trigger(ended=True, timeout=3 * HOUR)
    time.now += 1.5 * HOUR
    again = DingTalkCalendarEventTrigger(**waiting.serialize()[1])
    assert [end["status"] for end in fired(again)] == ["met"]
    assert (time.passed, polls(dingtalk)) == (2 * HOUR, 2)
    time.now += 100 * HOUR
    change(dingtalk, **starting(minutes=10**5))()
    late = DingTalkCalendarEventTrigger(**waiting.serialize()[1])
    assert [end["status"] for end in fired(late)] == ["timeout"]
    assert time.passed == 102 * HOUR


def test_a_long_wait_is_slept_in_parts(dingtalk: Emulator, time: Time) -> None:
    """Should the machine's time be set, or the machine sleep, the moment is missed by minutes at most."""
    assert [end["status"] for end in fired(trigger(ended=True))] == ["met"]
    assert max(time.naps) == MAX_NAP


def test_a_cancelled_trigger_ends_quietly(
    dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """A trigger that is cancelled while it waits or reads fires nothing, says nothing, and leaves no socket open."""
    open_clients = clients(monkeypatch)

    async def cancel(waiting: DingTalkCalendarEventTrigger, after: float) -> list[Any]:
        fires: list[Any] = []

        async def run() -> None:
            fires.extend([one async for one in waiting.run()])

        task = asyncio.create_task(run())
        await asyncio.sleep(after)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        assert task.cancelled()
        return fires

    waiting = trigger(cancelled=True)
    said.clear()
    monkeypatch.setattr(DingTalkCalendarEventTrigger, "_asleep", staticmethod(asyncio.sleep))
    assert asyncio.run(cancel(waiting, 0.05)) == []
    dingtalk.fault(kind="hang", action="GetEvent")
    waiting.wake = 0.0
    assert asyncio.run(cancel(waiting, 0.3)) == []
    assert [record for record in said.records if record.name == "tasks"] == []
    assert open_clients == {"opened": 1, "closed": 1}


def clients(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Count the HTTP clients of coroutines that are opened and closed."""
    counts = {"opened": 0, "closed": 0}
    opening, closing = Transport._async_client, Transport.aclose

    def opened(self: Transport) -> Any:
        counts["opened"] += not self._async_clients
        return opening(self)

    async def closed(self: Transport) -> None:
        counts["closed"] += len(self._async_clients)
        await closing(self)

    monkeypatch.setattr(Transport, "_async_client", opened)
    monkeypatch.setattr(Transport, "aclose", closed)
    return counts


def test_no_socket_is_open_while_nothing_happens(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each poll opens its client and closes it, so that hundreds that wait hold no sockets."""
    counts = clients(monkeypatch)
    assert [end["status"] for end in fired(trigger(cancelled=True, timeout=2.5 * HOUR))] == ["timeout"]
    assert counts == {"opened": 5, "closed": 5}  # one each half hour


def test_a_changed_connection_is_noticed(dingtalk: Emulator, connect: Callable[..., None], time: Time) -> None:
    """A secret that is replaced while somebody waits is used from the next poll on; a wrong one ends the wait."""
    waiting = trigger(ended=True)
    connect(password="quite-another")
    token_cache.TOKEN_CACHE.clear()
    (end,) = fired(waiting)
    assert end["status"] == "failed"
    assert "invalidClientIdOrSecret" in end["message"]


def test_the_triggerers_log_shows_no_titles(dingtalk: Emulator) -> None:
    """A triggerer logs what fires; of an event that is found it shows the status only."""

    async def fire() -> Any:
        return await anext(trigger(ended=True).run())

    fires = asyncio.run(fire())
    assert fires.payload["event"]["summary"] == "Planning"
    assert f"{fires} {fires!r}" == "TriggerEvent<met> TriggerEvent<met>"


def test_what_nobody_expected(
    dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch, said: pytest.LogCaptureFixture
) -> None:
    """Of an error that is not ours only the kind is reported, and it may be retried."""
    waiting = trigger(ended=True)

    def broken(*_: object) -> None:
        raise OSError(SECRET)

    monkeypatch.setattr(DingTalkCalendarEventTrigger, "_poll_event", broken)
    (end,) = fired(waiting)
    assert end == {"status": "error", "message": "OSError in the triggerer; see its log", "calls": {}}
    with pytest.raises(RuntimeError, match="OSError in the triggerer"):
        sensor(ended=True).execute_complete({}, end)  # type: ignore[typeddict-item]


def test_the_guide_names_each_condition() -> None:
    """The guide's table has each condition."""
    rows = " ".join(row[0] for row in Page("docs/howto/wait.md").table("wait for"))
    for name in ("starts_within", "ended", "responses", "fields", "exists", "cancelled"):
        assert f"`{name}" in rows
