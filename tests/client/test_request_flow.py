"""The steps of an attempt, without network, clock or sleep."""

from __future__ import annotations

import gc
import json
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from itertools import chain
from types import SimpleNamespace
from typing import Any, cast

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client import request_flow, token_cache
from airflow_dingtalk_calendar.client.effects import AwaitFetch, Effect, FetchToken, MaskSecret, SendRequest, Sleep
from airflow_dingtalk_calendar.client.rate_limiter import VARYING_WINDOW, RateLimiter
from airflow_dingtalk_calendar.client.request_flow import MAX_RENEWALS, CallSession
from airflow_dingtalk_calendar.client.responses import Response
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    InProgressError,
    Interrupted,
    ServiceError,
    ThrottledError,
    TokenRejectedError,
    TransportError,
)
from airflow_dingtalk_calendar.models.event_patch import EventPatch

SETTINGS = ConnectionSettings("app", "made-up-secret", "http://127.0.0.1:1", max_qps=10)
TOKEN = {"accessToken": "token-1", "expireIn": 7200}
EVENT = {"id": "E", "summary": "x"}
REFUSED = {"code": "InvalidAuthentication", "message": "expired"}


class Clock:
    """A clock that is set by hand, and goes on while steps are played that sleep."""

    now = 1000.0
    slept = 0.0

    def monotonic(self) -> float:
        """Return the time."""
        return self.now + Clock.slept

    time = monotonic


@pytest.fixture
def session() -> CallSession:
    """A session with stores and a clock of its own."""
    Clock.slept = 0.0
    clock = cast("Any", Clock())
    return CallSession(SETTINGS, True, clock, token_cache.TokenCache(), RateLimiter())


def flat(steps: Generator[Effect, Any, Any]) -> Generator[Effect, Any, Any]:
    """Yield the steps of a fetch where it is one step of a call."""
    proceed = partial(next, steps)
    while True:
        try:
            step = proceed()
        except StopIteration as end:
            return end.value
        try:
            reply = (yield from flat(step.steps)) if isinstance(step, FetchToken) else (yield step)
        except BaseException as error:
            proceed = partial(steps.throw, error)
        else:
            proceed = partial(steps.send, reply)


def attempt_call(call: api.Call[Any], session: CallSession) -> Generator[Effect, Any, Any]:
    """Try a call once, as a row of steps."""
    return flat(request_flow.attempt_call(call, session))


def run_call(call: api.Call[Any], session: CallSession) -> Generator[Effect, Any, Any]:
    """Run a call, as a row of steps."""
    return flat(request_flow.run_call(call, session))


def answer(status: int, body: Any) -> Response:
    """Make a JSON answer."""
    return Response(status, {}, json.dumps(body).encode())


def play(steps: Generator[Effect, Any, Any], *results: Any) -> tuple[list[Effect], Any]:
    """Perform steps with the given results for those that send; return the steps and the end."""
    left, seen, reply = list(results), [], None
    try:
        step = next(steps)
        while True:
            seen.append(step)
            Clock.slept += step.seconds if isinstance(step, Sleep) else 0.0
            reply = left.pop(0) if isinstance(step, (SendRequest, AwaitFetch)) else None
            step = steps.throw(reply) if isinstance(reply, BaseException) else steps.send(reply)
    except StopIteration as end:
        assert not left
        return seen, end.value


def sent(steps: list[Effect]) -> list[str]:
    """Name the calls that were sent."""
    return [step.call.action for step in steps if isinstance(step, SendRequest)]


GET = api.get_event("u", "E")
PATCH = api.patch_event("u", "E", EventPatch(summary="x"), client_token="c")
MEETING = api.patch_event("u", "E", EventPatch(online_meeting=True), client_token="c")


def test_a_token_is_fetched_masked_and_sent(session: CallSession) -> None:
    """The first call fetches a token, registers it with Airflow as a secret, and sends it in the header only."""
    steps, event = play(attempt_call(GET, session), answer(200, TOKEN), answer(200, EVENT))
    assert sent(steps) == ["GetAccessToken", "GetEvent"]
    assert MaskSecret("token-1") in steps
    assert steps[-1].headers["x-acs-dingtalk-access-token"] == "token-1"  # type: ignore[union-attr]
    assert event == EVENT
    assert "token-1" not in repr(steps)
    assert "made-up-secret" not in repr(steps)


