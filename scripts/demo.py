"""``make demo``: Airflow runs an example DAG against a DingTalk calendar on this machine.

Everything happens below ``.airflow-demo/``; of that, only the migrated database is kept for the next time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import REVIEW

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".airflow-demo"
LOG = HOME / "demo.log"
LOCK = HOME / "lock"
DATABASE = HOME / "airflow.db"
MIGRATED = HOME / f"migrated-{version('apache-airflow')}.db"
PARTIAL = HOME / "migrated.partial"
DAG_ID = "dingtalk_patch_event"
STEP_LIMIT = 240  # seconds
SHOWN = ("summary", "description", "start", "end", "location", "reminders", "attendees")

Event = dict[str, Any]


class StepError(Exception):
    """A step went wrong; the text says which, and how."""


def main() -> int:
    """Run the demo; the exit code says whether all of it worked."""
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    try:
        with home(), emulator() as dingtalk:
            demonstrate(dingtalk)
    except BrokenPipeError:  # nobody reads on
        sys.stderr.close()
        return 1
    except (StepError, OSError, sqlite3.Error) as error:
        say(f"\nFAILED: {error}")
        return 1
    except KeyboardInterrupt:
        say("\nInterrupted; nothing is left running.")
        return 130
    return 0


def demonstrate(dingtalk: Emulator) -> None:
    """Change an event, and show what happened."""
    environment = airflow_environment(dingtalk)
    prepare_database(environment)
    before = dingtalk.event(REVIEW)
    airflow("Airflow runs dags_examples/patch_event.py", "dags", "test", DAG_ID, environment=environment)
    after = dingtalk.event(REVIEW)
    if before == after:
        raise StepError(f"the DAG ran, but the event is as it was. Airflow's output: {LOG}")

    show("The event before", event_lines(before))
    show("What changed", change_lines(dingtalk.effects["updates"]))
    show("The event after", event_lines(after))
    show("What DingTalk did", effect_lines(dingtalk.effects))
    show("What Airflow has on record: the task, and its XComs", record_lines())
    show("Where to look next", next_lines())


# -- what runs ----------------------------------------------------------------------------------------------


@contextmanager
def home() -> Iterator[None]:
    """Hold the demo's directory, without whatever an earlier run has left there but the migrated database."""
    HOME.mkdir(exist_ok=True)
    with LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StepError(f"another demo is running in {HOME}.") from None
        remove(*set(HOME.iterdir()) - {LOCK, MIGRATED})
        yield


def remove(*paths: Path) -> None:
    """Remove files and directories."""
    for path in paths:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


@contextmanager
def emulator() -> Iterator[Emulator]:
    """Run a DingTalk calendar on a free port of this machine."""
    with Emulator() as dingtalk:
        say(f"The emulator of DingTalk, with a small calendar, listens at {dingtalk.url}")
        yield dingtalk


def airflow_environment(dingtalk: Emulator) -> dict[str, str]:
    """Describe an Airflow of our own: no settings of the user's, and the connection given by environment."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags_examples"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{DATABASE}",
        "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(dingtalk.connection()),
        "NO_COLOR": "1",
    }


def prepare_database(environment: dict[str, str]) -> None:
    """Give Airflow a fresh database; migrating an empty one takes a while, so a migrated one is kept to copy."""
    if not is_migrated(MIGRATED):
        airflow("Airflow makes its database (the first time only)", "db", "migrate", environment=environment)
        with closing(sqlite3.connect(DATABASE)) as connection:
            connection.execute("VACUUM INTO ?", (str(PARTIAL),))
        PARTIAL.replace(MIGRATED)  # under this name there is never half of one
        remove(*HOME.glob("airflow.db*"))
    shutil.copyfile(MIGRATED, DATABASE)


def is_migrated(database: Path) -> bool:
    """Tell whether this is a whole database with Airflow's tables."""
    if not database.is_file():
        return False
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
            return connection.execute("PRAGMA quick_check").fetchone() == ("ok",)
    except (sqlite3.Error, TypeError):
        return False


