"""A call from its first attempt to its end, as steps that the hook performs.

The generators decide what happens next (wait for a token, fetch one, wait for the rate limit, send, renew the token,
wait and try again); ``run`` and ``arun`` of the hook perform them, with or without ``await``. So the rules stand
here once, and no network, clock or sleep is needed to test them.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Generator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.client import auth, token_cache
from airflow_dingtalk_calendar.client.call_counter import CallCounter
from airflow_dingtalk_calendar.client.clock import Clock
from airflow_dingtalk_calendar.client.effects import AwaitFetch, Effect, FetchToken, SendRequest, Sleep
from airflow_dingtalk_calendar.client.exchange import run_exchange
from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER, Lane, RateLimiter, Turn
from airflow_dingtalk_calendar.client.retry import backoff_seconds
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    MAX_WAIT_IN_TASK,
    DingTalkError,
    Interrupted,
    Outcome,
    RequestError,
    ThrottledError,
    TokenRejectedError,
)

T = TypeVar("T")
log = logging.getLogger(__name__)
# Whether a new token of a third-party app ends the ones before it is UNVERIFIED. If so, processes end each other's.
MAX_RENEWALS = 3
YOUNG_TOKEN = 60.0  # seconds: the service has no reason of its own to refuse one of that age
RENEWAL_JITTER = 1.0  # seconds
CONTENTION_HINT = (
    "Each of several new tokens was refused, maybe because other processes renewed theirs: see the documentation on "
    "several workers."
)
TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105  # the header's name


@dataclass(slots=True)
class CallSession:
    """What the attempts of one call have in common.

    :ivar may_wait: whether it may wait for another caller's fetch: not if that blocks an event loop.
    :ivar attempt: number of the attempt under way.
    :ivar unknown: whether an attempt ended without showing whether it took effect.
    :ivar sent: how many requests have been sent.
    """

    settings: ConnectionSettings
    may_wait: bool
    clock: Clock
    tokens: token_cache.TokenCache = token_cache.TOKEN_CACHE
    limiter: RateLimiter = RATE_LIMITER
    attempt: int = 1
    unknown: bool = False
    sent: int = 0
    counter: CallCounter = field(default_factory=CallCounter)


def run_call(call: Call[T], session: CallSession) -> Generator[Effect, Any, T]:
    """Run a call, in as many attempts as it takes and may take.

    A success that lacks what the endpoint documents is completed by one more call: a read by itself, a write by the
    call that reads back what came of it.

    :raises RequestError: of the last attempt.
    :raises Interrupted: when the caller gives up waiting before anything was sent.
    """
    found = yield from _repeat_attempts(call, session)
    if not isinstance(found, Odd):
        return found
    settled: T = yield from _settle_odd(call, found, session)
    return settled


def _settle_odd(call: Call[T], found: Odd[T], session: CallSession) -> Generator[Effect, Any, T]:
    source = (call.read_back and call.read_back()) if call.writes else call
    if not found.lacking or source is None:
        log.warning("%s %s", call.action, found.text)
        return found.result
    log.warning("%s %s It is read once more, with one more metered call.", call.action, found.text)
    try:
        again = yield from _repeat_attempts(source, replace(session, attempt=1, unknown=False, sent=0))
    except (RequestError, Interrupted) as error:
        if not call.writes:
            raise
        # It has taken effect, so nothing that comes of reading it back is a reason to send it again.
        log.warning("%s has taken effect, but what came of it could not be read back: %s", call.action, error)
        return found.result
    if not isinstance(again, Odd):
        return again
    log.warning("%s %s That counts as it is, the second time.", source.action, again.text)
    return again.result


def _repeat_attempts(call: Call[T], session: CallSession) -> Generator[Effect, Any, T | Odd[T]]:
    failure, seconds = None, 0.0
    while True:
        try:
            if seconds:
                yield Sleep(seconds)
            return (yield from attempt_call(call, session))
        except RequestError as error:
            failure = error
        except Interrupted:
            if failure is None:
                raise
            raise failure from None  # of which nobody knows more than before
        pause = backoff_seconds(failure, call, session.attempt, session.settings.max_attempts)
        if pause is None:
            raise failure
        log.warning("Attempt %d failed, next in %.1f s: %s", session.attempt, pause, failure)
        session.attempt, seconds = session.attempt + 1, pause


def attempt_call(call: Call[T], session: CallSession) -> Generator[Effect, Any, T | Odd[T]]:
    """Try a call once; a refused token is renewed and the request sent again, up to :data:`MAX_RENEWALS` times.

    :raises RequestError: with ``outcome`` set when the call writes: once one attempt's outcome is unknown, no
        later failure makes it known.
    """
    try:
        if call.credential == "none":
            return (yield from _send_request(call, session, ""))
        return (yield from _send_authenticated(call, session))
    except RequestError as error:
        known = {
            "action": error.action or call.action,
            "outcome": error.outcome or _write_outcome(call, error, session),
        }
        raise error.with_details(**known) from error.__cause__


def _write_outcome(call: Call[Any], error: RequestError, session: CallSession) -> Outcome | None:
    if not call.writes:
        return None
    session.unknown = session.unknown or error.write_outcome == "unknown"
    return "unknown" if session.unknown else "rejected"


def _send_authenticated(call: Call[T], session: CallSession) -> Generator[Effect, Any, T | Odd[T]]:
    refused: set[str] = set()
    while True:
        token = yield from _obtain_token(session)
        try:
            return (yield from _send_request(call, session, token))
        except TokenRejectedError as error:
            if len(refused) == MAX_RENEWALS:
                raise error.with_details(hint=CONTENTION_HINT) from error.__cause__
            if token in refused:
                raise
        refused.add(token)
        session.tokens.discard(session.settings.identity, token, session.clock.monotonic())


def _send_request(call: Call[T], session: CallSession, token: str) -> Generator[Effect, Any, T | Odd[T]]:
    lane, secrets = (session.settings.identity, call.action), (token, session.settings.app_secret)
    turn = yield from _await_turn(lane, session)
    try:
        with session.counter.count_request(call, session.clock, repeated=session.sent > 0):
            session.sent += 1
            return (yield from run_exchange(_add_token(call, token), session.clock, *secrets, attempt=session.attempt))
    except ThrottledError as error:
        seconds = error.retry_after or 0.0
        if seconds <= MAX_WAIT_IN_TASK:  # longer waits are not for a process that does its work meanwhile
            session.limiter.hold_until(lane, session.clock.monotonic() + seconds)
        raise
    finally:
        session.limiter.note_answer(turn, session.clock.monotonic())


def _await_turn(lane: Lane, session: CallSession) -> Generator[Effect, Any, Turn]:
    turn = session.limiter.join_queue(lane, session.clock.monotonic())
    try:
        while (seconds := session.limiter.next_wait(turn, session.clock.monotonic(), session.settings.max_qps)) > 0:
            yield Sleep(seconds)
    except BaseException:  # who goes has left the queue
        session.limiter.leave_queue(turn)
        raise
    return turn


def _add_token(call: Call[T], token: str) -> SendRequest[T]:
    match call.credential:
        case "header":
            return SendRequest(call, {**call.headers, TOKEN_HEADER: token})
        case "form":  # of the legacy host; in the URL, where that host takes it too, logs would show it
            return SendRequest(replace(call, form={**(call.form or {}), "access_token": token}), call.headers)
        case _:
            return SendRequest(call, call.headers)


def _obtain_token(session: CallSession) -> Generator[Effect, Any, str]:
    """Get a good token: the kept one, or the one that this or another caller fetches now."""
    identity, tokens = session.settings.identity, session.tokens
    while (token := tokens.get(identity, session.clock.monotonic())) is None:
        claim = tokens.claim_fetch(identity, session.may_wait)
        if claim.leads:
            steps = _lead_fetch(session, claim)
            next(steps)  # begun, so that the claim ends whatever the outcome of the steps
            return cast("str", (yield FetchToken(steps)))
        yield from _join_fetch(claim)
    return token.value


def _lead_fetch(session: CallSession, claim: token_cache.FetchClaim) -> Generator[Any, Any, str]:
    try:
        yield
        # another fetch may have ended between the cache lookup and the claim
        token = session.tokens.get(claim.identity, session.clock.monotonic()) or (yield from _fill_cache(session))
    except BaseException as error:
        session.tokens.finish_fetch(claim, _shareable_error(error))
        raise
    session.tokens.finish_fetch(claim)
    return token.value


def _fill_cache(session: CallSession) -> Generator[Effect, Any, token_cache.CachedToken]:
    settings, refused = session.settings, session.tokens.refused(session.settings.identity)
    if refused and refused.age < YOUNG_TOKEN:  # another process has ended it: leave it some time to use its own
        yield Sleep(random.uniform(0.0, RENEWAL_JITTER))  # noqa: S311  # no secret
    # The lifetime is counted from before the request: for DingTalk it may have begun by then.
    asked = session.clock.monotonic()
    try:
        token = yield from auth.fetch_token(settings, session.clock, refused.value if refused else None)
    except RequestError as error:
        # Whatever the token endpoint did, the call that needs the token was not sent.
        raise error.with_details(write_outcome="rejected") from error.__cause__
    return session.tokens.store(settings.identity, token.value, token.lifetime, asked)


def _join_fetch(claim: token_cache.FetchClaim) -> Generator[Effect, Any, None]:
    try:
        yield AwaitFetch(claim.done)
    except DingTalkError as error:
        raise deepcopy(error) from None  # each caller's own, without the other callers' tracebacks and notes


def _shareable_error(error: BaseException) -> BaseException | None:
    """Share a failure, but not that one caller was cancelled or asked to stop: then another one fetches."""
    if isinstance(error, Interrupted) or not isinstance(error, Exception):
        return None
    return deepcopy(error) if isinstance(error, DingTalkError) else error  # not all of others' errors can be copied