def test_a_token_is_kept_until_shortly_before_its_end(session: CallSession) -> None:
    """A token serves until five minutes before it expires, then a new one is fetched."""
    play(attempt_call(GET, session), answer(200, TOKEN), answer(200, EVENT))
    session.clock.now += 7200 - 301  # type: ignore[attr-defined]
    assert sent(play(attempt_call(GET, session), answer(200, EVENT))[0]) == ["GetEvent"]
    session.clock.now += 2  # type: ignore[attr-defined]
    steps, _ = play(attempt_call(GET, session), answer(200, TOKEN), answer(200, EVENT))
    assert sent(steps) == ["GetAccessToken", "GetEvent"]


@pytest.mark.parametrize("status", [400, 401])
def test_a_refused_token_is_renewed(session: CallSession, status: int) -> None:
    """A refused token is renewed and the request sent again; when the renewed one is the same, its refusal counts."""
    renewed = {**TOKEN, "accessToken": "token-2"}
    refusal = answer(status, REFUSED)
    steps, _ = play(attempt_call(PATCH, session), answer(200, TOKEN), refusal, answer(200, renewed), answer(200, EVENT))
    assert sent(steps) == ["GetAccessToken", "PatchEvent", "GetAccessToken", "PatchEvent"]
    assert steps[-1].headers["x-acs-dingtalk-access-token"] == "token-2"  # type: ignore[union-attr]
    with pytest.raises(TokenRejectedError) as caught:
        play(attempt_call(PATCH, session), refusal, answer(200, renewed), refusal)
    assert caught.value.outcome == "rejected"
    assert "other region" in str(caught.value)


def test_several_new_tokens_are_tried(session: CallSession) -> None:
    """A token that somebody ended is renewed up to three times, a young one after a wait; the error says why."""
    refusal = answer(400, REFUSED)
    renewals = [[answer(200, {**TOKEN, "accessToken": f"token-{number}"}), refusal] for number in range(4)]
    steps, _ = play(attempt_call(PATCH, session), *chain(*renewals[:3]), renewals[3][0], answer(200, EVENT))
    assert sent(steps).count("GetAccessToken") == 1 + MAX_RENEWALS
    assert sum(isinstance(step, Sleep) and step.seconds > 0 for step in steps) >= MAX_RENEWALS
    session.tokens.clear()
    with pytest.raises(TokenRejectedError, match="other processes"):
        play(attempt_call(PATCH, session), *chain(*renewals))


def test_a_token_that_is_refused_late_is_renewed_at_once(session: CallSession) -> None:
    """A token that served for an hour is renewed without a wait."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    session.clock.now += 3600  # type: ignore[attr-defined]
    refused = attempt_call(GET, session)
    next(refused)
    step = refused.send(answer(400, REFUSED))
    assert isinstance(step, SendRequest)
    assert step.call.action == "GetAccessToken"


def test_a_token_that_somebody_renewed_is_not_dropped(session: CallSession) -> None:
    """The refusal of an old token does not throw away its successor."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    attempt = attempt_call(GET, session)
    next(attempt)
    session.tokens.store(SETTINGS.identity, "token-2", 7200, 1000)
    step = attempt.send(answer(400, REFUSED))
    while isinstance(step, Sleep):
        Clock.slept += step.seconds
        step = attempt.send(None)
    assert isinstance(step, SendRequest)
    assert step.headers["x-acs-dingtalk-access-token"] == "token-2"


def test_those_who_wait_share_the_fetch_and_its_failure(session: CallSession) -> None:
    """While one fetches, others wait; they get its failure, and after success the token."""
    leader, follower = attempt_call(GET, session), attempt_call(PATCH, session)
    assert isinstance(next(leader), SendRequest)
    wait = next(follower)
    assert isinstance(wait, AwaitFetch)
    with pytest.raises(CredentialsError):
        leader.send(answer(400, {"code": "invalidClientIdOrSecret"}))
    shared = wait.done.exception()
    assert shared is not None
    with pytest.raises(CredentialsError) as caught:
        follower.throw(shared)
    assert caught.value.outcome == "rejected"
    assert caught.value.action == "GetAccessToken"


