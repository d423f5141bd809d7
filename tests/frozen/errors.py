"""What the errors say that README and docs speak of, as a user comes to read it."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.airflow_runs import Ti
from tests.conftest import DATA, EVENT, ORGANIZER
from tests.frozen import triggers
from tests.frozen.inside import forget
from tests.frozen.names import public
from tests.frozen.world import CONNECTION, begin, dingtalk, steady

CONNECTING = (Path(__file__).parent.parent.parent / "docs" / "connection.md").read_text(encoding="utf-8")
# The codes that the page on connections explains; those of credentials come when a token is asked for.
CODES = re.findall(r"^\| `([\w.]+)` \| `(\w+Error)` \|", CONNECTING, re.MULTILINE)
FAULTS: dict[str, dict[str, Any]] = {
    "busy": {"kind": "error", "status": 500, "code": "ServiceUnavailable", "message": "busy"},
    "a limit per minute": {"kind": "error", "status": 403, "code": "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"},
    "a limit for long": {"kind": "error", "status": 429, "code": "slow", "headers": {"Retry-After": "600"}},
    "an unknown code": {"kind": "error", "status": 400, "code": "somethingNew", "message": "reported"},
    "under way": {"kind": "processing"},
    "a page": {"kind": "html"},
    "elsewhere": {"kind": "redirect", "location": "http://example.com/"},
    "no JSON": {"kind": "body", "status": 200, "body": "nothing"},
    "another shape": {"kind": "body", "status": 200, "body": {}},
    "cut short": {"kind": "truncated"},
    "closed": {"kind": "close"},
}
TIMES = {"start": "2027-03-02T12:00", "end": "2027-03-02T13:00"}
PATCHES: dict[str, Any] = {
    "nothing": {},
    "no JSON": "{'summary': 1}",
    "unknown field": {"sumary": "New"},
    "blank": {"summary": " ", "description": "None"},
    "too long": {"summary": "x" * 2049, "description": "x" * 5001},
    "another offset": {"start": "2027-03-02T12:00+01:00", "end": "2027-03-02T13:00+01:00"},
    "a skipped hour": {
        "start": {"dateTime": "2027-03-28T02:30", "timeZone": "Europe/Berlin"},
        "end": {"dateTime": "2027-03-28T04:30", "timeZone": "Europe/Berlin"},
    },
    "backwards": {"start": TIMES["end"], "end": TIMES["start"]},
    "all day with times": {"is_all_day": True, **TIMES},
    "half a rule": {"recurrence": {"pattern": {"type": "weekly", "interval": 1}}},
    "no such rule": {"recurrence": "FREQ=MONTHLY;BYMONTHDAY=1,15"},
    "people": {"attendees": []},
    "several": {"reminders": ["soon"], "location": "", "ui_configs": [{"uiName": "comment", "uiStatus": "gone"}]},
}
ROWS: dict[str, Any] = {
    "no list": "one",
    "wrong rows": [
        {"event_id": "A", "patch": {"start": "soon"}},
        {"patch": {}},
        {"event_id": "A", "patch": {}, "to": 1},
    ],
    "twice": [{"event_id": "A", "patch": {"summary": "New"}}] * 2,
    "refused": [{"event_id": "missing", "patch": {"summary": "New"}}],
    "too many calls": [{"event_id": name, "patch": {"summary": "New"}} for name in "AB"],
}
CONNECTIONS: dict[str, dict[str, Any]] = {
    "right": {},
    "another type": {"conn_type": "http"},
    "no key": {"login": ""},
    "no secret": {"password": ""},
    "a wrong secret": {"password": "wrong"},
    "plain http": {"host": "http://example.com"},
    "a path": {"host": "https://example.com/path?x=1"},
    "unknown options": {"extra": {"timezon": "Asia/Shanghai", "timeout": "long", "max_qps": 0}},
    "another zone": {"extra": {"timezone": "Mars/Olympus"}},
    "an app without its corp": {"extra": {"auth_type": "unified"}},
    "a Variable in the open": {"extra": {"auth_type": "user", "user_grant_variable": "grant"}},
}


def collect() -> dict[str, Any]:
    """Return what is said, by what is wrong."""
    with dingtalk() as emulator:
        return {
            "codes": {code: [error, *_failed(emulator, _fault_of(code, error))] for code, error in CODES},
            "faults": {name: _failed(emulator, fault) for name, fault in FAULTS.items()},
            "patches": _patches(emulator),
            "plans": _plans(emulator),
            "triggers": _said(lambda: triggers.changes(fields=["place"], interval=0).serialize()),
            "connections": _connections(emulator),
        }


def _fault_of(code: str, error: str) -> dict[str, Any]:
    where = {"action": "GetAccessToken"} if error == "CredentialsError" else {}
    status = 403 if code.startswith("Forbidden") else 400
    return {"kind": "error", "status": status, "code": code, "message": "reported", **where}


def _failed(emulator: Any, fault: dict[str, Any]) -> list[str]:
    """Return what a read and a write say to a fault."""
    return [_said(partial(_faulty, emulator, fault, action)) for action in ("GetEvent", "PatchEvent")]


def _faulty(emulator: Any, fault: dict[str, Any], action: str) -> None:
    begin(emulator, DATA)
    emulator.fault(**{"times": None, "action": action, **fault})
    with public("DingTalkCalendarHook")() as hook:
        if action == "GetEvent":
            hook.get_event(ORGANIZER, EVENT)
        else:
            hook.patch_event(ORGANIZER, EVENT, {"summary": "New"})


def _patches(emulator: Any) -> dict[str, str]:
    begin(emulator, DATA)
    kind, given = public("DingTalkCalendarPatchEventOperator"), {"task_id": "t", "union_id": ORGANIZER}
    tasks = {name: kind(event_id=EVENT, patch=patch, **given) for name, patch in PATCHES.items()}
    return {name: _said(partial(task.execute, {"ti": Ti()})) for name, task in tasks.items()}


def _said(action: Callable[[], Any]) -> str:
    """Return the error of an action: its class, what it says, and what else a retry goes by."""
    try:
        action()
    except Exception as error:
        shown = {name: getattr(error, name, None) for name in ("retryable", "retry_after", "outcome")}
        marks = ", ".join(f"{name} {value}" for name, value in shown.items() if value is not None)
        return steady(f"{type(error).__name__} ({marks}): {error}")
    return "no error"


def _plans(emulator: Any) -> dict[str, str]:
    begin(emulator, DATA)
    kind = public("DingTalkCalendarApplyPlanOperator")
    given = {"task_id": "t", "union_id": ORGANIZER, "max_calls": 1}
    return {name: _said(partial(kind(plan=patches, **given).execute, {"ti": Ti()})) for name, patches in ROWS.items()}


def _connections(emulator: Any) -> dict[str, str]:
    """Return what the connection test says."""
    begin(emulator, DATA)
    found = {name: _tested({**emulator.connection(), **fields}) for name, fields in CONNECTIONS.items()}
    emulator.fault(
        kind="error",
        action="PatchEvent",
        times=None,
        status=403,
        code="Forbidden.AccessDenied.AccessTokenPermissionDenied",
        accessdenieddetail={"requiredScopes": ["Calendar.Event.Write"]},
    )
    return {**found, "a permission is missing": _tested(emulator.connection())}


def _tested(connection: dict[str, Any]) -> str:
    forget()
    before, os.environ[CONNECTION] = os.environ[CONNECTION], json.dumps(connection)
    right, text = public("DingTalkCalendarHook")().test_connection()
    os.environ[CONNECTION] = before
    return steady(f"{right}: {text}")
