"""What CONTRIBUTING.md and the set-up for contributors say is so."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parent.parent.parent
PACKAGE = ROOT / "airflow_dingtalk_calendar"
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CUT = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"^```python\n# (\S+)\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize(("file", "code"), QUOTED, ids=[file for file, _ in QUOTED])
def test_the_worked_example_is_the_code(file: str, code: str) -> None:
    """Each block of the worked example stands in the file that it names, line by line; ``...`` leaves some out."""
    text = (ROOT / file).read_text(encoding="utf-8")
    at = 0
    for part in code.split("...\n"):
        at = text.find(part, at)
        assert at >= 0, f"{file} has no longer:\n{part}"
        at += len(part)


def test_the_modules_to_change_exist() -> None:
    """The table of where to change what names modules and pages that are there."""
    table = CUT.split("## Where to change what", 1)[1]
    named = set(re.findall(r"`((?:\w+/)*\w+(?:\.py|\.md|/))`", table))
    assert len(named) > 20
    assert not [name for name in named if not {(ROOT / name).exists(), (PACKAGE / name).exists()} - {False}]


def test_every_block_names_its_file() -> None:
    """No code in CONTRIBUTING.md goes unchecked."""
    assert len(QUOTED) == GUIDE.count("```python")


def test_the_commands_exist() -> None:
    """The targets of make that CONTRIBUTING.md and the hooks for git name are there."""
    named = {word for line in re.findall(r"`make ([a-z ]+)`", GUIDE) for word in line.split()}
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    entries = {hook["entry"] for repo in hooks for hook in repo["hooks"]}
    assert named | {entry.removeprefix("make ") for entry in entries} <= TARGETS
    assert "make lint" in entries


def test_the_addresses_to_fill_in_are_all_there_or_none() -> None:
    """The places for addresses are in files that are there; a project with addresses has all four of them."""
    section = GUIDE.split("## When the repository becomes public", 1)[1].split("\n## ", 1)[0]
    files = {
        name for row in re.findall(r"^\| (`.+?) \|", section, re.MULTILINE) for name in re.findall(r"`(.+?)`", row)
    }
    assert files == {"pyproject.toml", "SECURITY.md", "README.md", "README.zh.md", "docs/conf.py"}
    assert not [name for name in files if not (ROOT / name).exists()]
    urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"].get("urls", {})
    assert urls.keys() in ({}.keys(), {"Documentation", "Changelog", "Source Code", "Bug Tracker"})
    assert all(f"`{name}`" in section for name in ("Documentation", "Changelog", "Source Code", "Bug Tracker"))


def test_the_hooks_of_git_download_nothing() -> None:
    """The hooks run what is in the environment that make has made."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    assert {repo["repo"] for repo in hooks} == {"local"}
    assert {hook["language"] for repo in hooks for hook in repo["hooks"]} == {"system"}