class UncopyableError(Exception):
    """As Airflow's own errors from a task's supervisor: made of something else than its arguments."""

    def __init__(self, error: Any) -> None:
        super().__init__(error.text)


def test_those_who_wait_get_any_failure(session: CallSession) -> None:
    """Whatever ends a fetch, also an error that cannot be copied, ends the waiting of all others."""
    leader, follower = attempt_call(GET, session), attempt_call(GET, session)
    next(leader)
    wait = next(follower)
    assert isinstance(wait, AwaitFetch)
    failure = UncopyableError(SimpleNamespace(text="no variable"))
    with pytest.raises(UncopyableError):
        leader.throw(failure)
    assert wait.done.exception(timeout=0) is failure


def test_a_cancelled_fetch_cancels_no_other(session: CallSession) -> None:
    """When the one that fetches is cancelled, that is not the end of another one that waits."""
    leader, follower = attempt_call(GET, session), attempt_call(GET, session)
    next(leader)
    next(follower)
    with pytest.raises(Interrupted):
        leader.throw(Interrupted())
    step = follower.send(None)
    assert isinstance(step, SendRequest)
    assert step.call.action == "GetAccessToken"


def test_a_cancelled_fetch_is_taken_over(session: CallSession) -> None:
    """When the one that fetches is cancelled, one that waits fetches in its place."""
    leader, follower = attempt_call(GET, session), attempt_call(GET, session)
    next(leader)
    wait = next(follower)
    leader.close()
    assert wait.done.done()  # type: ignore[union-attr]
    step = follower.send(None)
    assert isinstance(step, SendRequest)
    assert step.call.action == "GetAccessToken"


def test_who_blocks_an_event_loop_does_not_wait(session: CallSession) -> None:
    """A caller that would block an event loop fetches for itself; its fetch ends nobody else's waiting."""
    leader, follower = attempt_call(GET, session), attempt_call(GET, session)
    next(leader)
    blocking = attempt_call(GET, replace(session, may_wait=False))
    assert isinstance(next(blocking), SendRequest)
    blocking.close()
    assert isinstance(next(follower), AwaitFetch)


def test_a_fetch_that_nobody_begins_is_taken_over(session: CallSession) -> None:
    """When the one that leads a fetch is gone before its first step, one that waits fetches in its place."""
    leader, follower = request_flow.attempt_call(GET, session), attempt_call(GET, session)
    step = next(leader)
    assert isinstance(step, FetchToken)
    wait = next(follower)
    assert isinstance(wait, AwaitFetch)
    del step
    leader.close()
    gc.collect()
    assert wait.done.done()
    assert isinstance(follower.send(None), SendRequest)


def test_a_fetch_that_just_ended_is_not_repeated(session: CallSession) -> None:
    """Whoever claims a fetch checks again whether there is a token by then."""
    late = request_flow.attempt_call(GET, session)
    step = next(late)
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    assert isinstance(step, FetchToken)
    assert play(flat(step.steps)) == ([], "token-1")


def test_apps_do_not_share_tokens(session: CallSession) -> None:
    """Another secret, app or host has a token of its own, so that a wrong secret cannot pass as right."""
    play(attempt_call(GET, session), answer(200, TOKEN), answer(200, EVENT))
    other = replace(session, settings=ConnectionSettings("app", "other", SETTINGS.base_url))
    assert sent([next(attempt_call(GET, other))]) == ["GetAccessToken"]


