"""All collectors by name, the data that they are compared with, and how a difference is shown."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.frozen import dags, errors, logs, messages, provider, signatures, stored, tokens, triggers

DATA = Path(__file__).parent / "data"

COLLECTORS: dict[str, Callable[[], Any]] = {
    "signatures": signatures.collect,
    "provider_info": provider.provider_info,
    "entry_points": provider.entry_points,
    "wheel": provider.wheel,
    "triggers": triggers.collect,
    "dags": dags.collect,
    "stored": stored.collect,
    "tokens": tokens.collect,
    "errors": errors.collect,
    "logs": logs.collect,
    "messages": messages.collect,
}

REMEDY = """\
Users, stored triggers and retries rely on what {file} holds. If the difference is meant,
`.venv/bin/python -m tests.frozen` writes the data anew; its commit says why, and CHANGELOG.md if users notice."""


def file_of(name: str) -> Path:
    """Return the file with the data of a collector."""
    return DATA / f"{name}.json"


def collected(name: str) -> str:
    """Collect, and write what was found as text."""
    return json.dumps(COLLECTORS[name](), indent=2, ensure_ascii=False) + "\n"


def difference(name: str) -> str:
    """Compare what a collector finds with its data; return the lines that differ and what to do, or nothing."""
    before, after = file_of(name).read_text(encoding="utf-8").splitlines(), collected(name).splitlines()
    lines = list(difflib.unified_diff(before, after, "frozen", "now", n=2, lineterm=""))
    return "\n".join([*lines, "", REMEDY.format(file=f"tests/frozen/data/{name}.json")]) if lines else ""
