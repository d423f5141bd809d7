"""Each kind of fault as a client sees it, and what the ledger says about it."""

from __future__ import annotations

import base64
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from airflow_dingtalk_calendar.emulator.state.fault_rules import FAULT_KINDS
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW
from airflow_dingtalk_calendar.emulator.web.fault_actions import FAULT_ACTIONS


def count_updates(dingtalk):
    """Return how many updates were applied."""
    return len(dingtalk.effects["updates"])


def test_error(client, dingtalk):
    """An error answers instead of executing, with any status, header and further member."""
    dingtalk.fault(kind="error", status=429, code="system.busy", message="m", headers={"Retry-After": "7"}, wait=5)
    answer = client.patch(REVIEW, summary="x")
    assert answer.status_code == 429
    assert answer.json() == {
        "code": "system.busy",
        "message": "m",
        "wait": 5,
        "requestid": answer.headers["x-acs-request-id"],
    }
    assert answer.headers["retry-after"] == "7"
    assert count_updates(dingtalk) == 0
    assert dingtalk.effects["calls"] == {}


def test_applied_error(client, dingtalk):
    """The error comes although the request was applied."""
    dingtalk.fault(kind="applied_error", status=503, code="serviceBusy")
    assert client.patch(REVIEW, summary="x").json()["code"] == "serviceBusy"
    assert count_updates(dingtalk) == 1


def test_applied_body(client, dingtalk):
    """The answer is what was asked for although the request was applied."""
    dingtalk.fault(kind="applied_body", body={})
    assert client.patch(REVIEW, summary="x").json() == {}
    assert count_updates(dingtalk) == 1


def test_other_id(client, dingtalk):
    """The answer to a patch has another event's id, and nothing else is different."""
    dingtalk.fault(kind="other_id", id="not-this-one")
    answer = client.patch(REVIEW, summary="x").json()
    assert (answer["id"], answer["summary"]) == ("not-this-one", "x")
    assert count_updates(dingtalk) == 1
    dingtalk.fault(kind="other_id")
    assert "id" not in client.patch("no-such-event", summary="x").json()


def test_html(client, dingtalk):
    """An HTML page comes where JSON is expected."""
    dingtalk.fault(kind="html", status=403, body="<h1>denied</h1>")
    answer = client.patch(REVIEW, summary="x")
    assert (answer.status_code, answer.text) == (403, "<h1>denied</h1>")
    assert answer.headers["content-type"].startswith("text/html")
    assert count_updates(dingtalk) == 0


@pytest.mark.parametrize(
    ("body", "text"),
    [({"status": 1111}, '{"status": 1111}'), ("not json", "not json"), (None, "null"), ([], "[]")],
)
def test_body(client, dingtalk, body, text):
    """Any JSON or any text can be the answer."""
    dingtalk.fault(kind="body", status=200, body=body, headers={"X-Made-Up": "yes"})
    answer = client.get(REVIEW)
    assert (answer.text, answer.headers["x-made-up"]) == (text, "yes")


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_body(client, dingtalk, status):
    """Statuses that have no body get none."""
    dingtalk.fault(kind="body", status=status, body="x")
    answer = client.get(REVIEW)
    assert (answer.status_code, answer.content) == (status, b"")


def test_redirect(client, dingtalk):
    """A redirect leads elsewhere."""
    dingtalk.fault(kind="redirect", location="https://login.example.com/")
    answer = client.get(REVIEW)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://login.example.com/")


def test_processing(client, dingtalk):
    """A request can be answered that it is still being processed."""
    dingtalk.fault(kind="processing")
    answer = client.patch(REVIEW, client_token="t", summary="x")
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotencyProcessing")
    assert client.patch(REVIEW, client_token="t", summary="x").status_code == 200


