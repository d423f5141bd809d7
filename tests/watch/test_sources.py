"""Where changes are obtained from: what fits a source, and what is refused with a remedy."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.watch.sources import SourceArguments, WatchSource, parse_source


def parse(source: Any, *, shares_streams: bool = True, **given: Any) -> WatchSource:
    """Check a choice."""
    return parse_source(SourceArguments(source, **given), shares_streams=shares_streams)


@pytest.mark.parametrize(
    ("source", "given", "interval"),
    [
        ("poll", {}, 3600.0),
        ("poll", {"interval": 60}, 60.0),
        ("stream", {}, 3600.0),
        ("stream", {"single_consumer": True}, 86400.0),
        ("stream", {"single_consumer": True, "interval": dt.timedelta(hours=2)}, 7200.0),
        ("push", {}, None),
    ],
)
def test_intervals(source: str, given: dict[str, Any], interval: float | None) -> None:
    """Polling is hourly, so is the safety poll of a stream, which is daily for a single consumer; a push has none."""
    assert parse(source, **given).interval == interval


def test_kinds() -> None:
    """A push can be chosen by its kind; without a choice all are reported."""
    assert parse("push", kinds=["deleted"]).kinds == ("deleted",)
    assert parse("push").kinds == parse("poll").kinds == ("created", "updated", "deleted")


@pytest.mark.parametrize(
    ("source", "given", "fields"),
    [
        ("pull", {}, ["source"]),
        (None, {}, ["source"]),
        (["poll"], {}, ["source"]),
        ("stream", {"shares_streams": False}, ["source"]),
        ("push", {"shares_streams": False}, ["source"]),
        ("poll", {"single_consumer": True}, ["single_consumer"]),
        ("push", {"single_consumer": True}, ["single_consumer"]),
        ("stream", {"single_consumer": "yes"}, ["single_consumer"]),
        ("poll", {"kinds": ["created"]}, ["kinds"]),
        ("stream", {"kinds": ["created"]}, ["kinds"]),
        ("push", {"kinds": "created"}, ["kinds"]),
        ("push", {"kinds": []}, ["kinds"]),
        ("push", {"kinds": ["moved"]}, ["kinds"]),
        ("push", {"kinds": [["created"]]}, ["kinds"]),
        ("push", {"interval": 60}, ["interval"]),
        ("poll", {"interval": 0}, ["interval"]),
        ("stream", {"interval": True}, ["interval"]),
        ("push", {"filters": {"fields": 1, "organizer_id": 2}, "interval": 5}, ["fields", "organizer_id", "interval"]),
    ],
)
def test_what_does_not_fit_is_refused(source: Any, given: dict[str, Any], fields: list[str]) -> None:
    """Each argument that a source has no use for is named, all at once."""
    with pytest.raises(InvalidInputError) as caught:
        parse(source, **given)
    assert [problem.path for problem in caught.value.problems] == fields


@pytest.mark.parametrize("source", ["stream", "push"])
def test_before_airflow_3_3(source: str) -> None:
    """Airflow without shared streams is named, with what to do."""
    with pytest.raises(InvalidInputError, match=rf"{source} needs Airflow 3\.3 or newer.*use poll"):
        parse(source, shares_streams=False)
