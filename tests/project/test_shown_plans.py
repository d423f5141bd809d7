"""The plans that the documentation shows work on any calendar, not only on the sample."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from airflow_dingtalk_calendar.client.retry import backoff_seconds
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.emulator.state.sample import LIN, REVIEW, SAMPLE, WANG
from airflow_dingtalk_calendar.exceptions import MAX_WAIT_IN_TASK, ThrottledError
from tests.late_clock import EVE, set_late_clock
from tests.markdown import ROOT, Page, check_snippet, load, sample
from tests.project.test_docs import skip_without_needs
from tests.project.test_messages import CALLS

__all__ = ["load", "sample"]  # fixtures


def meeting(event_id: str, day: str, **fields: Any) -> dict[str, Any]:
    """Make an event of an hour at ten o'clock."""
    ends = {"start": f"{day}T10:00:00+08:00", "end": f"{day}T11:00:00+08:00"}
    times = {end: {"dateTime": text, "timeZone": "Asia/Shanghai"} for end, text in ends.items()}
    return {"id": event_id, "summary": f"{event_id} review", "organizer": {"id": LIN}, **times, **fields}


def rule(kind: str, **pattern: Any) -> dict[str, Any]:
    """Make the rule of a series that goes on forever."""
    return {"pattern": {"type": kind, "interval": 1, **pattern}, "range": {"type": "noEnd"}}


# What ordinary calendars have beside single events.
ORDINARY = [
    meeting("weekly", "2038-01-04", recurrence=rule("weekly", daysOfWeek="monday")),
    meeting("weekly past", "2038-01-11", seriesMasterId="weekly"),
    meeting("monthly", "2038-01-12", recurrence=rule("absoluteMonthly", dayOfMonth=12)),
    meeting("theirs", "2038-01-13", organizer={"id": WANG}, attendees=[{"id": LIN}]),
    meeting("untitled", "2038-01-14", summary="-"),
    meeting("capitals", "2038-01-18", summary="Review of Reviews"),
    meeting("done", "2038-01-19", summary="retrospective, critique"),
    meeting("all day", "2038-01-20", start={"date": "2038-01-20"}, end={"date": "2038-01-21"}, isAllDay=True),
]
PAGES = [Page(f"docs/howto/{name}.md") for name in ("rename", "approve", "many")]
PLANS = [code for page in PAGES for code in page.dags if "ListEventsOperator(" in code]
SNIPPETS = [code for code in Page("docs/reference/edits.md").snippets if "rows_for(" in code]


@pytest.fixture
def ordinary(sample: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    """DingTalk with the sample calendar and what ordinary ones have besides, on the day before it begins."""
    set_late_clock(monkeypatch)
    sample.reset({**SAMPLE, "events": [*SAMPLE["events"], *ORDINARY]})
    return sample


@pytest.mark.parametrize("code", PLANS, ids=range(len(PLANS)))
def test_a_plan_that_is_shown_works_on_any_calendar(code: str, load: Callable[[str], Any], ordinary: Emulator) -> None:
    """With series, their past times, other people's events and odd titles in it, the DAG still does what it is for."""
    skip_without_needs(code)
    dag = load(code)
    run = dag.test(mark_success_pattern="^approve$") if "ApprovalOperator" in code else dag.test()
    assert run.state == "success"
    changed = {update["event_id"] for update in ordinary.effects["updates"]}
    assert changed >= {REVIEW, "weekly", "monthly", "all day"}
    assert not changed & {"theirs", "weekly past", "untitled", "done"}
    if "retitle(" in code:
        assert "capitals" not in changed


@pytest.mark.parametrize("code", SNIPPETS, ids=["edits"])
def test_a_plan_of_moves_works_on_any_calendar(
    code: str, ordinary: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    """The plan of the page on edits moves single events, and leaves series and their past times alone."""
    shown = check_snippet(code, capsys)
    assert REVIEW in shown
    assert "all day" in shown
    assert "weekly" not in shown
    assert "monthly" not in shown


def test_the_sample_is_years_ahead() -> None:
    """What is shown with the sample finds nothing once its events are past: a year before that, it has to move."""
    starts = [datetime.fromisoformat(next(iter(one["start"].values()))).astimezone(UTC) for one in SAMPLE["events"]]
    assert min(starts) > EVE
    assert datetime.now(UTC) + timedelta(days=365) < EVE


def test_how_long_a_task_waits_is_what_the_page_says() -> None:
    """The page's bounds of a wait are the code's: what DingTalk asks for up to 10 s, and a backoff of 1, 2, 4, 10."""
    text = (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8")
    assert (
        "up to 10 seconds if DingTalk asks for them, plus a random backoff of up to 1, 2, 4, … seconds, 10 at" in text
    )
    call = CALLS["GetEvent"]
    for attempt, bound in ((1, 1.0), (2, 2.0), (3, 4.0), (9, 10.0)):
        for asked in (0.0, MAX_WAIT_IN_TASK):
            waits = [
                backoff_seconds(ThrottledError("", retry_after=asked), call, attempt, 20) or 0.0 for _ in range(200)
            ]
            assert asked + 0.5 <= min(waits)
            assert max(waits) <= asked + bound
    assert backoff_seconds(ThrottledError("", retry_after=MAX_WAIT_IN_TASK + 1), call, 1, 20) is None
    assert MAX_WAIT_IN_TASK == 10.0
