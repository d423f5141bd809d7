"""The example DAGs as Airflow 3.3 stores them; what other versions store is up to them."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parent.parent.parent / "dags_examples"
LINE = "3.3"
# Where the file is, which machine it is on.
_PLACES = ("fileloc", "relative_fileloc", "_processor_dags_folder")


def is_comparable() -> bool:
    """Whether this is the Airflow whose way of storing DAGs is in the data."""
    return version("apache-airflow").startswith(f"{LINE}.")


def collect() -> dict[str, Any]:
    """Return each example, serialized; Airflow writes members in an order that differs from run to run."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.serialization.serialized_objects import DagSerialization

    bag = DagBag(str(EXAMPLES))
    assert not bag.import_errors
    stored = {name: DagSerialization.to_dict(dag) for name, dag in sorted(bag.dags.items())}
    return {name: _placeless(json.loads(json.dumps(dag, sort_keys=True))) for name, dag in stored.items()}


def _placeless(stored: dict[str, Any]) -> dict[str, Any]:
    dag = {name: value for name, value in stored["dag"].items() if name not in _PLACES}
    return {**stored, "dag": {**dag, "tags": sorted(dag["tags"])}}
