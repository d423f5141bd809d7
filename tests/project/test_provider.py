"""What Airflow learns about the provider, and what importing it costs."""

from __future__ import annotations

import inspect
import json
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import airflow
import jsonschema
import pytest
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator, BaseSensorOperator
from airflow.triggers.base import BaseTrigger

from airflow_dingtalk_calendar.connection import form
from airflow_dingtalk_calendar.connection.options import OPTION_PARSERS
from airflow_dingtalk_calendar.get_provider_info import get_provider_info

ROOT = Path(__file__).parent.parent.parent
SCHEMAS = Path(airflow.__file__).parent
INFO = get_provider_info()
CONNECTION = INFO["connection-types"][0]
PACKAGE = "airflow_dingtalk_calendar"
BASES = {"hooks": BaseHook, "operators": BaseOperator, "sensors": BaseSensorOperator, "triggers": BaseTrigger}


def test_the_package_name_is_the_distributions() -> None:
    """A package name that is not the distribution's, to the letter, breaks every provider of an installation."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert INFO["package-name"] == project["name"]


def test_the_entry_point_leads_here() -> None:
    """Airflow finds the metadata through the entry point."""
    found = [point for point in entry_points(group="apache_airflow_provider") if "dingtalk" in point.value]
    assert [point.load()() for point in found] == [INFO]


def test_the_metadata_fits_airflows_schema() -> None:
    """The metadata is valid against Airflow's run-time schema."""
    jsonschema.validate(INFO, json.loads((SCHEMAS / "provider_info.schema.json").read_text()))


def test_the_connection_fits_airflows_strict_schema() -> None:
    """The connection form is valid against the schema of provider.yaml, where Airflow has one for forms."""
    schema = json.loads((SCHEMAS / "provider.yaml.schema.json").read_text())
    jsonschema.validate(
        INFO["connection-types"], {**schema, **schema["properties"]["connection-types"], "required": []}
    )


@pytest.mark.parametrize(("kind", "base"), BASES.items(), ids=BASES)
def test_the_metadata_lists_the_modules_of_the_folder(kind: str, base: type) -> None:
    """The provider lists each module that has a class for DAG authors; ``base`` has what such classes inherit."""
    names = {f"{PACKAGE}.{kind}.{path.stem}" for path in (ROOT / PACKAGE / kind).glob("*.py")}
    names -= {f"{PACKAGE}.{kind}.__init__", f"{PACKAGE}.{kind}.base"}
    assert sorted(listed(kind)) == sorted(name for name in names if has_public_class(name, base))


def test_the_metadata_lists_the_guides() -> None:
    """The provider lists each page of the how-to guide, under the path that the repository has it."""
    (integration,) = INFO["integrations"]
    pages = {path.stem for path in (ROOT / "docs" / "howto").glob("*.md")} - {"index"}
    assert integration["how-to-guide"] == [f"/docs/howto/{name}.md" for name in sorted(pages)]


def test_every_kind_of_module_has_its_integration() -> None:
    """Modules are listed for the one integration that there is, and nothing under a key that Airflow does not know."""
    (integration,) = INFO["integrations"]
    assert {entry["integration-name"] for kind in BASES for entry in INFO[kind]} == {integration["integration-name"]}
    known = json.loads((SCHEMAS / "provider.yaml.schema.json").read_text())["properties"]
    assert INFO.keys() - {"asset-uris"} <= known.keys()  # Airflow 2.11 knows datasets only


def listed(kind: str) -> list[str]:
    """Return the modules of a kind that the metadata names."""
    return [module for entry in INFO[kind] for module in entry["python-modules"]]


def has_public_class(module: str, base: type) -> bool:
    """Return whether a module defines a class that DAG authors may use."""
    classes = (one for one in vars(import_module(module)).values() if inspect.isclass(one) and one.__module__ == module)
    return any(issubclass(one, base) and not one.__name__.startswith("_") for one in classes)


def test_the_pythons_are_those_of_the_matrix() -> None:
    """The Pythons that the distribution names are those that one of the supported lines of Airflow runs on."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {int(one.rpartition(".")[2]) for one in project["classifiers"] if " :: Python :: 3." in one}
    lines = re.findall(r">=3\.(\d+),<3\.(\d+)'", (ROOT / "tests" / "matrix.sh").read_text())
    assert named == {minor for first, end in lines for minor in range(int(first), int(end))}
    assert project["requires-python"] == f">=3.{min(named)}"


def test_the_hook_class_is_the_connections() -> None:
    """The metadata and the hook agree on names."""
    module, name = CONNECTION["hook-class-name"].rsplit(".", 1)
    hook = getattr(import_module(module), name)
    assert (hook.conn_type, hook.hook_name) == (CONNECTION["connection-type"], CONNECTION["hook-name"])
    assert hook().dingtalk_conn_id == hook.default_conn_name == "dingtalk_default"
    assert hook(**{hook.conn_name_attr: "x"}).dingtalk_conn_id == "x"


def test_the_form_and_the_reader_agree() -> None:
    """Each field of the form is an option that the connection's reader knows."""
    assert set(form.FORM_FIELDS) == set(OPTION_PARSERS)


