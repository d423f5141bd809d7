"""The example that brings a calendar file into a calendar: Airflow runs it again and again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, SAMPLE
from tests.airflow_runs import Run
from tests.conftest import HOME
from tests.dags_examples.test_all_examples import EXAMPLES, dag_bag

FILE = "import_holidays.py"


@pytest.fixture
def folder(airflow_db: None, dingtalk: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The example and its file, in a folder that Airflow runs DAGs from; DingTalk with the sample calendar."""
    dingtalk.reset(SAMPLE)
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    place = HOME / "dags" / "imports"
    place.mkdir()
    shutil.copy(EXAMPLES / FILE, place)
    shutil.copytree(EXAMPLES / "calendars", place / "calendars")
    yield place
    shutil.rmtree(place)


@pytest.fixture
def imports(folder: Path) -> Callable[..., Run]:
    """Run the example."""

    def run(**conf: Any) -> Run:
        dag = dag_bag(folder).dags["dingtalk_import_holidays"]
        for task in dag.tasks:
            task.retries = 0  # a failure shows at once
        return Run(dag.test(run_conf=conf))

    return run


def titles(dingtalk: Emulator) -> list[str]:
    """Return the titles of the events that were created, in their order."""
    return [row["changed"]["summary"][1] for row in dingtalk.effects["writes"] if row["action"] == "CreateEvent"]


def edit_file(folder: Path, old: str, new: str) -> None:
    """Change the calendar file."""
    path = folder / "calendars" / "holidays.ics"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def states(run: Run) -> list[str]:
    """Return the states of the three tasks."""
    return [run.state(name) for name in ("plan", "apply", "remember")]


def check_again_and_again(dingtalk: Emulator, folder: Path, imports: Callable[..., Run], **conf: Any) -> None:
    """Import the file, import it again, and once more when one of its events has changed."""
    assert states(imports(**conf)) == ["success"] * 3
    made = ["Founders' day", "Inventory, the office is closed", "Company meeting"]
    assert sorted(titles(dingtalk)) == sorted(made)
    spent = dict(dingtalk.effects["calls"])
    assert states(imports(**conf)) == ["skipped"] * 3
    assert dingtalk.effects["calls"] == spent == {"CreateEvent": 3}
    edit_file(folder, "LOCATION:Warehouse", "LOCATION:Warehouse\\, gate 2")
    assert states(imports(**conf)) == ["success"] * 3
    (update,) = dingtalk.effects["updates"]
    assert (update["fields"], len(titles(dingtalk))) == (["location"], 3)
    assert states(imports(**conf)) == ["skipped"] * 3


def test_with_a_variable(dingtalk: Emulator, folder: Path, imports: Callable[..., Run]) -> None:
    """With a Variable, the second run does nothing, and a changed event is patched in what has changed."""
    check_again_and_again(dingtalk, folder, imports, variable="imported")


def test_with_the_state_store(dingtalk: Emulator, folder: Path, imports: Callable[..., Run]) -> None:
    """On Airflow 3.3 and later, the asset's state store does the same without a Variable."""
    pytest.importorskip("airflow.sdk.execution_time.context")
    from airflow.sdk.execution_time import context

    if not hasattr(context, "AssetStateStoreAccessors"):
        pytest.skip("a state store came with Airflow 3.3")
    check_again_and_again(dingtalk, folder, imports)


def test_without_either_it_is_refused(
    dingtalk: Emulator, folder: Path, imports: Callable[..., Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing can be kept, nothing is created: each run would create everything again."""
    spec = (folder / FILE).read_text().replace('context.get("asset_state_store")', "None")
    (folder / FILE).write_text(spec)
    run = imports()
    assert run.state("plan") == "failed"
    assert dingtalk.effects["calls"] == {}


def test_what_failed_is_made_by_the_next_run(dingtalk: Emulator, folder: Path, imports: Callable[..., Run]) -> None:
    """A run of which an event is refused keeps the others, fails, and the next one creates what is missing."""
    dingtalk.fault(kind="error", status=400, code="paramIllegal", action="CreateEvent", times=1)
    run = imports(variable="partly")
    assert states(run) == ["success", "failed", "failed"]
    assert len(titles(dingtalk)) == 2
    assert states(imports(variable="partly")) == ["success"] * 3
    assert len(set(titles(dingtalk))) == len(titles(dingtalk)) == 3
    assert {event["organizer"]["id"] for event in dingtalk.store.events.values() if "Company" in event["summary"]} == {
        LIN
    }
