"""The same tests on the emulator (``make test``) and in a DingTalk tenant (``make test-contract``).

They use the hook and nothing else, and judge only by what the service answers. In a tenant, one full run costs
157 metered calls (the monthly quota is 5,000) and creates 42 events (a user may create 100 a day); waiting for lists
that lag behind can add some calls. How many calls a test makes stands in its mark ``calls``, and is checked on the
emulator. Everything is deleted in the end, is 700 days ahead, and notifies nobody as far as the API allows; only
the guest sees invitations in the calendar.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.hooks import airflow_compat
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.contract.calendars import Calendar
from tests.contract.places import Place, in_tenant, on_emulator
from tests.contract.probes import findings
from tests.contract.stream import Gateway

CONNECTION = "dingtalk_contract"
SEEN: pytest.StashKey[dict[str, str]] = pytest.StashKey()


@pytest.fixture(autouse=True)
def naps() -> None:
    """Time passes here as it does for users: what the package waits for in a tenant, it has to wait for."""


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Access tokens are kept from test to test, because DingTalk wants them fetched seldom."""


@pytest.fixture(scope="session")
def emulator() -> Iterator[Emulator]:
    """DingTalk on loopback, with the sample calendar."""
    with Emulator() as running:
        yield running


@pytest.fixture(scope="session")
def other_region(emulator: Emulator) -> Iterator[Emulator]:
    """Another DingTalk on loopback, which does not know the app."""
    with Emulator({"apps": [{"appKey": "another-app", "appSecret": "made-up"}]}) as running:
        yield running


@pytest.fixture(params=["emulator", pytest.param("tenant", marks=pytest.mark.tenant)])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Place:
    """The service to ask; the connection ``dingtalk_contract`` leads to it."""
    if request.param == "emulator":
        found = on_emulator(request.getfixturevalue("emulator"), request.getfixturevalue("other_region"))
    else:
        found = request.getfixturevalue("tenant")
    lead_to(found, monkeypatch)
    return found


@pytest.fixture(scope="session")
def tenant() -> Place:
    """The tenant that the environment describes."""
    try:
        found = in_tenant(os.environ)
    except ValueError as error:
        pytest.exit(f"The tenant is not described well: {error}", returncode=pytest.ExitCode.USAGE_ERROR)
    return found or pytest.skip("no tenant: set DINGTALK_TEST_HOST and the others that tests/contract/README.md names")


def lead_to(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the connection ``dingtalk_contract`` lead to a service."""
    monkeypatch.setattr(airflow_compat, "read_variable", place.read)
    monkeypatch.setattr(airflow_compat, "write_variable", place.write)
    monkeypatch.setenv(f"AIRFLOW_CONN_{CONNECTION.upper()}", json.dumps(place.connection))


@pytest.fixture
def metered(request: pytest.FixtureRequest, place: Place) -> Iterator[None]:
    """See on the emulator that the test makes as many metered calls as its mark says."""
    mark = request.node.get_closest_marker("calls")
    if place.name != "emulator" or mark is None:
        yield
        return
    emulator: Emulator = request.getfixturevalue("emulator")
    before = sum(emulator.effects["calls"].values())
    yield
    assert sum(emulator.effects["calls"].values()) - before == mark.args[0]


@pytest.fixture
def hook(place: Place, metered: None) -> Iterator[DingTalkCalendarHook]:
    """The hook, connected to the service."""
    with DingTalkCalendarHook(CONNECTION) as connected:
        yield connected


@pytest.fixture
def calendar(place: Place, hook: DingTalkCalendarHook) -> Iterator[Calendar]:
    """The organizer's calendar; the test's events are deleted in the end, whatever has happened."""
    working = Calendar(place, hook)
    yield working
    working.clean_up()


@pytest.fixture
def gateway(place: Place, metered: None, request: pytest.FixtureRequest) -> Gateway:
    """The gateway of Stream mode; on the emulator nothing has to be waited for."""
    if not place.stream:
        pytest.skip("needs DINGTALK_TEST_STREAM")
    emulator: Emulator | None = request.getfixturevalue("emulator") if place.name == "emulator" else None
    return Gateway(place, emulator.advance_clock if emulator else None)


@pytest.fixture
def as_app(place: Place) -> None:
    """For what only an app can do, because it can act for anybody."""
    if place.auth_type == "user":
        pytest.skip("a person's token is good for that person's calendar only")


@pytest.fixture
def as_person(place: Place, hook: DingTalkCalendarHook, request: Any, monkeypatch: Any) -> DingTalkCalendarHook:
    """A hook that acts as the organizer, who has authorized the app."""
    if place.name == "emulator":
        emulator: Emulator = request.getfixturevalue("emulator")
        connection = emulator.connection("user")
        code = emulator.authorization_code(place.organizer)
        grant = UserGrant.from_token(
            hook.run(api.get_user_token(emulator.app_key, emulator.app_secret, code=code)), time.time()
        )
        monkeypatch.setattr(airflow_compat, "read_variable", lambda name: grant.dump())
        monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_PERSON", json.dumps(connection))
        return DingTalkCalendarHook("dingtalk_person")
    if place.auth_type != "user":
        pytest.skip("needs DINGTALK_TEST_AUTH_TYPE=user and DINGTALK_TEST_GRANT_FILE")
    return hook


@pytest.fixture
def seen(pytestconfig: pytest.Config, place: Place) -> dict[str, str]:
    """What the probes have seen of the tenant so far, for the end of the run."""
    return pytestconfig.stash.setdefault(SEEN, {}) if place.name == "tenant" else {}


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Show what the tenant does where the documentation leaves it open."""
    if found := config.stash.get(SEEN, None):
        terminalreporter.section("what DingTalk does where its documentation leaves it open")
        for line in findings(found):
            terminalreporter.write_line(line)
