"""What Airflow's command line says about the provider and its connections."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.connection import form
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from tests.conftest import DATA
from tests.project.test_provider import modules_added_by
from tests.security.test_secrets import SECRET
from tests.standalone import environment

pytestmark = pytest.mark.airflow

NAME = "airflow-dingtalk-calendar"
COMMANDS = {
    "list": "providers list --output json",
    "get": f"providers get {NAME} --full --output json",
    "hooks": "providers hooks --output json",
    "test": "connections test dingtalk_default",
}

Done = subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Done]:
    """What the commands said, all run at the same time: each takes seconds to start."""
    with Emulator(DATA) as dingtalk, ThreadPoolExecutor() as pool:
        env = {
            **environment(tmp_path_factory.mktemp("airflow")),
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(dingtalk.connection()),
        }
        return dict(zip(COMMANDS, pool.map(partial(airflow, env), COMMANDS.values()), strict=True))


def airflow(env: dict[str, str], command: str) -> Done:
    """Run a command of Airflow."""
    arguments = [sys.executable, "-m", "airflow", *command.split()]
    return subprocess.run(arguments, env=env, capture_output=True, text=True, timeout=120, check=False)


def table(done: Done) -> list[dict[str, Any]]:
    """Return the table that a command printed."""
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def test_the_provider_is_listed(done: dict[str, Done]) -> None:
    """``airflow providers list`` has us, with our version."""
    versions = {row["package_name"]: row["version"] for row in table(done["list"])}
    assert versions[NAME] == __version__


def test_the_provider_is_described(done: dict[str, Done]) -> None:
    """``airflow providers get --full`` shows the modules and the connection form that our metadata names."""
    (shown,) = table(done["get"])
    info = get_provider_info()
    assert [shown[key] for key in ("package-name", "hooks", "operators")] == [NAME, info["hooks"], info["operators"]]
    (connection,) = shown["connection-types"]
    assert connection["conn-fields"].keys() == form.FORM_FIELDS.keys()


def test_the_hook_is_listed(done: dict[str, Done]) -> None:
    """``airflow providers hooks`` has our hook, which Airflow can import."""
    (hook,) = [row for row in table(done["hooks"]) if row["connection_type"] == "dingtalk"]
    assert hook["class"] == "airflow_dingtalk_calendar.hooks.calendar.DingTalkCalendarHook"
    assert (hook["hook_name"], hook["conn_id_attribute_name"]) == ("DingTalk", "dingtalk_conn_id")


def test_a_connection_is_tested(done: dict[str, Done]) -> None:
    """``airflow connections test`` succeeds for a connection given by environment."""
    assert done["test"].returncode == 0, done["test"].stderr
    assert "Connection success" in done["test"].stdout


def test_no_command_shows_a_secret(done: dict[str, Done]) -> None:
    """Nothing that a command prints holds the app secret."""
    assert SECRET not in "".join(one.stdout + one.stderr for one in done.values())


def test_the_connection_form_needs_no_code_of_ours() -> None:
    """Airflow makes the connection form from metadata, without importing the hook or a library for forms."""
    added = modules_added_by(
        "from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService as Service; "
        "assert 'dingtalk' in [form.connection_type for form in Service.hook_meta_data()]",
        after="pass",
    )
    assert "airflow_dingtalk_calendar.connection.form" in added
    assert not {name for name in added if name.startswith("airflow_dingtalk_calendar.hooks")}
    assert not {name.split(".")[0] for name in added} & {"flask", "flask_appbuilder", "flask_babel", "wtforms"}
