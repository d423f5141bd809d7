"""A call from its first attempt to its end, as steps that somebody else carries out.

The generators decide what happens next (wait for a token, fetch one, keep the pace, send, renew the token, wait and
try again); ``run`` and ``arun`` of the hook carry the steps out, with or without ``await``. So the rules stand here
once, and no network, clock or sleep is needed to test them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Hashable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from airflow_dingtalk_calendar.api import Call
from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.client import auth, token_cache
from airflow_dingtalk_calendar.client.effects import AwaitFetch, Effect, SendRequest, Sleep
from airflow_dingtalk_calendar.client.rate_limiter import RATE_LIMITER, RateLimiter
from airflow_dingtalk_calendar.client.responses import interpret_answer
from airflow_dingtalk_calendar.client.retry import backoff_seconds
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.exceptions import (
    MAX_WAIT_IN_TASK,
    Interrupted,
    RequestError,
    ThrottledError,
    TokenRejectedError,
)

T = TypeVar("T")
log = logging.getLogger(__name__)
TOKEN_HEADER = "x-acs-dingtalk-access-token"  # noqa: S105  # the header's name


@dataclass(slots=True)
class CallSession:
    """What the attempts of one call have in common.

    :ivar lane: who can wait for whom: the running event loop, or None in a thread.
    :ivar clock: a monotonic clock, for what stays in this process.
    :ivar wall_clock: the time of day, for what other processes read.
    :ivar unknown: whether an attempt ended without telling whether it took effect.
    """

    settings: ConnectionSettings
    lane: Hashable
    clock: Callable[[], float]
    wall_clock: Callable[[], float]
    tokens: token_cache.TokenCache = field(default_factory=lambda: token_cache.TOKEN_CACHE)
    limiter: RateLimiter = field(default_factory=lambda: RATE_LIMITER)
    unknown: bool = False


def run_call(call: Call[T], session: CallSession) -> Generator[Effect, Any, T]:
    """Carry out a call, in as many attempts as it takes and may take.

    A success that lacks what the endpoint documents is completed by one more call: a read by itself, a write by the
    call that reads back what came of it.

    :raises RequestError: of the last attempt.
    :raises Interrupted: when whoever carries out the steps gives up waiting before anything was sent.
    """
    found = yield from _repeat_attempts(call, session)
    if not isinstance(found, Odd):
        return found
    settled: T = yield from _settle_odd(call, found, session)
    return settled


def _settle_odd(call: Call[T], found: Odd[T], session: CallSession) -> Generator[Effect, Any, T]:
    source = call.read_back if call.writes else call
    if not found.lacking or source is None:
        log.warning("%s %s", call.action, found.text)
        return found.result
    log.warning("%s %s It is read once more, with one more metered call.", call.action, found.text)
    try:
        again = yield from _repeat_attempts(source, replace(session, unknown=False))
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
    number, failure, seconds = 1, None, 0.0
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
        pause = backoff_seconds(failure, call, number, session.settings.max_attempts)
        if pause is None:
            raise failure
        log.warning("Attempt %d failed, next in %.1f s: %s", number, pause, failure)
        number, seconds = number + 1, pause


def attempt_call(call: Call[T], session: CallSession) -> Generator[Effect, Any, T | Odd[T]]:
    """Try a call once; a refused token is renewed once and the request sent once more.

    :raises RequestError: with ``outcome`` set when the call writes: once one attempt's outcome is unknown, no
        later failure makes it known.
    """
    try:
        if call.credential == "none":
            return (yield from _send_request(call, session, ""))
        return (yield from _send_authenticated(call, session))
    except RequestError as error:
        error.action = error.action or call.action
        if call.writes and error.outcome is None:
            session.unknown = session.unknown or error.write_outcome == "unknown"
            error.outcome = "unknown" if session.unknown else "rejected"
        raise


def _send_authenticated(call: Call[T], session: CallSession) -> Generator[Effect, Any, T | Odd[T]]:
    token = yield from _obtain_token(session)
    try:
        return (yield from _send_request(call, session, token))
    except TokenRejectedError:
        session.tokens.discard(session.settings.identity, token)
    token = yield from _obtain_token(session, refused=token)
    return (yield from _send_request(call, session, token))


def _send_request(call: Call[T], session: CallSession, token: str) -> Generator[Effect, Any, T | Odd[T]]:
    lane = f"{session.settings.identity} {call.action}"
    yield from _await_turn(lane, session)
    answer = yield _add_token(call, token)
    try:
        return interpret_answer(call, answer, token, session.settings.app_secret)
    except ThrottledError as error:
        seconds = error.retry_after or 0.0
        if seconds <= MAX_WAIT_IN_TASK:  # longer waits are not for a process that does its work meanwhile
            session.limiter.hold_until(lane, session.clock() + seconds)
        raise


def _await_turn(lane: str, session: CallSession) -> Generator[Effect, Any, None]:
    place = session.limiter.join_queue(lane, session.clock())
    try:
        while (seconds := session.limiter.next_wait(lane, place, session.clock(), session.settings.max_qps)) > 0:
            yield Sleep(seconds)
    finally:
        session.limiter.leave_queue(lane, place)


def _add_token(call: Call[Any], token: str) -> SendRequest:
    match call.credential:
        case "header":
            return SendRequest(call, {**call.headers, TOKEN_HEADER: token})
        case "form":  # of the legacy host; in the URL, where that host takes it too, logs would show it
            return SendRequest(replace(call, form={**(call.form or {}), "access_token": token}), call.headers)
        case _:
            return SendRequest(call, call.headers)


def _obtain_token(session: CallSession, refused: str | None = None) -> Generator[Effect, Any, str]:
    """Get a good token: the kept one, or the one that this or another caller fetches now."""
    settings, tokens = session.settings, session.tokens
    while (token := tokens.get(settings.identity, session.clock())) is None:
        claim = tokens.claim_fetch(settings.identity, session.lane)
        if not claim.leads:
            yield from _join_fetch(claim)
            continue
        try:
            yield from _fill_cache(session, refused)
        except BaseException as error:
            tokens.finish_fetch(claim, _shareable_error(error))
            raise
        tokens.finish_fetch(claim)
    return token.value


def _fill_cache(session: CallSession, refused: str | None) -> Generator[Effect, Any, None]:
    settings, asked = session.settings, session.clock()
    try:
        token = yield from auth.fetch_token(settings, session.wall_clock, refused)
    except RequestError as error:
        # Whatever the token endpoint did, the call that needs the token was not sent.
        error.write_outcome = "rejected"
        raise
    session.tokens.store(settings.identity, token.value, token.lifetime, asked)


def _join_fetch(claim: token_cache.FetchClaim) -> Generator[Effect, Any, None]:
    try:
        yield AwaitFetch(claim.done)
    except RequestError as error:
        raise copy(error) from None  # each caller's own, to say what it means for that call


def _shareable_error(error: BaseException) -> BaseException | None:
    """Share a failure, but not one caller's being cancelled or told to end: then another one fetches."""
    if isinstance(error, Interrupted) or not isinstance(error, Exception):
        return None
    return copy(error) if isinstance(error, RequestError) else error  # not all of others' errors can be copied
