"""The hook against DingTalk on loopback, each behaviour once with threads and once with coroutines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    CredentialsError,
    DingTalkError,
    InvalidConnectionError,
    InvalidInputError,
    InvalidPatchError,
    NotFoundError,
    PermissionDeniedError,
    RequestError,
)
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.conftest import DATA, EVENT, ORGANIZER, event
from tests.models.test_event_patch import ALL_DAY, WHOLE

Run = Callable[..., Any]
Connect = Callable[..., None]


def actions(dingtalk: Emulator) -> list[str]:
    """Name the requests that reached DingTalk."""
    return [request["action"] for request in dingtalk.requests]


def bodies(dingtalk: Emulator) -> list[dict[str, Any]]:
    """Return the bodies of the patches that reached DingTalk."""
    return [request["body"] for request in dingtalk.requests if request["action"] == "PatchEvent"]


def test_a_patch_changes_what_it_names_and_nothing_else(run: Run, dingtalk: Emulator) -> None:
    """One field is patched with one metered call, and all others stay as they were."""
    before = dingtalk.event(EVENT)
    answer = run("patch_event", ORGANIZER, EVENT, {"summary": "New"})
    after = dingtalk.event(EVENT)
    assert answer["summary"] == after["summary"] == "New"
    assert {name for name in after if after[name] != before[name]} == {"summary", "updateTime"}
    assert dingtalk.effects["calls"] == {"PatchEvent": 1}


@pytest.mark.parametrize(
    "patch", [{name: value} for name, value in WHOLE.items()] + [ALL_DAY], ids=lambda p: next(iter(p))
)
def test_each_field_arrives(run: Run, dingtalk: Emulator, patch: dict[str, Any]) -> None:
    """DingTalk gets each documented field exactly as given, with the event's id, and takes it."""
    dingtalk.configure(all_day_end="inclusive")
    run("patch_event", ORGANIZER, EVENT, patch)
    assert bodies(dingtalk) == [{"id": EVENT, **patch}]
    assert set(dingtalk.effects["updates"][0]["fields"]) - {"id"} == set(patch)


@pytest.mark.parametrize("event_id", ["a/b", "a b", "a%2Fb", "a+b=", "a?b#c", "日程", "a%", "-", "...", "x;y,z@:&"])
def test_ids_of_any_characters(run: Run, dingtalk: Emulator, event_id: str) -> None:
    """An id stays one path segment, whatever is in it."""
    dingtalk.reset(
        {
            "users": [{"unionId": "u/1", "name": "Lin"}],
            "apps": DATA["apps"],
            "events": [event(event_id, organizer={"id": "u/1"}, attendees=[])],
        }
    )
    assert run("get_event", "u/1", event_id)["id"] == event_id
    assert run("patch_event", "u/1", event_id, {"summary": "New"})["summary"] == "New"


WRONG_IDS = ["", "  ", "None", ".", "..", True, "\ud800"]


@pytest.mark.parametrize("name", ["union_id", "event_id", "calendar_id", "client_token"])
@pytest.mark.parametrize("wrong", WRONG_IDS, ids=ascii)
def test_wrong_ids_are_refused_before_anything_is_sent(run: Run, dingtalk: Emulator, name: str, wrong: Any) -> None:
    """Blank ids, and those that would leave their path segment, are refused by name."""
    arguments = {"union_id": ORGANIZER, "event_id": EVENT, "patch": {"summary": "x"}, name: wrong}
    with pytest.raises(InvalidInputError, match=name):
        run("patch_event", **arguments)
    assert dingtalk.requests == []


@pytest.mark.parametrize("token", ["a\r\nx: y", "é", "x" * 257])
def test_client_tokens_fit_into_a_header(run: Run, dingtalk: Emulator, token: str) -> None:
    """A client token cannot smuggle in another header."""
    with pytest.raises(InvalidInputError, match="client_token"):
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"}, client_token=token)
    assert dingtalk.requests == []