def test_expire_tokens(client, dingtalk):
    """All tokens expire just before the request; a new one works."""
    dingtalk.fault(kind="expire_tokens", action="PatchEvent")
    assert client.patch(REVIEW, summary="x").json()["code"] == "InvalidAuthentication"
    assert client.log_in().patch(REVIEW, summary="x").status_code == 200


def test_hang_then_execute(client, dingtalk):
    """A request is applied late, even if nobody waits for it any more."""
    dingtalk.fault(kind="hang", seconds=0.2)
    with pytest.raises(httpx.ReadTimeout):
        client.http.put(client.url(REVIEW), json={"id": REVIEW, "summary": "x"}, headers=client.headers, timeout=0.05)
    assert count_updates(dingtalk) == 0
    wait_until(lambda: count_updates(dingtalk) == 1)


def test_a_hanging_request_does_not_take_its_token(client, dingtalk):
    """What hangs has not arrived yet, so its repetition is executed."""
    dingtalk.fault(kind="hang", seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.patch, REVIEW, client_token="t", summary="x")
        wait_until(lambda: len(dingtalk.requests) == 2)
        assert client.patch(REVIEW, client_token="t", summary="x").status_code == 200
        assert late.result().status_code == 200
    assert count_updates(dingtalk) == 1


def test_apply_then_hang(client, dingtalk):
    """A request is applied and its answer comes late."""
    dingtalk.fault(kind="apply_then_hang", seconds=0.2)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.patch, REVIEW, summary="x")
        wait_until(lambda: count_updates(dingtalk) == 1)
        assert not late.done()
        assert late.result().json()["summary"] == "x"


def test_what_hangs_over_a_reset_is_dropped(client, dingtalk):
    """A request from before a reset does nothing after it."""
    dingtalk.fault(kind="hang", seconds=0.15)
    with ThreadPoolExecutor(1) as pool:
        late = pool.submit(client.patch, REVIEW, summary="x")
        wait_until(lambda: len(dingtalk.requests) == 2)
        dingtalk.reset()
        with pytest.raises(httpx.ReadError):
            late.result()
    assert count_updates(dingtalk) == 0
    assert dingtalk.requests == []


@pytest.mark.parametrize(("kind", "updates"), [("reset", 0), ("apply_then_reset", 1)])
def test_reset(client, dingtalk, kind, updates):
    """The connection is reset, before or after the request was applied."""
    dingtalk.fault(kind=kind)
    with pytest.raises(ConnectionResetError):
        client.raw(REVIEW, patch_bytes("x"))
    assert count_updates(dingtalk) == updates
    assert dingtalk.requests[-1]["status"] is None


def test_close(client, dingtalk):
    """The connection ends properly, without an answer."""
    dingtalk.fault(kind="close")
    assert client.raw(REVIEW, patch_bytes("x")) == b""
    assert count_updates(dingtalk) == 0


def test_truncated(client, dingtalk):
    """Half of the announced answer comes, of a request that was applied."""
    dingtalk.fault(kind="truncated")
    head, _, half = client.raw(REVIEW, patch_bytes("x")).partition(b"\r\n\r\n")
    announced = int(next(line for line in head.split(b"\r\n") if line.startswith(b"content-length")).split()[1])
    assert len(half) == announced // 2
    assert count_updates(dingtalk) == 1


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"text": "HTTP/1.1 999 Odd\r\n\r\n"}, b"HTTP/1.1 999 Odd\r\n\r\n"),
        ({"base64": base64.b64encode(b"\xff\x00garbage").decode()}, b"\xff\x00garbage"),
        ({}, b""),
    ],
)
def test_raw(client, dingtalk, given, expected):
    """Any bytes can be the answer."""
    dingtalk.fault(kind="raw", **given)
    assert client.raw(REVIEW, patch_bytes("x")) == expected
    assert count_updates(dingtalk) == 0


