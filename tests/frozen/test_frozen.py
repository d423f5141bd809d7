"""What users and Airflow's database rely on is as it was, or its change is meant."""

from __future__ import annotations

from importlib import import_module

import pytest

from tests.frozen import dags
from tests.frozen.collectors import COLLECTORS, DATA, difference
from tests.frozen.names import PACKAGE, all_names, public


@pytest.mark.parametrize("name", COLLECTORS)
def test_nothing_has_changed(name: str) -> None:
    """What is collected now is what was collected when somebody last reviewed it."""
    if name == "dags" and not dags.is_comparable():
        pytest.skip(f"each Airflow stores DAGs in its own way, and the data is of {dags.LINE}")
    if found := difference(name):
        pytest.fail(found, pytrace=False)


def test_every_collector_has_its_data() -> None:
    """There is a file for each collector, and none that nothing is compared with."""
    assert {path.stem for path in DATA.iterdir()} == set(COLLECTORS)


def test_every_class_that_airflow_knows_is_frozen() -> None:
    """The table of public names has each operator, sensor, trigger and hook of the provider's metadata."""
    info = public("get_provider_info")()
    rows = [row for kind in ("hooks", "operators", "sensors", "triggers") for row in info[kind]]
    modules = [import_module(name) for row in rows for name in row["python-modules"]]
    named = {name for module in modules for name in vars(module) if name.startswith("DingTalkCalendar")}
    assert named <= set(all_names())


def test_every_error_is_frozen() -> None:
    """The table of public names has each error that users may catch."""
    module = import_module(f"{PACKAGE}.exceptions")
    base = public("DingTalkError")
    errors = {name for name, one in vars(module).items() if isinstance(one, type) and issubclass(one, base)}
    assert errors <= set(all_names())