def test_a_wrong_patch_sends_nothing(run: Run, dingtalk: Emulator) -> None:
    """A patch that is wrong is refused before even a token is fetched."""
    with pytest.raises(InvalidPatchError, match=r"patch\.sumary"):
        run("patch_event", ORGANIZER, EVENT, {"sumary": "x"})
    assert dingtalk.requests == []


def test_the_connections_time_zone_is_the_default(run: Run, dingtalk: Emulator, connect: Connect) -> None:
    """Times without a zone are read in the argument's zone, else in the connection's."""
    connect({"timezone": "Asia/Tokyo"})
    patch = {"start": "2027-03-02T10:00", "end": "2027-03-02T11:00"}
    run("patch_event", ORGANIZER, EVENT, patch)
    run("patch_event", ORGANIZER, EVENT, patch, timezone="Europe/Berlin")
    assert [body["start"]["timeZone"] for body in bodies(dingtalk)] == ["Asia/Tokyo", "Europe/Berlin"]


def test_each_call_is_a_request_of_its_own(run: Run, dingtalk: Emulator) -> None:
    """Without a client token two equal calls are two requests; with one, DingTalk answers the same again."""
    for token in (None, None, "mine", "mine"):
        run("patch_event", ORGANIZER, EVENT, {"summary": "New"}, client_token=token)
    sent = [request["client_token"] for request in dingtalk.requests if request["action"] == "PatchEvent"]
    assert len(set(sent)) == 3
    assert len(dingtalk.effects["updates"]) == 3


def test_list_events_returns_a_page(run: Run, dingtalk: Emulator) -> None:
    """Listing passes its parameters on and returns one page with its tokens."""
    dingtalk.reset({**DATA, "events": [event(f"e{n}") for n in range(3)]})
    page = run("list_events", ORGANIZER, time_min="2027-01-01T00:00:00+08:00", max_results=2, show_deleted=True)
    assert len(page["events"]) == 2
    rest = run(
        "list_events", ORGANIZER, time_min="2027-01-01T00:00:00+08:00", max_results=2, next_token=page["nextToken"]
    )
    assert len(rest["events"]) == 1
    assert rest["nextToken"] is None
    assert "maxResults=2" in dingtalk.requests[-1]["query"]


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("list_events", {"max_results": 101}),
        ("list_events", {"max_attendees": 0}),
        ("get_event", {"event_id": EVENT, "max_attendees": 501}),
    ],
)
def test_limits_of_reading(run: Run, dingtalk: Emulator, method: str, options: dict[str, Any]) -> None:
    """Page sizes beyond the documented limits are refused before sending."""
    with pytest.raises(InvalidInputError, match="must be from 1 to"):
        run(method, ORGANIZER, **options)
    assert dingtalk.requests == []


DOCUMENTED = [
    (400, "invalidParameter", "CalendarId cannot be blank"),
    (400, "invalidParameter", "Event must be provided."),
    (400, "invalidParameter", "Event id summary cannot be blank"),
    (400, "invalidParameter", "Recurrence range numberOfOccurrences must between [1, 99]"),
    (400, "invalidParameter", "Recurrence interval must between [1, 365]"),
    (400, "invalidParameter", "Meeting room invalid"),
    (404, "itemNotFound", "forwardErrorMessage"),
]


@pytest.mark.parametrize(("status", "code", "message"), DOCUMENTED)
def test_documented_errors_are_permanent(run: Run, dingtalk: Emulator, status: int, code: str, message: str) -> None:
    """Each documented refusal of PatchEvent is raised at once with status, code, text and request id."""
    dingtalk.fault(kind="error", action="PatchEvent", status=status, code=code, message=message)
    with pytest.raises(RequestError) as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    error = caught.value
    assert (error.status_code, error.code, error.message) == (status, code, message)
    assert (error.retryable, error.outcome) == (False, "rejected")
    assert error.request_id
    assert actions(dingtalk).count("PatchEvent") == 1


def test_an_event_that_is_not_there(run: Run, dingtalk: Emulator) -> None:
    """A missing event says so, and what to check."""
    with pytest.raises(NotFoundError, match="organizer's unionId"):
        run("patch_event", ORGANIZER, "missing", {"summary": "x"})


