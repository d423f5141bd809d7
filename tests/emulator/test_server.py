"""The emulator as a context manager, and its settings."""

from __future__ import annotations

import socket
import threading
import time

import httpx
import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import ONE_TO_ONE, REVIEW, SAMPLE


def test_it_answers_as_soon_as_it_is_entered(http):
    """There is nothing to wait for."""
    with Emulator() as dingtalk:
        assert http.get(dingtalk.url + "/_emulator/settings").status_code == 200


def test_it_ends_at_once_with_everything_that_hangs():
    """Leaving the block cuts hanging requests, frees the port and takes less than half a second."""
    with Emulator() as dingtalk:
        port = int(dingtalk.url.rsplit(":", 1)[1])
        dingtalk.fault(kind="hang", times=None)
        outcome = []
        thread = threading.Thread(target=lambda: outcome.append(_get_outcome(dingtalk.url)))
        thread.start()
        while not dingtalk.requests:
            time.sleep(0.005)
        began = time.monotonic()
    assert time.monotonic() - began < 0.5
    thread.join(1)
    assert outcome in (["ReadError"], ["RemoteProtocolError"])
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))


def _get_outcome(url):
    try:
        return httpx.get(url + "/v1.0/anything", timeout=5, trust_env=False).status_code
    except httpx.TransportError as error:
        return type(error).__name__


def test_a_port_can_be_chosen(http):
    """The port given is the port used, and its state survives leaving and entering again."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    dingtalk = Emulator(port=port)
    for _ in range(2):
        with dingtalk:
            assert dingtalk.url == f"http://127.0.0.1:{port}"
            assert http.get(dingtalk.url + "/_emulator/events").status_code == 200


def test_it_can_listen_on_ipv6(http):
    """Loopback has a second address."""
    with Emulator(host="::1") as dingtalk:
        assert dingtalk.url.startswith("http://[::1]:")
        assert http.get(dingtalk.url + "/_emulator/events").status_code == 200


def test_the_connection_is_complete(dingtalk):
    """The dict has what an Airflow connection to it needs."""
    app = SAMPLE["apps"][0]
    assert dingtalk.connection() == {
        "conn_type": "dingtalk",
        "login": app["appKey"],
        "password": app["appSecret"],
        "host": dingtalk.url,
        "extra": {"timezone": "Asia/Shanghai"},
    }


def test_settings_are_given_at_the_start_and_come_back_with_a_reset():
    """Switches of the constructor are the initial ones; a reset may add others."""
    dingtalk = Emulator(replay="again", qps_limit="5")
    assert (dingtalk.store.settings.replay, dingtalk.store.settings.qps_limit) == ("again", 5)
    dingtalk.configure(replay="stored")
    dingtalk.reset(qps_limit=7)
    assert (dingtalk.store.settings.replay, dingtalk.store.settings.qps_limit) == ("again", 7)


def test_an_unknown_setting_names_the_nearest():
    """A typing mistake is reported with what was probably meant."""
    with pytest.raises(ValueError, match="unknown setting 'attendee', did you mean 'attendees'"):
        Emulator(attendee="append")


@pytest.mark.parametrize(
    ("name", "value"),
    [("replay", "x"), ("qps_limit", "many"), ("token_lifetime", float("inf")), ("service_time", None)],
)
def test_a_setting_is_of_its_kind(dingtalk, name, value):
    """A wrong value is refused and changes nothing."""
    with pytest.raises(ValueError, match=name):
        dingtalk.configure(**{name: value})


def test_service_time_is_what_a_call_takes(client, dingtalk):
    """Simulated latency is added to each call."""
    dingtalk.configure(service_time=0.05)
    began = time.monotonic()
    client.get(REVIEW)
    assert time.monotonic() - began >= 0.05


def test_answers_do_not_wait_for_the_network_to_be_quiet(client):
    """A kept-open connection answers in a few milliseconds, not after a delayed acknowledgement."""
    client.get(REVIEW)
    began = time.monotonic()
    for _ in range(10):
        client.get(REVIEW)
    assert time.monotonic() - began < 0.3


def test_a_clock_can_be_injected():
    """Time is whatever the clock says."""
    with Emulator(clock=lambda: 1_800_000_000.0) as dingtalk:
        assert dingtalk.store.timestamp() == "2027-01-15T16:00:00+08:00"


def test_many_requests_at_once(client, dingtalk):
    """Pipelined requests on one connection are answered in their order."""
    token = client.headers["x-acs-dingtalk-access-token"]
    url = httpx.URL(client.url(ONE_TO_ONE))
    request = f"GET {url.raw_path.decode()} HTTP/1.1\r\nhost: x\r\nx-acs-dingtalk-access-token: {token}\r\n\r\n"
    with socket.create_connection((url.host, url.port), timeout=2) as connection:
        connection.sendall(request.encode() * 3)
        received = b""
        while received.count(b"HTTP/1.1 200") < 3:
            received += connection.recv(65536)


def test_a_request_cut_off_has_no_effect(client, dingtalk):
    """A client that leaves before its body is complete has not asked for anything."""
    url = httpx.URL(client.url(ONE_TO_ONE))
    request = f"PUT {url.raw_path.decode()} HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{{"
    before = len(dingtalk.requests)
    with socket.create_connection((url.host, url.port), timeout=2) as connection:
        connection.sendall(request.encode())
    assert client.get(ONE_TO_ONE).status_code == 200
    assert len(dingtalk.requests) == before + 1
