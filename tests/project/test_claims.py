"""Numbers in the documentation that no other test compares: each is the code's, Airflow's, or made of them."""

from __future__ import annotations

import inspect
import json
import math
import tracemalloc
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import conf
from httpcore._sync.http11 import HTTP11Connection

from airflow_dingtalk_calendar.api.attendees import MAX_ATTENDEES
from airflow_dingtalk_calendar.api.meeting_rooms import MAX_ROOMS
from airflow_dingtalk_calendar.client.limits import MAX_BODY_BYTES
from airflow_dingtalk_calendar.client.rate_limiter import VARYING_WINDOW
from airflow_dingtalk_calendar.client.request_flow import MAX_RENEWALS, RENEWAL_JITTER
from airflow_dingtalk_calendar.client.websocket import MAX_FRAME_BYTES
from airflow_dingtalk_calendar.connection.settings import ConnectionSettings
from airflow_dingtalk_calendar.models.validation_errors import MAX_PROBLEMS
from airflow_dingtalk_calendar.operators.event_list import DingTalkCalendarListEventsOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.sensors.event import HEAD_START, DingTalkCalendarEventSensor
from airflow_dingtalk_calendar.stream.deliveries import MAX_PENDING
from airflow_dingtalk_calendar.stream.reconnect import ERROR_RETRY
from airflow_dingtalk_calendar.stream.wakes import LONGEST_BURST, QUIET_SECONDS
from airflow_dingtalk_calendar.watch.conditions import ERROR_INTERVAL
from airflow_dingtalk_calendar.watch.error_wait import ERROR_WAIT
from airflow_dingtalk_calendar.watch.poll_log import MONTH_SECONDS, MONTHLY_QUOTA
from airflow_dingtalk_calendar.watch.sources import POLL_INTERVAL
from tests.markdown import Page

SETTINGS = ConnectionSettings("key", "secret")
HOUR = 3600


def default(of: Any, name: str) -> Any:
    """Return the default of an argument."""
    return inspect.signature(of).parameters[name].default


def wait_row(label: str, minutes: int) -> str:
    """Return the row of the table that says what a wait of 30 days costs."""
    calls = MONTH_SECONDS / 60 / minutes
    return f"| {label} | {calls:,.0f} | {calls / MONTHLY_QUOTA:.0%}".replace("%", " % |")


MAX_EVENTS = default(DingTalkCalendarListEventsOperator, "max_events")
MAX_CALLS = default(DingTalkCalendarApplyPlanOperator, "max_calls")
RECHECK = default(DingTalkCalendarEventSensor, "recheck").total_seconds() / HOUR
POLLS = MONTH_SECONDS / default(DingTalkCalendarEventSensor, "poke_interval")
CHECKS = MONTH_SECONDS / POLL_INTERVAL
FREQUENT = MONTH_SECONDS / 300
ERRORS_AFTER = "an hour" if ERROR_WAIT == HOUR else str(ERROR_WAIT)
SECONDS_FOR_MANY = math.ceil(1000 / SETTINGS.max_qps * VARYING_WINDOW)
MAPPED = conf.getint("core", "max_map_length")
HEADERS = HTTP11Connection.MAX_INCOMPLETE_EVENT_SIZE // 1024
DAYS = conf.getfloat("sensors", "default_timeout") / 24 / HOUR
WORDS = {1: "a", 2: "two", 3: "three", 4: "four", 10: "ten"}

