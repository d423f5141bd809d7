"""``python -m tests.frozen [name …]``: collect anew, and write the data."""

from __future__ import annotations

import shutil
import sys

from tests.conftest import HOME  # first: Airflow reads its settings when it is imported
from tests.frozen import dags
from tests.frozen.collectors import COLLECTORS, DATA, collected, file_of


def main(names: list[str]) -> None:
    """Write the data of some collectors, or of all."""
    if not dags.is_comparable():
        sys.exit(f"The data is of Airflow {dags.LINE}, which `make test` uses.")
    DATA.mkdir(exist_ok=True)
    try:
        for name in names or COLLECTORS:
            file_of(name).write_text(collected(name), encoding="utf-8")
    finally:
        shutil.rmtree(HOME, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