def test_drip(client, dingtalk):
    """The answer comes byte by byte, whole in the end."""
    dingtalk.fault(kind="drip", interval=0.0001)
    arrived = []
    with client.http.stream("GET", client.emulator.url + "/nothing") as answer:
        arrived += answer.iter_raw()
    assert len(arrived) > 20
    assert b"".join(arrived) == client.http.get(client.emulator.url + "/nothing").content


def test_rules_wait_hit_and_end(client, dingtalk):
    """A rule lets some requests pass, then hits some, then is spent; the listing has what remains."""
    dingtalk.fault(kind="error", action="GetEvent", skip=1, times=2)
    assert [client.get(REVIEW).status_code for _ in range(4)] == [200, 500, 500, 200]
    assert client.list().status_code == 200
    (rule,) = client.control("GET", "faults").json()
    assert (rule["skip"], rule["times"]) == (0, 0)


def test_a_rule_can_hold_for_ever(client, dingtalk):
    """With times None there is no end."""
    dingtalk.fault(kind="error", times=None)
    assert {client.get(REVIEW).status_code for _ in range(5)} == {500}


def test_rules_are_asked_in_their_order(client, dingtalk):
    """A request hit by one rule is not seen by the next."""
    for status in (500, 503):
        dingtalk.fault(kind="error", status=status)
    assert [client.get(REVIEW).status_code for _ in range(3)] == [500, 503, 200]


def test_any_action_means_tokens_and_unknown_paths_too(stranger, dingtalk):
    """The star matches every request to DingTalk, and no action but the star matches an unknown path."""
    dingtalk.fault(kind="error", times=2)
    assert stranger.token().status_code == 500
    assert stranger.http.get(stranger.emulator.url + "/nothing").status_code == 500
    dingtalk.fault(kind="error", action="GetAccessToken")
    assert stranger.http.get(stranger.emulator.url + "/nothing").status_code == 200
    assert stranger.token().status_code == 500


def test_the_log_names_the_fault(client, dingtalk):
    """The request log has which kind of fault hit."""
    dingtalk.fault(kind="error", code="made.up")
    client.get(ONE_TO_ONE)
    assert (dingtalk.requests[-1]["fault"], dingtalk.requests[-1]["code"]) == ("error", "made.up")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "resett"}, "did you mean 'reset'"),
        ({}, "unknown kind"),
        ({"kind": ["reset"]}, "unknown kind"),
        ({"kind": "hang", "second": 5}, "did you mean 'seconds'"),
        ({"kind": "hang", "seconds": "long"}, "seconds cannot be 'long'"),
        ({"kind": "hang", "seconds": -1}, "seconds"),
        ({"kind": "error", "action": "PatchEvents"}, "did you mean 'PatchEvent'"),
        ({"kind": "error", "status": 99}, "status"),
        ({"kind": "error", "headers": {"a": "b\r\nc: d"}}, "headers"),
        ({"kind": "error", "headers": {"Content-Length": "5"}}, "headers"),
        ({"kind": "error", "code": 5}, "code"),
        ({"kind": "reset", "times": -1}, "times"),
        ({"kind": "reset", "skip": "1"}, "skip"),
        ({"kind": "raw", "base64": "?"}, "base64"),
        ({"kind": "close", "actions": 1}, "actions"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(dingtalk, rule, message):
    """A wrong rule is a ValueError that says what is wrong, and is not added."""
    with pytest.raises(ValueError, match=message):
        dingtalk.fault(**rule)
    assert dingtalk.store.faults.rules == []


def patch_bytes(summary):
    """Return the bytes of a patch of the review."""
    return f'{{"id": "{REVIEW}", "summary": "{summary}"}}'.encode()


def wait_until(condition):
    """Wait until a condition holds, a second at most."""
    deadline = time.monotonic() + 1
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_every_kind_of_fault_does_something():
    """What a rule can name is what there is an action for."""
    assert FAULT_ACTIONS.keys() == {name for name, kind in FAULT_KINDS.items() if kind.on_requests}
