"""What a task has cost: in its last line of the log, in XCom, in Airflow's metrics; and a bound that it keeps to."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.call_counter import CallCounter, CountedRequest
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    CallLimitError,
    RequestError,
    ThrottledError,
    TokenRejectedError,
    TransportError,
)
from airflow_dingtalk_calendar.hooks import metrics
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator as Patch
from tests.airflow_runs import Run, StateStore
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.operators.test_all_operators import WRITING, Batch, Get, List, Ti, execute
from tests.sensors.test_event import deferred, fired, passing, sensor

NOW = dt.datetime(2027, 3, 2, 1, tzinfo=dt.UTC)
HOUR = 3600.0


class Metrics:
    """Airflow's ``Stats``, which keeps what it receives."""

    def __init__(self) -> None:
        self.counts: list[tuple[str, dict[str, str]]] = []
        self.timings: list[tuple[str, dict[str, str], dt.timedelta]] = []

    def incr(self, stat: str, *, tags: dict[str, str]) -> None:
        """Count."""
        self.counts.append((stat, tags))

    def timing(self, stat: str, dt: dt.timedelta, *, tags: dict[str, str]) -> None:
        """Take a time."""
        self.timings.append((stat, tags, dt))

    def names(self, action: str) -> list[str]:
        """Return what was counted of an action."""
        return sorted(stat.removeprefix("dingtalk.") for stat, tags in self.counts if tags["action"] == action)


@pytest.fixture
def stats(monkeypatch: pytest.MonkeyPatch) -> Metrics:
    """Airflow's metrics."""
    monkeypatch.setattr(metrics, "Stats", made := Metrics())
    return made


def spent(dingtalk: Emulator) -> dict[str, int]:
    """Return what the emulator has metered."""
    return dict(dingtalk.effects["calls"])


def last_line(said: pytest.LogCaptureFixture) -> str:
    """Return the last line that a task has logged."""
    return [record.getMessage() for record in said.records if record.name == "tasks"][-1]


def patch(ti: Ti | None = None, **arguments: Any) -> Any:
    """Execute the patch operator."""
    given = {"patch": {"summary": "New"}, **arguments}
    return Patch(task_id="t", union_id=ORGANIZER, event_id=EVENT, **given).execute({"ti": ti or Ti()})  # type: ignore[typeddict-item]


@pytest.mark.parametrize("kind", [*WRITING, Get, List, Batch], ids=lambda kind: kind.__name__)
def test_every_task_says_what_it_cost(kind: Any, dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The last line of the log and XCom ``metered_calls`` have what DingTalk has metered, by action."""
    users = [{**one, "userId": one["unionId"]} for one in DATA["users"]]
    dingtalk.reset({**DATA, "users": users, "rooms": [{"roomId": "room-1", "displayName": "Room 1"}]})
    ti = Ti()
    execute(kind, ti)
    assert ti.metered_calls == spent(dingtalk) != {}
    ((action, count),) = ti.metered_calls.items()
    assert last_line(said) == f"Metered calls: {count} ({count} {action})."


def test_a_task_that_calls_nobody_says_so(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A dry run has cost nothing."""
    ti = Ti()
    patch(ti, dry_run=True)
    assert (ti.metered_calls, last_line(said)) == ({}, "Metered calls: 0.")


def test_failures_and_retries_count(dingtalk: Emulator, said: pytest.LogCaptureFixture, stats: Metrics) -> None:
    """Each time that a request is sent counts, whatever comes of it, when the task fails, too."""
    dingtalk.fault(kind="error", status=503, code="busy", action="PatchEvent", times=None)
    ti = Ti()
    with pytest.raises(RequestError):
        patch(ti)
    assert ti.metered_calls == {"PatchEvent": 4}
    assert last_line(said) == "Metered calls: 4 (4 PatchEvent); 3 sent again."
    assert stats.names("PatchEvent") == ["calls"] * 4 + ["retries"] * 3 + ["unknown"] * 4


def test_what_the_gateway_turns_away_is_not_metered(
    dingtalk: Emulator, said: pytest.LogCaptureFixture, stats: Metrics
) -> None:
    """A request that is throttled costs nothing of the quota, and is reported apart."""
    code = "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"
    dingtalk.fault(kind="error", status=403, code=code, action="PatchEvent", times=2)
    ti = Ti()
    patch(ti)
    assert ti.metered_calls == {"PatchEvent": 1}
    assert last_line(said) == "Metered calls: 1 (1 PatchEvent); 2 sent again, 2 throttled."
    assert stats.names("PatchEvent") == ["calls", "retries", "retries", "throttled", "throttled"]


@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        (TransportError(write_outcome="rejected"), {}),
        (TransportError(), {"RespondEvent": 1}),
        (ThrottledError(), {}),
        (TokenRejectedError(), {}),
        (RequestError(code="Forbidden.AccessDenied.ApiCountLimitForOrg"), {}),
        (RequestError(code="invalidParameter"), {"RespondEvent": 1}),
        (KeyboardInterrupt(), {"RespondEvent": 1}),
    ],
    ids=repr,
)
def test_what_counts(failure: BaseException, counts: dict[str, int]) -> None:
    """What was not sent, and what the gateway refused, does not count; what may have come through does."""
    counter = CallCounter()
    call = api.respond_event("u", "e", "accepted")
    clock: Any = SimpleNamespace(monotonic=lambda: 0.0)
    with pytest.raises(type(failure)), counter.count_request(call, clock, repeated=False):
        raise failure
    assert counter.by_action == counts