def test_somebody_elses_event(run: Run, dingtalk: Emulator) -> None:
    """Only the organizer may update: the error says whose id union_id has to be."""
    with pytest.raises(RequestError, match="organizer's unionId"):
        run("patch_event", "iiPguest", EVENT, {"summary": "x"})
    assert dingtalk.effects["updates"] == []


WEATHER = [
    ("reset", {}),
    ("close", {}),
    ("apply_then_reset", {}),
    ("truncated", {}),
    ("html", {"status": 502}),
    ("html", {"status": 503}),
    ("error", {"status": 500, "code": "systemError"}),
    ("error", {"status": 400, "code": "system.error"}),
    ("error", {"status": 429, "code": "system.busy"}),
    ("error", {"status": 403, "code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"}),
    ("processing", {}),
    ("body", {"status": 200, "body": "<html>proxy</html>"}),
    ("body", {"status": 200, "body": {"code": "system.error", "message": "busy"}}),
    ("body", {"status": 200, "body": [1, 2]}),
    ("raw", {"text": "garbage\r\n\r\n"}),
    ("raw", {"text": "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{"}),
    ("raw", {"text": "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc"}),
    ("expire_tokens", {}),
    ("applied_error", {"status": 500, "code": "unknownError"}),
]


@pytest.mark.parametrize(("kind", "options"), WEATHER, ids=[f"{k}-{list(o.values())}"[:50] for k, o in WEATHER])
def test_bad_weather_passes(run: Run, dingtalk: Emulator, kind: str, options: dict[str, Any]) -> None:
    """A transient failure is tried again under the same client token, and takes effect once."""
    dingtalk.fault(kind=kind, action="PatchEvent", **options)
    assert run("patch_event", ORGANIZER, EVENT, {"summary": "New"})["summary"] == "New"
    assert len(dingtalk.effects["updates"]) == 1
    tokens = {request["client_token"] for request in dingtalk.requests if request["action"] == "PatchEvent"}
    assert len(tokens) == 1


def test_waits_are_bounded_and_grow(run: Run, dingtalk: Emulator, naps: list[float]) -> None:
    """Attempts are bounded, and the waits between them are too, but not shorter than asked for."""
    dingtalk.fault(
        kind="error", status=429, code="system.busy", headers={"Retry-After": "3"}, action="GetEvent", times=1
    )
    dingtalk.fault(kind="error", status=500, code="systemError", action="GetEvent", times=None)
    with pytest.raises(RequestError, match="systemError"):
        run("get_event", ORGANIZER, EVENT)
    assert actions(dingtalk).count("GetEvent") == 4
    waits = [nap for nap in naps if nap > 0.2]  # the others keep the pace
    assert len(waits) == 3
    assert waits[0] >= 3
    assert all(0.5 <= wait <= 10 for wait in waits)


@pytest.mark.parametrize(
    ("code", "wait"),
    [("Forbidden.AccessDenied.QpmLimitForAppkeyAndApi", 60.0), ("", 300.0)],
    ids=["per minute", "address banned"],
)
def test_long_waits_are_left_to_airflow(run: Run, dingtalk: Emulator, code: str, wait: float) -> None:
    """A wait of a minute or more is not slept in the worker: the error says how long, and Airflow retries."""
    rule = {"kind": "error", "status": 403, "code": code} if code else {"kind": "html", "status": 403}
    dingtalk.fault(**rule, action="PatchEvent")
    with pytest.raises(exceptions.ThrottledError) as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert (caught.value.retryable, caught.value.retry_after, caught.value.outcome) == (True, wait, "rejected")
    assert actions(dingtalk).count("PatchEvent") == 1


@pytest.mark.parametrize("kind", ["hang", "apply_then_hang"])
def test_a_server_that_hangs(run: Run, dingtalk: Emulator, connect: Connect, kind: str) -> None:
    """A silent server ends in the time-out, and the outcome of the write is called unknown."""
    connect({"timeout": 0.1, "max_attempts": 1})
    dingtalk.fault(kind=kind, action="PatchEvent")
    with pytest.raises(exceptions.TransportError, match="unknown whether this took effect") as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert (caught.value.code, caught.value.outcome) == ("ReadTimeout", "unknown")