def test_calls_are_spaced_per_api(session: CallSession) -> None:
    """At ten per second, three calls go a tenth of a second apart; another API has its own pace."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    naps = [
        [step.seconds for step in play(attempt_call(call, session), answer(200, EVENT))[0] if isinstance(step, Sleep)]
        for call in (GET, GET, GET, PATCH)
    ]
    assert [sum(nap) for nap in naps] == pytest.approx([0, 0.1 * VARYING_WINDOW, 0.1 * VARYING_WINDOW, 0])


def test_a_throttled_answer_holds_those_who_wait_already(session: CallSession) -> None:
    """While one call has to wait, another one that was about to go waits as long, and goes after it."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    first, second = attempt_call(GET, session), attempt_call(GET, session)
    assert isinstance(next(first), SendRequest)
    assert next(second) == Sleep(pytest.approx(0.1 * VARYING_WINDOW))
    with pytest.raises(ThrottledError):
        first.send(answer(403, {"code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}))
    Clock.slept += 0.1 * VARYING_WINDOW
    assert second.send(None) == Sleep(pytest.approx(1 - 0.1 * VARYING_WINDOW))
    Clock.slept += 1
    assert isinstance(second.send(None), SendRequest)


def test_who_stops_waiting_leaves_the_queue(session: CallSession) -> None:
    """A call given up while it waits for its turn takes nobody's place, and says that nothing was sent."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    play(attempt_call(GET, session), answer(200, EVENT))
    given_up, follower = run_call(GET, session), attempt_call(GET, session)
    assert isinstance(next(given_up), Sleep)
    assert next(follower) == Sleep(pytest.approx(0.2 * VARYING_WINDOW))
    with pytest.raises(Interrupted):
        given_up.throw(Interrupted())
    assert follower.send(None) == Sleep(pytest.approx(0.1 * VARYING_WINDOW))


def test_who_stops_waiting_for_another_attempt_has_the_failure_so_far(session: CallSession) -> None:
    """A call given up between two attempts ends with the first one's error, and its outcome."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    given_up = run_call(PATCH, session)
    next(given_up)
    assert isinstance(given_up.throw(TransportError("reset")), Sleep)
    with pytest.raises(TransportError) as caught:
        given_up.throw(Interrupted())
    assert caught.value.outcome == "unknown"


def test_an_unknown_outcome_stays_unknown(session: CallSession) -> None:
    """After an attempt that may have taken effect, a later refusal does not make the outcome known."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    for reply, outcome in (
        (answer(403, {"code": "Forbidden.AccessDenied.QpsLimitForApi"}), "rejected"),
        (TransportError("reset"), "unknown"),
        (answer(404, {"code": "itemNotFound"}), "unknown"),
    ):
        with pytest.raises(Exception) as caught:  # noqa: PT011
            play(attempt_call(PATCH, session), reply)
        assert caught.value.outcome == outcome  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("reply", "kind", "outcome"),
    [
        (answer(500, {"code": "systemError"}), ServiceError, "unknown"),
        (answer(400, {"code": "idempotencyProcessing"}), InProgressError, "unknown"),
    ],
)
def test_outcomes_of_writes(session: CallSession, reply: Response, kind: type[Exception], outcome: str) -> None:
    """A write that the service failed at, or still works on, has an unknown outcome; a read has none."""
    session.tokens.store(SETTINGS.identity, "token-1", 7200, 1000)
    with pytest.raises(kind) as caught:
        play(attempt_call(GET, session), reply)
    assert caught.value.outcome is None  # type: ignore[attr-defined]
    with pytest.raises(kind, match="unknown whether") as caught:
        play(attempt_call(PATCH, session), reply)
    assert caught.value.outcome == outcome  # type: ignore[attr-defined]


def test_a_failed_token_fetch_rejects_the_write(session: CallSession) -> None:
    """Whatever happened at the token endpoint, the write was not sent."""
    with pytest.raises(TransportError) as caught:
        play(attempt_call(PATCH, session), TransportError("reset"))
    assert caught.value.outcome == "rejected"


def test_a_meeting_is_not_repeatable() -> None:
    """A patch that makes a video meeting is not to be sent again after an unknown outcome, unless asked for."""
    assert PATCH.repeatable
    assert not MEETING.repeatable
    asked = api.patch_event("u", "E", EventPatch(online_meeting=True), client_token="c", repeat_meeting=True)
    assert asked.repeatable


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"accessToken": "", "expireIn": 7200},
        {"accessToken": "a\r\nb", "expireIn": 7200},
        {"accessToken": 5, "expireIn": 7200},
    ],
    ids=str,
)
def test_a_useless_token_answer_is_an_error(session: CallSession, body: Any) -> None:
    """A token endpoint that answers nonsense is named, and nothing is kept of it."""
    with pytest.raises(Exception, match="GetAccessToken") as caught:
        play(attempt_call(GET, session), answer(200, body))
    assert caught.value.retryable  # type: ignore[attr-defined]
    assert session.tokens.get(SETTINGS.identity, 1000) is None