def airflow(step: str, *arguments: str, environment: dict[str, str]) -> None:
    """Run an ``airflow`` command, its output going to the log."""
    say(f"{step} (some 15 s) ...", end=" ")
    start = time.monotonic()
    with LOG.open("a+", encoding="utf-8", errors="replace") as log:
        log.write(f"\n$ airflow {' '.join(arguments)}\n")
        log.flush()
        begin = log.tell()
        command = [sys.executable, "-m", "airflow", *arguments]
        with process(command, env=environment, cwd=HOME, stdout=log, stderr=subprocess.STDOUT) as child:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(STEP_LIMIT)
            code = child.poll()
        log.seek(begin)
        last = "".join(log.readlines()[-15:])
    said = "done" if code == 0 else f"not done after {STEP_LIMIT} s" if code is None else f"failed (exit code {code})"
    say(f"{said}, {time.monotonic() - start:.0f} s")
    if code != 0:
        raise StepError(f"{step} (airflow {' '.join(arguments)}). The end of {LOG}:\n\n{last}")


@contextmanager
def process(command: list[str], **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command in a process group of its own, which is gone at the end of the block."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
    try:
        yield child
    finally:
        for ending in (signal.SIGTERM, signal.SIGKILL):
            if child.poll() is None:
                os.killpg(child.pid, ending)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    child.wait(5)


# -- what is shown ------------------------------------------------------------------------------------------


def say(text: str, end: str = "\n") -> None:
    """Print at once, also into a pipe."""
    print(text, end=end, flush=True)


def show(title: str, lines: Iterable[tuple[str, str]]) -> None:
    """Print a table of two columns under a title."""
    rows = list(lines)
    width = max(len(name) for name, _ in rows)
    say(f"\n{title}")
    for name, text in rows:
        say(f"  {name:<{width}}  {text}")


def event_lines(event: Event) -> Iterator[tuple[str, str]]:
    """Describe an event."""
    for name in SHOWN:
        yield name, in_words(name, event.get(name))


def change_lines(updates: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Describe the fields that differ, each before and after."""
    for update in updates:
        for name, (before, after) in update["changed"].items():
            yield name, f"{in_words(name, before)}  ->  {in_words(name, after)}"


def in_words(name: str, value: Any) -> str:
    """Write a field's value for people."""
    match name, value:
        case _, None | "" | []:
            return "-"
        case _, {"dateTime": moment, "timeZone": zone}:
            return f"{dt.datetime.fromisoformat(moment):%a %Y-%m-%d %H:%M} {zone}"
        case _, {"displayName": text}:
            return str(text)
        case "reminders", _:
            return f"{' and '.join(str(one['minutes']) for one in value)} minutes before"
        case "attendees", _:
            return ", ".join(one["displayName"] for one in value)
    return str(value)


def effect_lines(effects: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Describe what the patch cost and whom it notified."""
    for call, count in effects["calls"].items():
        yield "metered calls", f"{count} ({call})"
    notified = {one["kind"]: one["recipients"] for one in effects["notifications"]}
    yield "push message", f"to {notified['push']} people" if "push" in notified else "none"
    yield "chat card", f"to {notified['chat']} people" if "chat" in notified else "none, as the patch asked"


def record_lines() -> Iterator[tuple[str, str]]:
    """Read Airflow's database, where the next task would find the XComs (its tables are those of Airflow 3.3)."""
    with closing(sqlite3.connect(DATABASE)) as connection:
        yield from connection.execute(
            "SELECT task_id, state || ', try ' || try_number FROM task_instance WHERE dag_id = ?", (DAG_ID,)
        )
        xcoms = connection.execute("SELECT key, value FROM xcom WHERE dag_id = ? ORDER BY key", (DAG_ID,)).fetchall()
    if not xcoms:
        raise StepError(f"the DAG ran, but Airflow's database has no XCom of it. Airflow's output: {LOG}")
    for key, value in xcoms:
        text = value_of(value)
        yield key, text if len(text) <= 100 else f"{text[:100]} ... ({len(text)} characters)"


def value_of(stored: str) -> str:
    """Undo Airflow's storing: JSON text in a column of type JSON."""
    value = json.loads(stored)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    return json.dumps(value, ensure_ascii=False)


def next_lines() -> Iterator[tuple[str, str]]:
    """Say where to go from here."""
    yield "the DAG", "dags_examples/patch_event.py, and more beside it"
    yield "your own DAG", "docs/quickstart.md; .venv has Airflow, this package and the emulator"
    yield "the calendar", ".venv/bin/python -m airflow_dingtalk_calendar.emulator  (the sample anew: open its address)"
    yield "your DingTalk", "README.md, Connecting to DingTalk"
    yield "Airflow's output", str(LOG.relative_to(ROOT))


if __name__ == "__main__":
    sys.exit(main())