def test_field_names_are_not_redacted_by_mistake() -> None:
    """Airflow redacts fields by name: none of ours may hold a sensitive word, but the proxy's URL."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook  # noqa: F401  # initializes Airflow

    try:
        from airflow.sdk.log import redact
    except ImportError:
        from airflow.providers.common.compat.sdk import redact
    redacted = redact(dict.fromkeys(form.FORM_FIELDS, "some value"))
    assert {name for name, value in redacted.items() if value != "some value"} <= {"proxy"}  # type: ignore[union-attr]


def test_both_form_definitions_agree() -> None:
    """Airflow 2.11 gets from the hook what Airflow 3 gets from the metadata."""
    pytest.importorskip("flask_appbuilder", reason="Airflow 3 does not bring the form library of 2.11")
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    widgets = DingTalkCalendarHook.get_connection_form_widgets()
    assert {name: widget.args[0] for name, widget in widgets.items()} == {
        name: spec["label"] for name, spec in CONNECTION["conn-fields"].items()
    }


def test_the_behaviour_is_spelt_for_both() -> None:
    """Hidden fields, labels and placeholders are the same for 2.11 and 3."""
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

    behaviour = DingTalkCalendarHook.get_ui_field_behaviour()
    assert {name.replace("_", "-"): value for name, value in behaviour.items()} == CONNECTION["ui-field-behaviour"]


def modules_added_by(statement: str, after: str) -> set[str]:
    """Run two statements in a new process; name the modules that the second one brought."""
    added = f"before = set(sys.modules); {statement}; print(json.dumps([*set(sys.modules) - before]))"
    code = f"import sys, json; {after}; {added}"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120)
    return set(json.loads(done.stdout.splitlines()[-1]))


HEAVY = {"pydantic", "httpx", "tenacity", "pendulum", "starlette", "uvicorn", "wtforms", "flask_appbuilder"}
HEAVY_OWN = {
    "models.event",
    "models.components",
    "models.types",
    "models.normalize",
    "models.datetimes",
    "client.transport",
}


def test_the_heavy_modules_are_there() -> None:
    """A module that was moved does not count as one that is not loaded."""
    assert [name for name in HEAVY_OWN if not find_spec(f"{PACKAGE}.{name}")] == []


def test_parsing_a_dag_loads_nothing_heavy() -> None:
    """A DAG file that imports us loads no model and no library that Airflow has not loaded already."""
    statement = "import " + ", ".join(module for kind in ("operators", "sensors", "hooks") for module in listed(kind))
    parsed = "from airflow.providers.common.compat.sdk import BaseHook, BaseSensorOperator, mask_secret"
    added = modules_added_by(statement, parsed)
    assert {name.split(".")[0] for name in added} & HEAVY == set()
    assert {name.removeprefix("airflow_dingtalk_calendar.") for name in added} & HEAVY_OWN == set()


def test_parsing_a_dag_with_a_watcher_loads_nothing_heavy() -> None:
    """Nor does a DAG file with a watcher, beyond what Airflow's own base of triggers brings."""
    added = modules_added_by(
        "import airflow_dingtalk_calendar.triggers.changes; "
        "airflow_dingtalk_calendar.triggers.changes.DingTalkCalendarChangesTrigger(union_id='x').serialize()",
        "from airflow.providers.common.compat.sdk import DAG; import airflow.triggers.base",
    )
    assert {name.split(".")[0] for name in added} & HEAVY == set()
    assert {name.removeprefix("airflow_dingtalk_calendar.") for name in added} & {*HEAVY_OWN, "hooks.calendar"} == set()


def test_the_metadata_loads_nothing() -> None:
    """Every process of Airflow loads the metadata: it brings itself and the form's data."""
    added = modules_added_by("import airflow_dingtalk_calendar.get_provider_info", "import typing, __future__")
    assert {name for name in added if not name.startswith("airflow_dingtalk_calendar")} == set()


def test_the_distribution_says_what_it_is() -> None:
    """The project's metadata names Airflow's classifier, the licence, and every file that it promises."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "Framework :: Apache Airflow :: Provider" in project["classifiers"]
    assert project["license"] == "Apache-2.0"
    assert all((ROOT / name).exists() for name in [*project["license-files"], project["readme"]])
    assert (ROOT / "airflow_dingtalk_calendar" / "py.typed").exists()