def test_a_silent_token_endpoint(run: Run, dingtalk: Emulator, connect: Connect) -> None:
    """Waiting for a token is bounded as well, and the write is known not to have been sent."""
    connect({"timeout": 0.1, "max_attempts": 1})
    dingtalk.fault(kind="hang", action="GetAccessToken")
    with pytest.raises(exceptions.TransportError, match="GetAccessToken") as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert caught.value.outcome == "rejected"


def test_an_answer_that_drips(run: Run, dingtalk: Emulator, connect: Connect) -> None:
    """A body that never gets done ends in the time-out although each byte comes in time."""
    connect({"timeout": 0.15, "max_attempts": 1})
    dingtalk.fault(kind="drip", action="GetEvent", interval=0.02)
    with pytest.raises(exceptions.TransportError, match="too slowly"):
        run("get_event", ORGANIZER, EVENT)


def test_an_answer_without_end(run: Run, dingtalk: Emulator, connect: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body beyond the limit is not read to its end."""
    monkeypatch.setattr("airflow_dingtalk_calendar.client.limits.MAX_BODY_BYTES", 1000)
    connect({"max_attempts": 1})
    dingtalk.fault(kind="body", action="GetEvent", body="x" * 5000)
    with pytest.raises(RequestError, match="more than 1000 bytes"):
        run("get_event", ORGANIZER, EVENT)


def test_redirects_are_not_followed(run: Run, dingtalk: Emulator) -> None:
    """A redirect is an error, so the token goes to no other host."""
    dingtalk.fault(kind="redirect", action="GetEvent", location=f"{dingtalk.url}/elsewhere", times=None)
    with pytest.raises(RequestError, match="redirect"):
        run("get_event", ORGANIZER, EVENT)
    assert actions(dingtalk).count("GetEvent") == 1


@pytest.mark.parametrize(
    ("host", "text", "tries"),
    [
        ("http://127.0.0.1:9", "could not connect", 2),
        ("https://does-not-exist.invalid", "could not connect", 2),
    ],
)
def test_a_host_that_is_not_there(
    run: Run, dingtalk: Emulator, connect: Connect, naps: list[float], host: str, text: str, tries: int
) -> None:
    """A refused connection or unknown name is tried again, and is known not to have taken effect."""
    connect({"max_attempts": tries}, host=host)
    with pytest.raises(exceptions.TransportError, match=text) as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert caught.value.outcome == "rejected"
    assert len(naps) == tries - 1


def test_a_meeting_is_not_made_twice(run: Run, dingtalk: Emulator) -> None:
    """With an unknown outcome a patch that makes a video meeting is not sent again, unless asked for."""
    dingtalk.configure(replay="again")
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent")
    with pytest.raises(exceptions.TransportError) as caught:
        run("patch_event", ORGANIZER, EVENT, {"online_meeting": True})
    assert caught.value.outcome == "unknown"
    assert len(dingtalk.effects["meetings"]) == 1
    dingtalk.fault(kind="apply_then_reset", action="PatchEvent")
    run("patch_event", ORGANIZER, EVENT, {"online_meeting": True}, repeat_meeting=True)
    assert len(dingtalk.effects["meetings"]) == 3


def test_a_meeting_that_was_throttled_is_tried_again(run: Run, dingtalk: Emulator) -> None:
    """A refusal at the gateway is known not to have made a meeting, so that request is sent again."""
    dingtalk.fault(kind="error", action="PatchEvent", status=403, code="Forbidden.AccessDenied.QpsLimitForApi")
    run("patch_event", ORGANIZER, EVENT, {"online_meeting": True})
    assert len(dingtalk.effects["meetings"]) == 1


def test_fifty_coroutines_fetch_one_token(dingtalk: Emulator) -> None:
    """Fifty calls that start cold at the same time make one token request."""

    async def crowd() -> list[Any]:
        async with DingTalkCalendarHook() as hook:
            return await asyncio.gather(*(hook.aget_event(ORGANIZER, EVENT) for _ in range(50)))

    assert len(asyncio.run(crowd())) == 50
    assert dingtalk.effects["tokens_issued"] == 1
    assert actions(dingtalk).count("GetAccessToken") == 1


def test_twenty_threads_fetch_one_token(dingtalk: Emulator) -> None:
    """Twenty threads with hooks of their own that start cold make one token request."""

    def one(_: int) -> Any:
        with DingTalkCalendarHook() as hook:
            return hook.get_event(ORGANIZER, EVENT)

    with ThreadPoolExecutor(20) as pool:
        assert len(list(pool.map(one, range(20)))) == 20
    assert actions(dingtalk).count("GetAccessToken") == 1


def test_an_expired_token_is_renewed_once_for_all(dingtalk: Emulator) -> None:
    """When the token of many calls expires at once, one of them renews it."""

    async def crowd() -> None:
        async with DingTalkCalendarHook() as hook:
            await hook.aget_event(ORGANIZER, EVENT)
            dingtalk.fault(kind="expire_tokens", action="GetEvent")
            await asyncio.gather(*(hook.aget_event(ORGANIZER, EVENT) for _ in range(20)))

    asyncio.run(crowd())
    assert actions(dingtalk).count("GetAccessToken") == 2


def test_cancelling_one_call_leaves_the_others(dingtalk: Emulator) -> None:
    """Cancelling the call that fetches the token, or one that waits for it, does not harm the rest."""

    async def crowd() -> list[Any]:
        async with DingTalkCalendarHook() as hook:
            dingtalk.fault(kind="hang", action="GetAccessToken", seconds=0.1)
            calls = [asyncio.ensure_future(hook.aget_event(ORGANIZER, EVENT)) for _ in range(5)]
            await asyncio.sleep(0.03)
            calls[0].cancel()
            calls[3].cancel()
            return await asyncio.gather(*calls, return_exceptions=True)

    results = asyncio.run(crowd())
    assert [type(result).__name__ for result in results] == ["CancelledError", "dict", "dict", "CancelledError", "dict"]


def test_one_hook_serves_several_event_loops(dingtalk: Emulator) -> None:
    """A hook used in one event loop after the other opens connections in each."""
    hook = DingTalkCalendarHook()

    async def once() -> Any:
        async with hook:
            return await hook.aget_event(ORGANIZER, EVENT)

    assert asyncio.run(once()) == asyncio.run(once())
    assert hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    hook.close()
    assert hook.get_event(ORGANIZER, EVENT)["id"] == EVENT
    hook.close()


def test_connections_are_reused(dingtalk: Emulator) -> None:
    """A hook keeps its connection open between calls."""
    with DingTalkCalendarHook() as hook:
        for _ in range(5):
            hook.get_event(ORGANIZER, EVENT)
        pool = hook._http._client._transport._pool  # type: ignore[attr-defined]
        assert len(pool.connections) == 1


def test_a_proxy_of_the_environment_is_not_for_this_machine(
    run: Run, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HTTP_PROXY does not keep an emulator on loopback from being reached."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert run("get_event", ORGANIZER, EVENT)["id"] == EVENT


def test_connection_test_says_yes(dingtalk: Emulator) -> None:
    """A good connection tests well, and changes nothing."""
    assert DingTalkCalendarHook().test_connection() == (
        True,
        f"Connected to {dingtalk.url}; the app may read and write events.",
    )
    assert dingtalk.effects["updates"] == []


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"password": "another-made-up"}, "invalidClientIdOrSecret"),
        ({"login": "another-app"}, "app secret"),
        ({"login": None}, "connection.login"),
        ({"host": "http://api.dingtalk.com"}, "https"),
        ({"host": "http://127.0.0.1:9"}, "could not connect"),
        ({"extra": {"timezone": "Mars"}}, "connection.extra.timezone"),
    ],
    ids=str,
)
def test_connection_test_says_what_is_wrong(
    dingtalk: Emulator, connect: Connect, fields: dict[str, Any], text: str
) -> None:
    """The test names the credential or field that is wrong, without showing a secret, also with a token kept."""
    DingTalkCalendarHook().get_event(ORGANIZER, EVENT)
    connect(**fields)
    good, message = DingTalkCalendarHook().test_connection()
    assert not good
    assert text in message
    assert "made-up" not in message


@pytest.mark.parametrize("granted", [[], ["Calendar.Event.Read"], ["Calendar.Event.Write"]], ids=str)
def test_connection_test_names_missing_permissions(dingtalk: Emulator, granted: list[str]) -> None:
    """The test names each permission that the app lacks."""
    apps = [{**app, "scopes": granted} for app in DATA["apps"]]
    dingtalk.reset({**DATA, "apps": apps})
    good, message = DingTalkCalendarHook().test_connection()
    assert not good
    for scope in ("Calendar.Event.Read", "Calendar.Event.Write"):
        assert (scope in message) == (scope not in granted)


def test_a_missing_permission_in_a_call(run: Run, dingtalk: Emulator) -> None:
    """A call without the permission fails for good and names it."""
    apps = [{**app, "scopes": []} for app in DATA["apps"]]
    dingtalk.reset({**DATA, "apps": apps})
    with pytest.raises(PermissionDeniedError) as caught:
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert caught.value.required_scopes == ("Calendar.Event.Write",)


def test_wrong_credentials_in_a_call(run: Run, dingtalk: Emulator, connect: Connect) -> None:
    """A wrong secret fails for good, without retries, and mentions the regions."""
    connect(password="another-made-up")
    with pytest.raises(CredentialsError, match=r"api\.dingtalk\.com is China's"):
        run("patch_event", ORGANIZER, EVENT, {"summary": "x"})
    assert actions(dingtalk) == ["GetAccessToken"]


def test_a_missing_connection_is_airflows_error(dingtalk: Emulator) -> None:
    """A connection id that nobody defined is reported by Airflow, by name."""
    good, message = DingTalkCalendarHook("nowhere").test_connection()
    assert not good
    assert "nowhere" in message


def test_a_bad_ca_bundle_is_named(run: Run, connect: Connect) -> None:
    """A CA bundle that is not there is named before anything is sent."""
    connect({"verify": "/nowhere.pem"})
    with pytest.raises(InvalidConnectionError, match=r"extra\.verify"):
        run("get_event", ORGANIZER, EVENT)


def test_methods_show_their_parameters() -> None:
    """Generated methods have the endpoint's parameters and docstring."""
    assert list(signature(DingTalkCalendarHook().get_event).parameters)[:2] == ["union_id", "event_id"]
    assert DingTalkCalendarHook.aget_event.__name__ == "aget_event"
    assert "metered call" in (DingTalkCalendarHook.list_events.__doc__ or "")


def test_errors_survive_pickling(dingtalk: Emulator) -> None:
    """Errors keep their attributes across processes."""
    import pickle

    with pytest.raises(DingTalkError) as caught:
        DingTalkCalendarHook().patch_event(ORGANIZER, "missing", {"summary": "x"})
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301
    assert str(again) == str(caught.value)
    assert again.outcome == "rejected"
    wrong = pickle.loads(pickle.dumps(InvalidPatchError(("a", "b"), ("c", "d"))))  # noqa: S301
    assert str(wrong) == "a: b; c: d"


def test_json_connection_without_extra(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection without extra works."""
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps({**dingtalk.connection(), "extra": None}))
    assert DingTalkCalendarHook().get_event(ORGANIZER, EVENT)["id"] == EVENT


def test_masking_from_a_coroutine_can_reach_its_event_loop(dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Airflow 3.0 masking speaks to the supervisor on the event loop: the trigger's own, not another one."""
    loops = []

    async def mask() -> None:
        loops.append(asyncio.get_running_loop())

    async def call() -> None:
        loops.append(asyncio.get_running_loop())
        async with DingTalkCalendarHook() as hook:
            await hook.aget_event(ORGANIZER, EVENT)

    monkeypatch.setattr("airflow_dingtalk_calendar.hooks.airflow_steps.mask_secret", lambda _: async_to_sync(mask)())
    asyncio.run(call())
    assert len(loops) >= 2
    assert len(set(map(id, loops))) == 1