def test_tokens_and_the_directory_are_not_metered(dingtalk: Emulator) -> None:
    """Getting a token, or a staff id, is not counted."""
    dingtalk.reset({**DATA, "users": [{**one, "userId": one["unionId"]} for one in DATA["users"]]})
    with DingTalkCalendarHook() as hook:
        hook.get_user_by_staff_id(ORGANIZER)
        assert hook.call_counter.by_action == {}
    assert dingtalk.effects["tokens_issued"] == 1


def test_threads_count_together(dingtalk: Emulator) -> None:
    """The threads of a plan count into one account, which is the emulator's."""
    plan = [{"event_id": f"e{number}", "patch": {"summary": "New"}} for number in range(60)]
    dingtalk.reset({**DATA, "events": [event(row["event_id"]) for row in plan]})  # type: ignore[arg-type]
    ti = Ti()
    execute(Batch, ti, plan=plan)
    assert ti.metered_calls == spent(dingtalk) == {"PatchEvent": 60}


def test_threads_keep_to_a_limit() -> None:
    """Of many threads at once, no more send a request than the limit lets through."""
    counter, clock = CallCounter(limit=10), SimpleNamespace(monotonic=lambda: 0.0)
    call: Any = SimpleNamespace(action="GetEvent", metered=True, writes=False)

    def send(_: int) -> bool:
        try:
            with counter.count_request(call, clock, repeated=False):  # type: ignore[arg-type]
                return True
        except CallLimitError:
            return False

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(send, range(200))) == 10
    assert (counter.total, counter.left) == (10, 0)


# -- metrics --------------------------------------------------------------------------------------------------


def test_metrics_name_the_task(dag: Callable[..., Run], dingtalk: Emulator, stats: Metrics) -> None:
    """In a task, a counter and a timer have the tags that Airflow's own have, and the action."""
    run = dag(f'Patch(task_id="rename", union_id="{ORGANIZER}", event_id="{EVENT}", patch={{"summary": "x"}})')
    assert run.xcom("rename", "metered_calls") == {"PatchEvent": 1}
    ((name, tags),) = stats.counts
    assert name == "dingtalk.calls"
    assert tags["dag_id"].startswith("dag_")
    assert {**tags, "dag_id": "d"} == {"dag_id": "d", "task_id": "rename", "action": "PatchEvent"}
    ((timer, same, length),) = stats.timings
    assert (timer, same) == ("dingtalk.duration", tags)
    assert length > dt.timedelta(0)