CLAIMS = [
    (
        "docs/howto/react.md",
        f"{WORDS[QUIET_SECONDS]} seconds after the last push of a burst and {WORDS[LONGEST_BURST]} after its first",
    ),
    ("docs/howto/react.md", f"tried again every {WORDS[ERROR_RETRY / 60]} minutes"),
    (
        "SECURITY.md",
        f"a frame of Stream mode has at most {MAX_FRAME_BYTES // 2**20} MB, events under way are {MAX_PENDING}",
    ),
    ("docs/reference/operators.md", f"more than `max_events` ({MAX_EVENTS:,}) are an error"),
    ("docs/reference/plans.md", f"1,000 patches take about {SECONDS_FOR_MANY} seconds."),
    ("docs/reference/plans.md", f"`max_calls` ({MAX_CALLS:,}) refuse a plan"),
    ("docs/costs.md", f"checked before anything is sent (default {MAX_CALLS:,})"),
    ("docs/howto/many.md", f"`max_calls` ({MAX_CALLS:,}) refuses a plan"),
    ("docs/reference/plans.md", f"{MAX_PROBLEMS} problems at most"),
    ("docs/reference/errors.md", f"all problems at once, by path, {MAX_PROBLEMS} at most"),
    ("docs/reference/operators.md", f"the ids of the rooms, 1 to {MAX_ROOMS}"),
    ("docs/reference/operators.md", f"one call for each {MAX_ATTENDEES}"),
    ("docs/semantics.md", f"more than {MAX_ATTENDEES} attendees"),
    ("docs/howto/wait.md", f"more where {MAX_ATTENDEES} people or more are invited"),
    ("docs/reference/operators.md", f"mapped over at most {MAPPED:,} events"),
    ("docs/howto/many.md", f"maps over at most {MAPPED:,} unless"),
    ("docs/semantics.md", f"`max_attempts` of the connection, default {SETTINGS.max_attempts}"),
    ("docs/howto/wait.md", f"each `recheck` ({RECHECK:g} hours) before"),
    ("docs/howto/wait.md", f"Waiting for a time takes about {WORDS[24 // int(RECHECK)]} calls a day"),
    ("docs/howto/wait.md", wait_row("30 minutes", 30)),
    ("docs/howto/wait.md", wait_row("10 minutes", 10)),
    ("docs/howto/wait.md", wait_row("1 minute (what Airflow's own sensors do)", 1)),
    ("docs/howto/wait.md", f"each half an hour by default: {POLLS:,.0f} calls in 30 days of waiting"),
    ("docs/howto/wait.md", f"is noticed {HEAD_START:g} seconds later"),
    (
        "docs/howto/wait.md",
        f"polls again after {ERROR_INTERVAL / 60:g} minutes, or after `poke_interval` if that is less",
    ),
    ("docs/howto/wait.md", f"(Airflow's default is {DAYS:g} days)"),
    (
        "docs/howto/react.md",
        f"{CHECKS:.0f} a month of the {MONTHLY_QUOTA:,}; every 5 minutes, {FREQUENT:,.0f}",
    ),
    ("docs/howto/react.md", f"{CHECKS:.0f} in a month, changes or not"),
    (
        "docs/howto/react.md",
        f"(credentials, permissions, quota) after {ERRORS_AFTER}",
    ),
    (
        "docs/scaling.md",
        f"up to {WORDS[MAX_RENEWALS]} times for a call, and waits up to {WORDS[int(RENEWAL_JITTER)]} second",
    ),
    ("SECURITY.md", f"at most {MAX_BODY_BYTES >> 20} MB after decompression"),
    ("SECURITY.md", f"its headers {HEADERS} kB"),
]


@pytest.mark.parametrize(("page", "claim"), CLAIMS, ids=range(len(CLAIMS)))
def test_a_number_is_what_the_code_says(page: str, claim: str) -> None:
    """The sentence is on the page with the number that the code has."""
    assert claim in " ".join(Page(page).text.split())


@pytest.mark.parametrize(
    ("option", "seconds"), [("task_instance_heartbeat_timeout", 300), ("task_queued_timeout", 600)]
)
def test_airflow_waits_as_long_as_the_page_says(option: str, seconds: int) -> None:
    """The page on several workers gives Airflow's own defaults."""
    name = "scheduler_zombie_task_threshold" if not conf.has_option("scheduler", option) else option
    assert conf.getfloat("scheduler", name) == seconds
    text = " ".join(Page("docs/scaling.md").text.split())
    assert option in text
    assert f"{seconds} seconds by default" in text.split(option, 1)[1][:110]


def test_how_much_memory_an_answer_takes_is_what_the_page_says() -> None:
    """JSON that is made to be a nuisance takes as many times its length in memory as the page on security says."""
    assert "takes 20 to 40 times that much memory" in Page("SECURITY.md").text
    for unit in ("[]", "[[]]", "[[[[]]]]"):
        text = f"[{','.join([unit] * 50_000)}]"
        tracemalloc.start()
        json.loads(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert 20 < peak / len(text) < 40
