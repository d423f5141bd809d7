"""How schedules are drawn, and how many: ``FAULT_SCHEDULES`` for each test, 13 unless ``make faults`` says more.

About 25 tests draw them, those of Stream mode (``tests/stream/``, ``tests/triggers/``, ``tests/watch/``) among them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from airflow_dingtalk_calendar.emulator import Emulator
from tests.conftest import DATA
from tests.faults.kinds import KINDS

EXAMPLES = int(os.environ.get("FAULT_SCHEDULES", "13"))
# The few of an ordinary run are always the same ones; the many are drawn anew, from a seed that is printed.
SCHEDULES = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FAULT_SCHEDULES" not in os.environ,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def schedules(requests: int, *, without: Collection[str] = ()) -> st.SearchStrategy[dict[int, str]]:
    """Draw which of the first requests meet which kinds of fault."""
    kinds = [kind for kind in KINDS if kind not in without]
    each = st.lists(st.none() | st.sampled_from(kinds), max_size=requests)
    return each.map(lambda kinds: {number: kind for number, kind in enumerate(kinds, start=1) if kind})


@pytest.fixture(scope="module")
def dingtalk() -> Iterator[Emulator]:
    """DingTalk, for worlds to begin anew."""
    with Emulator(DATA) as emulator:
        yield emulator