def test_metrics_outside_of_a_task(dingtalk: Emulator, stats: Metrics, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no task, as in a watcher, the tags have the action only."""
    for name in ("DAG", "TASK"):
        monkeypatch.delenv(f"AIRFLOW_CTX_{name}_ID", raising=False)

    async def read() -> None:
        async with DingTalkCalendarHook() as hook:
            await hook.aget_event(ORGANIZER, EVENT)

    asyncio.run(read())
    assert stats.counts == [("dingtalk.calls", {"action": "GetEvent"})]


def test_broken_metrics_fail_no_call(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the metrics' backend does not reach the task."""

    class Broken:
        def incr(self, *_: Any, **__: Any) -> None:
            raise OSError

    monkeypatch.setattr(metrics, "Stats", Broken())
    patch()
    assert spent(dingtalk) == {"PatchEvent": 1}


def test_airflows_stats_take_what_is_reported() -> None:
    """Airflow's own ``Stats``, of whichever version, is what the metrics go to."""
    from airflow.providers.common.compat.sdk import Stats

    assert metrics.Stats is Stats
    request = CountedRequest("GetEvent", 0.25, metered=True, repeated=False, throttled=False, unknown=False)
    tags = {"action": "GetEvent"}
    Stats.incr("dingtalk.calls", tags=tags)
    Stats.timing("dingtalk.duration", dt.timedelta(seconds=request.seconds), tags=tags)


# -- max_calls ------------------------------------------------------------------------------------------------


def test_a_list_stops_at_its_limit(dingtalk: Emulator) -> None:
    """A list that has more pages than calls fails, and no call is made beyond the limit."""
    events = [event(f"e{number}") for number in range(301)]
    dingtalk.reset({**DATA, "events": events})
    window = {"time_min": "2027-01-01T00:00:00Z", "time_max": "2027-12-01T00:00:00Z"}
    ti = Ti()
    with pytest.raises(AirflowFailException, match="max_calls: this try has made as many") as caught:
        execute(List, ti, **window, max_calls="3")
    assert "raise it" in str(caught.value)
    assert ti.metered_calls == spent(dingtalk) == {"ListEvents": 3}
    assert len(execute(List, **window, max_calls=4)) == 301


def test_retries_of_a_call_keep_to_the_limit(dingtalk: Emulator) -> None:
    """An attempt that would be one too many is not made, and whether an earlier one took effect stays unknown."""
    dingtalk.fault(kind="reset", action="PatchEvent", times=None)
    with pytest.raises(AirflowFailException, match="It is unknown whether this took effect"):
        patch(max_calls=2)
    assert len([one for one in dingtalk.requests if one["action"] == "PatchEvent"]) == 2


@pytest.mark.parametrize("kind", [*WRITING, Get, List, Batch], ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("limit", [0, "-1", "many", 1.5])
def test_a_wrong_limit_is_refused(kind: Any, limit: Any, dingtalk: Emulator) -> None:
    """What is no number of calls is refused before anything is sent."""
    with pytest.raises(AirflowFailException, match="max_calls: "):
        execute(kind, max_calls=limit)
    assert spent(dingtalk) == {}


# -- the sensor -----------------------------------------------------------------------------------------------


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Time that begins an hour before the event and passes by sleeping only."""
    return passing(monkeypatch, NOW)  # type: ignore[return-value]


def test_all_polls_of_a_poking_sensor_count(dingtalk: Emulator, time: Any, said: pytest.LogCaptureFixture) -> None:
    """In mode ``poke``, the count is of all polls of the try."""
    ti = Ti()
    waiting = sensor(ended=True, recheck=HOUR, timeout=9 * HOUR, deferrable=False)
    waiting.execute({"ti": ti})  # type: ignore[typeddict-item]
    assert ti.metered_calls == spent(dingtalk) == {"GetEvent": 3}
    assert last_line(said) == "Metered calls: 3 (3 GetEvent)."


def test_polls_in_the_triggerer_count(dingtalk: Emulator, time: Any, stats: Metrics) -> None:
    """Deferred, the trigger brings its count along, and reports to the metrics whose task it waits for."""
    defer = deferred(ended=True, recheck=HOUR)
    assert defer.kwargs == {"calls": {"GetEvent": 1}}
    waiting = defer.trigger
    waiting.task_instance = SimpleNamespace(dag_id="d", task_id="wait")
    stats.counts.clear()
    (end,) = fired(waiting)
    ti = Ti()
    sensor(ended=True).execute_complete({"ti": ti}, json.loads(json.dumps(end)), **defer.kwargs)  # type: ignore[typeddict-item]
    assert ti.metered_calls == spent(dingtalk)
    assert end["calls"] == {"GetEvent": spent(dingtalk)["GetEvent"] - 1}
    assert {json.dumps(tags) for _, tags in stats.counts} == {
        json.dumps({"dag_id": "d", "task_id": "wait", "action": "GetEvent"})
    }


def test_an_event_of_an_earlier_release_counts_as_none(dingtalk: Emulator) -> None:
    """What a trigger of an earlier release fires has no count; the sensor takes it all the same."""
    ti = Ti()
    found = sensor(ended=True).execute_complete({"ti": ti}, {"status": "met", "event": {"id": EVENT}})  # type: ignore[typeddict-item]
    assert (found, ti.metered_calls) == ({"id": EVENT}, {})


def test_rescheduled_polls_are_added_up(dingtalk: Emulator, time: Any) -> None:
    """In mode ``reschedule`` Airflow's state store carries the count, and the limit, from one poll to the next."""
    store = StateStore()
    for number in (1, 2):
        ti = Ti(get_first_reschedule_date=lambda _: None)
        with pytest.raises(Exception, match=r"^$"):
            _poll(ti, store)
        assert ti.metered_calls == {"GetEvent": number}
    with pytest.raises(AirflowFailException, match="max_calls: this try"):
        _poll(Ti(get_first_reschedule_date=lambda _: None), store)
    assert spent(dingtalk) == {"GetEvent": 2}


def _poll(ti: Ti, store: StateStore) -> None:
    context: Any = {"ti": ti, "task_state_store": store}
    sensor(cancelled=True, mode="reschedule", deferrable=False, max_calls=2).execute(context)


@pytest.mark.parametrize("mode", ["poke", "deferrable"])
def test_a_sensor_stops_at_its_limit(mode: str, dingtalk: Emulator, time: Any) -> None:
    """A sensor that has made its calls fails, in the triggerer, too."""
    if mode == "poke":
        with pytest.raises(AirflowFailException, match="max_calls: this try"):
            sensor(cancelled=True, deferrable=False, max_calls=4).execute({})  # type: ignore[typeddict-item]
    else:
        defer = deferred(cancelled=True, max_calls="4")
        assert defer.trigger.serialize()[1]["max_calls"] == 3
        (end,) = fired(defer.trigger)
        assert end["status"] == "failed"
        with pytest.raises(AirflowFailException, match="max_calls"):
            sensor(cancelled=True).execute_complete({}, end)  # type: ignore[typeddict-item]
    assert spent(dingtalk) == {"GetEvent": 4}
