"""DingTalk on loopback for the collectors, and what differs from run to run made equal."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.conftest import DATA
from tests.frozen.inside import forget
from tests.frozen.names import public

CONNECTION = "AIRFLOW_CONN_DINGTALK_DEFAULT"
LONGEST = 2000  # characters of a value that stand in the data as they are

_RANDOM = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}|(?<=request id )[\w-]+")
_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")


@contextmanager
def dingtalk(data: Any = None, **extra: Any) -> Iterator[Any]:
    """Run DingTalk with some data, and have the default connection point to it; each call is tried once."""
    before = os.environ.get(CONNECTION)
    forget()
    with public("Emulator")(DATA if data is None else data) as emulator:
        connection = emulator.connection()
        connection["extra"].update({"max_attempts": 1, "max_qps": 1000, **extra})
        os.environ[CONNECTION] = json.dumps(connection)
        try:
            yield emulator
        finally:
            os.environ.pop(CONNECTION)
            os.environ.update({} if before is None else {CONNECTION: before})
            forget()


def begin(emulator: Any, data: Any) -> None:
    """Begin anew with some data, and with no access token from before."""
    emulator.reset(data)
    forget()


def steady(text: str) -> str:
    """Replace request ids and ports."""
    return _ADDRESS.sub("127.0.0.1:PORT", _RANDOM.sub("REQUEST-ID", text))


def short(value: str) -> str:
    """Return a value, or of a long one its length and digest."""
    if len(value) <= LONGEST:
        return value
    return f"{len(value)} characters, sha256 {hashlib.sha256(value.encode()).hexdigest()}"
