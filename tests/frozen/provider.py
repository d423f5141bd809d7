"""What an installation shows of the package: provider metadata, entry points, and the files of the wheel."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Any

from tests.frozen.names import PACKAGE, public

ROOT = Path(__file__).parent.parent.parent


def provider_info() -> dict[str, Any]:
    """Return the metadata that Airflow gets."""
    info: dict[str, Any] = public("get_provider_info")()
    return info


def entry_points() -> dict[str, Any]:
    """Return what ``pyproject.toml`` makes known to other programs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {name: project.get(name, {}) for name in ("name", "entry-points", "scripts", "gui-scripts")}


def wheel() -> list[str]:
    """Build the wheel, and return the names of its files."""
    with tempfile.TemporaryDirectory() as place:
        command = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place)
        subprocess.run(command, check=True, capture_output=True, timeout=300, cwd=ROOT)
        (file,) = Path(place).glob("*.whl")
        version = file.name.split("-")[1]
        names = zipfile.ZipFile(file).namelist()
    return sorted(name.replace(f"{PACKAGE}-{version}.", f"{PACKAGE}-VERSION.") for name in names)
