"""What is published: the wheel holds the package and nothing else, the sdist all that git knows.

The tests marked ``package`` try what ``make package`` has put into ``dist/``, in an environment of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from airflow_dingtalk_calendar import __version__
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.get_provider_info import get_provider_info
from tests.markdown import review_is_soon

ROOT = Path(__file__).parent.parent.parent
PACKAGE = "airflow_dingtalk_calendar"
STEM = f"{PACKAGE}-{__version__}"
METADATA = {f"{STEM}.dist-info/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
LICENSE = f"{STEM}.dist-info/licenses/LICENSE"


def run(*command: str | Path, **options: object) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel and an sdist of the checkout."""
    place = tmp_path_factory.mktemp("built")
    run(sys.executable, "-m", "hatchling", "build", "-d", place, cwd=ROOT)
    return place


def test_the_wheel_holds_the_package_and_nothing_else(built: Path) -> None:
    """The wheel has every file of the package's folders, metadata and licence, and no other file."""
    (wheel,) = built.glob("*.whl")
    paths = (path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*") if path.is_file())
    files = {path.as_posix() for path in paths if "__pycache__" not in path.parts}
    assert f"{PACKAGE}/py.typed" in files
    assert sorted(zipfile.ZipFile(wheel).namelist()) == sorted({*files, *METADATA, LICENSE})


def test_the_sdist_holds_what_git_knows(built: Path) -> None:
    """Whoever has the sdist has all that it takes to build, test and read the project."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    (sdist,) = built.glob("*.tar.gz")
    tracked = run("git", "ls-files", "-z", cwd=ROOT).strip("\0").split("\0")
    with tarfile.open(sdist) as archive:
        names = {name.removeprefix(f"{STEM}/") for name in archive.getnames()}
    assert sorted({name for name in tracked if (ROOT / name).exists()} - names) == []


def test_the_changelog_has_this_version_first() -> None:
    """The newest entry of the changelog is the version of the package, with a date or still unreleased."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heading = re.search(r"^## (.*)$", changelog, re.MULTILINE)
    assert heading
    assert re.fullmatch(rf"{re.escape(__version__)} - (Unreleased|\d{{4}}-\d\d-\d\d)", heading[1])


@pytest.fixture(scope="module")
def dist() -> Path:
    """What ``make package`` has built."""
    place = ROOT / "dist"
    assert len(list(place.glob(f"{STEM}*"))) == 2, "run make package"
    return place


@pytest.fixture(scope="module")
def fresh(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, what it and its extra ics depend on, and nothing else."""
    place = tmp_path_factory.mktemp("fresh")
    uv, python = Path(sys.executable).with_name("uv"), place / "env" / "bin" / "python"
    run(uv, "venv", "-q", "--python", sys.executable, place / "env")
    (wheel,) = dist.glob("*.whl")
    run(uv, "pip", "install", "-q", "--python", python, "--constraints", ROOT / "constraints.txt", f"{wheel}[ics]")
    return python


def environment(fresh: Path) -> dict[str, str]:
    """Describe an Airflow of the environment's own, which knows neither our settings nor the checkout."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
    return {**mine, "AIRFLOW_HOME": str(fresh.parents[2] / "airflow"), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}


@pytest.mark.package
def test_airflow_lists_the_installed_provider(fresh: Path) -> None:
    """Airflow in an environment that has only the wheel lists the provider with its version."""
    command = (fresh, "-m", "airflow", "providers", "list", "--output", "json")
    listed = run(*command, cwd=fresh.parent, env=environment(fresh)).splitlines()[-1]
    versions = {row["package_name"]: row["version"] for row in json.loads(listed)}
    assert versions[get_provider_info()["package-name"]] == __version__


@pytest.mark.package
def test_the_examples_run_with_the_installed_wheel(fresh: Path) -> None:
    """Every example DAG succeeds in an environment that has only the wheel, which is where its code is from.

    The one that undoes a run is given none here, and fails.
    """
    with Emulator(review_is_soon()) as dingtalk:  # one example waits for it
        env = {**environment(fresh), "AIRFLOW_CONN_DINGTALK_DEFAULT": json.dumps(dingtalk.connection())}
        script, examples = ROOT / "tests" / "installed.py", ROOT / "dags_examples"
        ran = json.loads(run(fresh, "-I", script, examples, dingtalk.url, cwd=fresh.parent, env=env).splitlines()[-1])
    assert Path(ran.pop("package")).is_relative_to(fresh.parent.parent)
    assert ran.pop("dingtalk_undo_plan") == "failed"
    assert set(ran.values()) == {"success"}, ran
    assert len(ran) + 1 == len(list(examples.glob("*.py")))


@pytest.mark.package
def test_the_sdist_can_be_tested(dist: Path, tmp_path: Path) -> None:
    """The tests of the sdist are all found there, and those of files and metadata pass."""
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    env = {**os.environ, "PYTHONPATH": str(tmp_path / STEM)}
    pytest_ = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "no tests" not in run(*pytest_, "--collect-only", "-m", "", cwd=tmp_path / STEM, env=env)
    files = [
        f"tests/{name}.py" for name in ("project/test_structure", "project/test_package", "models/test_event_patch")
    ]
    run(*pytest_, *files, cwd=tmp_path / STEM, env=env)
