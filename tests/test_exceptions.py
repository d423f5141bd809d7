"""Errors are made with what is known, or wrapped: what is caught stays as it was, and each caller has its own."""

from __future__ import annotations

import asyncio
import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier, Event
from traceback import TracebackException, extract_tb
from typing import Any

import pytest

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    DingTalkError,
    InvalidConnectionError,
    InvalidInputError,
    PlanIncompleteError,
    RequestError,
    TransportError,
)
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import EVENT, ORGANIZER

KNOWN: dict[str, Any] = {
    "action": "PatchEvent",
    "status_code": 503,
    "code": "busy",
    "request_id": "R",
    "required_scopes": ("Calendar.Event.Write",),
    "retryable": False,
    "retry_after": 3.0,
    "write_outcome": "unknown",
    "hint": "Wait.",
}
REQUEST_ERRORS = [
    kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, RequestError)
]


@pytest.mark.parametrize("kind", REQUEST_ERRORS)
@pytest.mark.parametrize("trip", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])  # noqa: S301
def test_copies_know_all(kind: type[RequestError], trip: Callable[[RequestError], RequestError]) -> None:
    """A copied or pickled error has class, text and members of the first."""
    error = kind("refused", **KNOWN).with_details(outcome="unknown")
    again = trip(error)
    assert type(again) is kind
    assert str(again) == str(error)
    assert vars(again) == vars(error) == {**KNOWN, "message": "refused", "outcome": "unknown"}


@pytest.mark.parametrize(
    "error",
    [
        InvalidInputError(("a", "b"), ("c", "d")),
        PlanIncompleteError("refused", counts={"total": 2}, retry_after=60.0),
        TransportError("refused", **KNOWN),
    ],
)
def test_details_make_another_error(error: DingTalkError) -> None:
    """What is added is in a new error of the class, with all that the first one knew, which stays as it was."""
    before = dict(vars(error))
    more = error.with_details(hint="Do that.")
    assert type(more) is type(error)
    assert vars(error) == before
    assert vars(more) == {**before, "hint": "Do that."}
    assert "Do that." in str(more)
    assert "Do that." not in str(error)
    with pytest.raises(TypeError, match=r"outcom$"):
        error.with_details(outcom="rejected")


def test_only_requests_have_what_http_says() -> None:
    """An input that is wrong has no status, code or outcome; whether and when to try again is known of every error."""
    common = {"message", "hint", "retryable"}
    assert vars(DingTalkError("refused")).keys() == common
    assert vars(InvalidConnectionError(("host", "is wrong"))).keys() == {*common, "problems"}
    assert vars(PlanIncompleteError()).keys() == {*common, "retry_after", "counts"}
    assert InvalidInputError().retry_after is None


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset", "times": None},
        {"kind": "error", "status": 400, "code": "paramIllegal"},
        {"kind": "body", "status": 200, "body": "nothing", "times": None},
        {"kind": "error", "status": 400, "code": "InvalidAuthentication", "times": None},
        {"kind": "error", "status": 400, "code": "invalidClientIdOrSecret", "action": "GetAccessToken"},
    ],
)
def test_tracebacks_show_each_function_once(run: Callable[..., Any], dingtalk: Emulator, fault: dict[str, Any]) -> None:
    """What is known later does not make a traceback longer: no second exception, and no function twice in a row."""
    dingtalk.fault(**{"action": "PatchEvent", **fault})
    with pytest.raises(RequestError) as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "New"})
    assert caught.value.action == fault.get("action", "PatchEvent")
    assert caught.value.outcome is not None
    shown = "".join(TracebackException.from_exception(caught.value).format())
    assert "During handling" not in shown
    assert "direct cause" not in shown
    names = [frame.name for frame in extract_tb(caught.value.__traceback__) if "airflow_dingtalk" in frame.filename]
    pairs = [name for name, following in pairwise(names) if name == following]
    assert set(pairs) <= {"_repeat_attempts"}  # which keeps the last failure while it waits


def collect(number: int, ask: Callable[[], Any]) -> list[DingTalkError]:
    """Ask from several threads at once, and return what each of them caught."""
    together = Barrier(number)

    def fail(_: int) -> DingTalkError:
        together.wait()
        with pytest.raises(DingTalkError) as caught:
            ask()
        return caught.value

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(fail, range(number)))


@pytest.mark.parametrize(("ticket", "kind"), [("old", CredentialsError), (None, InvalidConnectionError)])
def test_a_shared_failure_is_each_callers_own(
    dingtalk: Emulator,
    connect: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    ticket: str | None,
    kind: type[DingTalkError],
) -> None:
    """Threads that wait for one fetch each raise an error of their own, which what another one notes is not in."""
    reads: list[str] = []

    def read_slowly(name: str) -> str | None:
        reads.append(name)
        Event().wait(0.3)
        return ticket

    monkeypatch.setattr(airflow_compat, "read_variable", read_slowly)
    connect(extra={"auth_type": "corp_app", "corp_id": "ding-corp", "suite_ticket_variable": "the_secret_ticket"})
    dingtalk.fault(kind="error", status=400, code="invalidClientIdOrSecret")
    hook = DingTalkCalendarHook()
    errors = collect(6, lambda: hook.get_event(ORGANIZER, EVENT))
    assert len(reads) == 1
    assert {type(error) for error in errors} == {kind}
    assert len({id(error) for error in errors}) == 6
    assert len({str(error) for error in errors}) == 1
    errors[0].add_note("mine")
    assert not any(hasattr(error, "__notes__") for error in errors[1:])


def test_a_failure_shared_by_coroutines_is_each_ones_own(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """Coroutines that wait for one fetch each raise an error of their own, too."""
    connect(password="a-wrong-one")

    async def fail() -> list[Any]:
        async with DingTalkCalendarHook() as hook:
            asks = (hook.aget_event(ORGANIZER, EVENT) for _ in range(4))
            return await asyncio.gather(*asks, return_exceptions=True)

    errors = asyncio.run(fail())
    assert {type(error) for error in errors} == {CredentialsError}
    assert len({id(error) for error in errors}) == 4


def test_identities_do_not_collide(connect: Callable[..., None]) -> None:
    """Names with blanks in them cannot make one app's identity equal another's."""
    identities = []
    for app_key, corp_id in (("a b", "c"), ("a", "b c")):
        connect(login=app_key, extra={"auth_type": "unified", "corp_id": corp_id})
        identities.append(DingTalkCalendarHook().get_conn().identity)
    assert identities[0] != identities[1]
