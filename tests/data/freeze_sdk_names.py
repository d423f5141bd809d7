"""Freeze what DingTalk's official SDK calls things: method, path and wire names of each operation used here.

Run it in an environment that has the SDK, which no test needs::

    pip install alibabacloud-dingtalk
    python tests/data/freeze_sdk_names.py > tests/data/sdk_names.json

It reads the SDK's source and imports none of it.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

PACKAGE = "alibabacloud-dingtalk"
OPERATIONS = {
    "calendar_1_0": [
        "add_attendee",
        "add_meeting_rooms",
        "create_event",
        "delete_event",
        "get_event",
        "get_meeting_rooms_schedule",
        "get_schedule",
        "list_attendees",
        "list_calendars",
        "list_events",
        "list_events_view",
        "list_instances",
        "patch_event",
        "remove_attendee",
        "remove_meeting_rooms",
        "respond_event",
    ],
    "contact_1_0": ["get_user"],
    "rooms_1_0": ["query_meeting_room_list"],
    "oauth2_1_0": ["get_access_token", "get_corp_access_token", "get_token", "get_user_token"],
}


def main() -> None:
    """Write the names as JSON."""
    sdk = distribution(PACKAGE)
    root = Path(str(sdk.locate_file("alibabacloud_dingtalk")))
    operations: dict[str, Any] = {}
    for part, names in OPERATIONS.items():
        source = ast.parse((root / part / "client.py").read_text())
        models = _models(ast.parse((root / part / "models.py").read_text()))
        functions = {node.name: node for node in ast.walk(source) if isinstance(node, ast.FunctionDef)}
        for name in names:
            action, operation = _operation(functions[f"{name}_with_options"])
            operations[action] = {**operation, "members": _members(models, f"{action}Request")}
    frozen = {"sdk": f"{PACKAGE} {sdk.version}", "operations": operations}
    json.dump(frozen, sys.stdout, indent=1, sort_keys=True)
    sys.stdout.write("\n")


def _operation(function: ast.FunctionDef) -> tuple[str, dict[str, Any]]:
    """Return the action, with method, path template and the names in query, body and headers."""
    text = ast.unparse(function)
    known = {name: _first(rf"{name}=f?'([^']+)'", text) for name in ("action", "method", "pathname")}
    names = {
        kind: sorted(re.findall(rf"\b{variable}\['([^']+)'\]", text))
        for kind, variable in (("query", "query"), ("body", "body"), ("headers", "real_headers"))
    }
    return known["action"], {"method": known["method"], "path": known["pathname"], **names}


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise ValueError(f"no {pattern} in {text[:80]}")
    return found[1]


def _models(source: ast.Module) -> dict[str, list[str]]:
    """Return the wire names that each model writes."""
    written = re.compile(r"\bresult\['([^']+)'\]")
    return {node.name: written.findall(ast.unparse(node)) for node in source.body if isinstance(node, ast.ClassDef)}


def _members(models: dict[str, list[str]], request: str) -> list[str]:
    """Return every name in a request, however deep."""
    parts = [names for model, names in models.items() if model.startswith(request)]
    return sorted({name for names in parts for name in names})


if __name__ == "__main__":
    main()
