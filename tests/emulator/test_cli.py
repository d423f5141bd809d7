"""``python -m airflow_dingtalk_calendar.emulator`` as a process."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

import airflow_dingtalk_calendar
from airflow_dingtalk_calendar.emulator.__main__ import main
from airflow_dingtalk_calendar.emulator.state.sample import SAMPLE

COMMAND = [sys.executable, "-m", "airflow_dingtalk_calendar.emulator"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(airflow_dingtalk_calendar.__file__).parent.parent)}
DATA = {
    "apps": [{"appKey": "it's a key", "appSecret": "s"}],
    "events": [
        {
            "id": "only",
            "summary": "会议",
            "start": {"date": "2038-05-01"},
            "end": {"date": "2038-05-02"},
            "organizer": {"id": "u"},
        }
    ],
}


@contextmanager
def running_process(*arguments):
    """Run the command until the block ends."""
    process = subprocess.Popen([*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def usage_error(capsys):
    """Return a function that returns the usage error of a command that does not start."""

    def complaint(*arguments):
        with suppress(SystemExit):
            assert main(arguments) == 1
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    return complaint


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_and_ends_on_a_signal(stop):
    """The first line is the URL; an interrupt or a termination ends it cleanly, also with a request hanging."""
    with running_process() as process:
        url = process.stdout.readline().strip()
        httpx.post(url + "/_emulator/faults", json={"kind": "hang"}, trust_env=False)
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url + "/v1.0/x", timeout=0.1, trust_env=False)
        process.send_signal(stop)
        assert process.wait(5) == 0


def test_the_connection_can_be_pasted(tmp_path):
    """--print-connection prints an export that a shell understands, whatever is in the credentials."""
    file = tmp_path / "data.json"
    file.write_text(json.dumps(DATA), encoding="utf-8")
    with running_process(
        "--data", str(file), "--print-connection", "--set", "replay=again", "--set", "qps_limit=3"
    ) as process:
        url, line = (process.stdout.readline().strip() for _ in range(2))
        export, assignment = shlex.split(line)
        name, _, value = assignment.partition("=")
        assert (export, name) == ("export", "AIRFLOW_CONN_DINGTALK_DEFAULT")
        assert json.loads(value)["login"] == "it's a key"
        assert json.loads(value)["host"] == url
        settings = httpx.get(url + "/_emulator/settings", trust_env=False).json()
        assert (settings["replay"], settings["qps_limit"]) == ("again", 3)
        assert httpx.get(url + "/_emulator/events", trust_env=False).json()[0]["summary"] == "会议"


def test_a_connection_for_another_kind_of_app_can_be_pasted():
    """--auth-type chooses it, and a third-party app's ticket comes along as the Variable it names."""
    with running_process("--print-connection", "--auth-type", "corp_app") as process:
        process.stdout.readline()
        connection, variable = (shlex.split(process.stdout.readline())[1] for _ in range(2))
        extra = json.loads(connection.partition("=")[2])["extra"]
        assert extra["auth_type"] == "corp_app"
        assert variable == f"AIRFLOW_VAR_{extra['suite_ticket_variable'].upper()}={SAMPLE['suiteTicket']}"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com", "::"])  # noqa: S104
def test_it_stays_on_this_machine(host, usage_error):
    """A host that is not loopback is refused unless it is meant."""
    assert "--allow-remote" in usage_error("--host", host)


def test_wrong_arguments_are_reported(tmp_path, usage_error):
    """Mistakes in switches and data end it with a message and no traceback."""
    broken, wrong = tmp_path / "broken.json", tmp_path / "wrong.json"
    broken.write_text("{", encoding="utf-8")
    wrong.write_text('{"apps": [{"appKey": "k"}]}', encoding="utf-8")
    cases = {
        "did you mean 'replay'": ["--set", "replays=again"],
        "is not NAME=VALUE": ["--set", "replay"],
        "broken.json": ["--data", str(broken)],
        "apps[0].appSecret": ["--data", str(wrong)],
        "invalid choice": ["--auth-type", "apps"],
        "No such file": ["--data", str(tmp_path / "absent.json")],
    }
    for expected, arguments in cases.items():
        assert expected in usage_error(*arguments)


def test_a_taken_port_is_reported(dingtalk, usage_error):
    """If it cannot listen it says so and ends with 1."""
    port = dingtalk.url.rsplit(":", 1)[1]
    assert "cannot listen" in usage_error("--port", port)


def test_it_says_what_it_can_do(capsys):
    """--help lists the arguments."""
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    for argument in ("--host", "--port", "--data", "--set", "--print-connection", "--auth-type", "--allow-remote"):
        assert argument in shown
