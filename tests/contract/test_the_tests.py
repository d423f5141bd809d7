"""The contract tests themselves, without a tenant: what they cost, what they cover, how a tenant is described."""

from __future__ import annotations

import ast
import inspect
import re
import time
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.client import token_cache
from airflow_dingtalk_calendar.client.auth import UserGrant
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.server import AUTH_TYPES
from airflow_dingtalk_calendar.emulator.state.sample import CHEN, LIN
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from tests.contract import conftest, places, probes, test_errors, test_operations, test_stream, test_unverified
from tests.contract.calendars import Calendar
from tests.contract.places import PREFIX, Place, in_tenant

HERE = Path(__file__).parent
CONTRIBUTING = (HERE.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
README = (HERE / "README.md").read_text(encoding="utf-8")
ASKED = {"HOST": "https://api.dingtalk.io", "APP_KEY": "k", "APP_SECRET": "s", "UNION_ID": "u", "GUEST_UNION_ID": "g"}

here = pytest.mark.parametrize("place", ["emulator"], indirect=True)


def described(**variables: str) -> Place | None:
    """Read a description as from the environment."""
    return in_tenant({"HOME": "/", **{PREFIX + name: value for name, value in variables.items()}})


def calls(marks: Any) -> int:
    """Return the number that the one mark says."""
    (number,) = (mark.args[0] for mark in marks if mark.name == "calls")
    return int(number)


def prices(test: FunctionType) -> list[int]:
    """Return the calls that each case of a test makes; a case whose calls are not said is an error."""
    marks = getattr(test, "pytestmark", [])
    cases = [case for mark in marks if mark.name == "parametrize" for case in mark.args[1]] or [None]
    return [calls([*marks, *getattr(case, "marks", ())]) for case in cases]


def contract(*modules: ModuleType) -> list[FunctionType]:
    """Return the tests of some modules that a tenant is asked by, too."""
    found = [value for module in modules for name, value in vars(module).items() if name.startswith("test_")]
    return [test for test in found if here.mark not in getattr(test, "pytestmark", [])]


def test_a_run_costs_what_is_said() -> None:
    """The calls of all tests add up to the figure that the documentation gives."""
    total = sum(sum(prices(test)) for test in contract(test_errors, test_operations, test_stream, test_unverified))
    for text in (conftest.__doc__ or "", README, CONTRIBUTING):
        assert re.search(r"(\d+)\s+metered\s+calls", text).group(1) == str(total)  # type: ignore[union-attr]


def test_every_operation_is_covered() -> None:
    """Each function that makes a call of its own is used, by the hook or to list pages."""
    sources = [ast.parse(path.read_text(encoding="utf-8")) for path in HERE.glob("*.py")]
    used = {node.attr for tree in sources for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    makes = {
        name: str(inspect.signature(getattr(api, name)).return_annotation)
        for name in dir(DingTalkCalendarHook)
        if name in api.__all__
    }
    operations = {name for name, made in makes.items() if made.startswith("Call")} | {"test_connection"}
    assert len(operations) > 15
    assert operations <= used


def test_the_variables_are_those_of_the_table() -> None:
    """The tests' page names each variable, and says which are needed."""
    rows = re.findall(rf"^\| `{PREFIX}(\w+)` \| (\w*)", README, re.MULTILINE)
    assert [name for name, needed in rows if needed == "yes"] == list(places.REQUIRED)
    assert [name for name, needed in rows if needed != "yes"] == list(places.OPTIONAL)


def test_without_variables_there_is_no_tenant() -> None:
    """No variable, or only empty ones, is no tenant and no error."""
    assert described() is None
    assert described(HOST="", STAFF_ID="") is None


@pytest.mark.parametrize(
    ("variables", "named"),
    [({"HOST": "x", "UNION_ID": "u"}, "APP_KEY"), ({**ASKED, "STAF_ID": "x"}, "STAF_ID")],
    ids=["missing", "unknown"],
)
def test_a_description_that_is_wrong(variables: dict[str, str], named: str) -> None:
    """What is missing or misspelt is named."""
    with pytest.raises(ValueError, match=PREFIX + named):
        described(**variables)


def test_a_description_shows_no_secret() -> None:
    """What pytest prints of a tenant has no secret in it, and the other region is known."""
    tenant = described(**{**ASKED, "APP_SECRET": "made-up-secret", "SUITE_TICKET": "made-up-ticket"})
    assert tenant
    assert "made-up" not in repr(tenant)
    assert tenant.elsewhere == "https://api.dingtalk.com"


@pytest.mark.parametrize("auth_type", AUTH_TYPES)
def test_a_tenant_is_reached_with_each_type_of_app(
    emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth_type: str
) -> None:
    """The variables are enough to connect, and a grant that is renewed goes back to its file."""
    file = tmp_path / "grant.json"
    code = emulator.authorization_code(LIN)
    variables = {
        **ASKED,
        "HOST": emulator.url,
        "APP_KEY": emulator.app_key,
        "APP_SECRET": emulator.app_secret,
        "AUTH_TYPE": auth_type,
        "CORP_ID": emulator.corp_id,
        "SUITE_TICKET": emulator.suite_ticket,
        "GRANT_FILE": str(file),
    }
    token_cache.TOKEN_CACHE.clear()
    tenant = described(**variables)
    assert tenant
    conftest.lead_to(tenant, monkeypatch)
    with DingTalkCalendarHook(conftest.CONNECTION) as hook:
        call = api.get_user_token(emulator.app_key, emulator.app_secret, code=code)
        old = UserGrant.from_token(hook.run(call), time.time() - 7200)
        file.write_text(old.dump())
        assert hook.list_calendars(LIN)
    new = UserGrant.parse(file.read_text())
    assert (new != old) == (auth_type == "user")


@here
def test_all_events_are_deleted_in_the_end(calendar: Calendar, hook: DingTalkCalendarHook) -> None:
    """Cleaning up deletes what is left, and does not mind what is gone."""
    gone, left = calendar.create(), calendar.create(attendees=[CHEN])
    hook.delete_event(LIN, gone["id"], push_notification=False)
    calendar.clean_up()
    assert [calendar.get(event)["status"] for event in (gone, left)] == ["cancelled", "cancelled"]


@here
def test_a_read_is_repeated_while_there_is_patience(place: Place, hook: DingTalkCalendarHook) -> None:
    """A list that lags behind is asked again, but not forever."""
    patient = Calendar(Place("x", place.connection, LIN, CHEN, patience=(0.0, 0.0)), hook)
    assert patient.eventually(iter([1, 2, 3]).__next__, lambda answer: answer == 2) == 2
    assert patient.eventually(iter([1, 2, 3]).__next__, lambda answer: False) == 3


def test_findings_become_switches() -> None:
    """What a tenant does otherwise than the emulator is written as the emulator's options."""
    *rows, command = probes.findings({"attendees": "append", "replay": "stored", "instance_patch": probes.UNSEEN})
    assert [row.split()[0] for row in rows] == ["attendees", "replay", "instance_patch"]
    assert command == "python -m airflow_dingtalk_calendar.emulator --set attendees=append"
