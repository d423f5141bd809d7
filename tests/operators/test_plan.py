"""The operator that applies a plan, in real task runs and at its edges."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar import exceptions
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import (
    InvalidConnectionError,
    PlanIncompleteError,
    ServiceError,
    TransportError,
)
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans import runner, worker_pool
from airflow_dingtalk_calendar.plans.checkpoint import MAX_CHUNK_LENGTH
from airflow_dingtalk_calendar.plans.progress import Progress
from tests.airflow_runs import Run, StateStore, Ti
from tests.conftest import DATA, ORGANIZER, event

Dag = Callable[..., Run]
Connect = Callable[..., None]
Operator = DingTalkCalendarApplyPlanOperator

QPS = {"status": 403, "code": "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi", "message": "slow down"}
QUOTA = {"status": 403, "code": "Forbidden.AccessDenied.ApiCountLimitForOrg", "message": "used up"}
TIMES = {"start": "2027-03-02T12:00", "end": "2027-03-02T13:00"}
LATER = "2030-01-01T00:00:00Z"


class Killed(BaseException):
    """What Airflow raises in the main thread for a time limit, or on 2.11 for SIGTERM."""


@pytest.fixture
def many(dingtalk: Emulator, connect: Connect) -> Emulator:
    """DingTalk with thirty events, and no pace that matters."""
    dingtalk.reset({**DATA, "events": [event(f"E{number}") for number in range(30)]})
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def rows(count: int = 30, **members: Any) -> list[dict[str, Any]]:
    """Make a plan that renames events."""
    return [{"event_id": f"E{number}", "patch": {"summary": f"New {number}"}, **members} for number in range(count)]


def execute(plan: Any = None, ti: Ti | None = None, store: StateStore | None = None, **arguments: Any) -> Any:
    """Execute an operator without rendering; return its result and the rows that it pushed."""
    ti = ti or Ti()
    given = {"union_id": ORGANIZER, "plan": rows() if plan is None else plan, "retries": 2, **arguments}
    context: Any = {"ti": ti, **({"task_state_store": store} if store else {})}
    return Operator(task_id="t", **given).execute(context), ti.pushed.get("results")


def failing(error: type[BaseException], *arguments: Any, **keywords: Any) -> tuple[Any, list[dict[str, Any]]]:
    """Execute an operator that fails; return the error and the rows that it pushed."""
    ti = keywords.pop("ti", Ti())
    with pytest.raises(error) as caught:
        execute(*arguments, ti=ti, **keywords)
    return caught.value, ti.pushed.get("results", [])


def sent(dingtalk: Emulator, action: str = "PatchEvent") -> Counter[str]:
    """Count the requests for each event."""
    return Counter(request["path"].rpartition("/")[2] for request in dingtalk.requests if request["action"] == action)


def statuses(results: list[dict[str, Any]]) -> Counter[str]:
    """Count the rows by status."""
    return Counter(row["status"] for row in results)


# -- a plan that works ---------------------------------------------------------------------------------------


def test_a_plan_comes_from_an_upstream_task(dag: Dag, dingtalk: Emulator) -> None:
    """An ordinary task makes the plan, the operator applies it, and the counts and rows are in XCom."""
    dingtalk.reset({**DATA, "events": [event("A"), event("B"), event("C", summary="C, New")]})
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Batch

        @task
        def plan():
            return [{{"event_id": name, "patch": {{"summary": name + ", New"}}}} for name in "ABC"]

        Batch(task_id="apply", union_id="{{{{ '{ORGANIZER}' }}}}", plan=plan(), skip_if_unchanged="{{{{ True }}}}")
        """
    )
    assert run.state("apply") == "success"
    counts = {"total": 3, "applied": 2, "unchanged": 1, "skipped": 0, "rejected": 0, "unknown": 0, "partial": 0}
    assert run.xcom("apply") == counts
    results = run.xcom("apply", "results")
    assert [row["status"] for row in results] == ["applied", "applied", "unchanged"]
    assert results[1] == {
        "index": 1,
        "action": "patch",
        "group": None,
        "union_id": ORGANIZER,
        "event_id": "B",
        "status": "applied",
        "fields": ["summary"],
        "not_applied": [],
        "code": "",
        "message": "",
        "request_id": "",
    }
    assert dingtalk.event("B")["summary"] == "B, New"
    assert dingtalk.effects["calls"] == {"GetEvent": 3, "PatchEvent": 2}


def test_a_plan_is_templated_json(dag: Dag, dingtalk: Emulator) -> None:
    """The plan may be JSON text with templates, and so may every other argument."""
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Batch

        Batch(
            task_id="apply",
            plan="{{{{ dag_run.conf['plan'] | tojson }}}}",
            union_id="{ORGANIZER}",
            timezone="{{{{ 'Asia/Tokyo' }}}}",
            dry_run="{{{{ False }}}}",
            max_calls="{{{{ 1 }}}}",
            max_failures="{{{{ 1 }}}}",
            on_error="{{{{ 'fail' }}}}",
        )
        """,
        conf={"plan": [{"event_id": DATA["events"][0]["id"], "patch": TIMES}]},  # type: ignore[index]
    )
    assert run.state("apply") == "success"
    assert dingtalk.effects["updates"][0]["fields"] == ["start", "end"]
    assert dingtalk.event(DATA["events"][0]["id"])["start"]["timeZone"] == "Asia/Tokyo"  # type: ignore[index]


def test_every_argument_is_templated() -> None:
    """All that the operator takes is a template field, and it can be made without an organizer."""
    operator = Operator(task_id="t", plan=[])
    mine = {"calendar_id", "union_id", "dingtalk_conn_id", "plan", "timezone", "dry_run", "skip_if_unchanged"}
    assert set(operator.template_fields) == mine | {
        "repeat_meeting",
        "return_events",
        "keep_before",
        "on_error",
        "max_failures",
        "max_calls",
        "max_rows",
        "max_notified",
        "if_busy",
    }


def test_one_token_serves_all_rows(many: Emulator) -> None:
    """Thirty events are patched once each, under thirty client tokens and one access token."""
    counts, results = execute()
    assert counts["applied"] == 30
    assert [row["event_id"] for row in results] == [f"E{number}" for number in range(30)]
    assert sent(many) == Counter({f"E{number}": 1 for number in range(30)})
    assert many.effects["tokens_issued"] == 1
    assert len({request["client_token"] for request in many.requests if request["client_token"]}) == 30


def test_a_row_has_the_client_token_of_what_it_asks_for(many: Emulator) -> None:
    """A row's client token is the same wherever it stands in the plan, and another one after a clear."""
    execute(rows(3))
    execute(list(reversed(rows(3))))
    execute(rows(3), ti=Ti(max_tries=5, try_number=3))
    tokens: dict[str, list[str]] = {}
    for request in many.requests:
        if request["action"] == "PatchEvent":
            tokens.setdefault(request["body"]["id"], []).append(request["client_token"])
    assert all(first == second != third for first, second, third in tokens.values())


def test_an_empty_plan_is_a_success(dingtalk: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Nothing to do is done, and said."""
    counts, results = execute([])
    assert (counts["total"], results) == (0, [])
    assert "The plan is empty" in said.text
    assert dingtalk.requests == []


def test_events_come_back_on_request(many: Emulator) -> None:
    """With ``return_events`` each row has the updated event, as DingTalk sent it."""
    _, results = execute(rows(2), return_events=True)
    assert [row["event"]["summary"] for row in results] == ["New 0", "New 1"]


def test_what_was_not_taken_is_named(many: Emulator) -> None:
    """A field that DingTalk accepted and the event does not have is named in the row."""
    many.configure(empty_text="ignored")
    _, results = execute([{"event_id": "E1", "patch": {"summary": "x"}, "clear": ["description"]}])
    assert results[0]["not_applied"] == ["description"]


# -- before anything is sent ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"plan": [*rows(3), {"event_id": "E9", "patch": {"sumary": "x"}}]}, r"plan\[3\].patch.sumary: is not"),
        ({"plan": rows(2) + rows(1)}, r"plan\[2\].event_id: is the event of plan\[0\] again"),
        ({"plan": {"event_id": "E1"}}, "plan: must be a list"),
        ({"plan": "[{'event_id': 'E1'}]"}, "needs | tojson"),
        ({"max_calls": 29}, "max_calls: is 29, and the plan takes 30 metered calls"),
        ({"max_calls": 59, "skip_if_unchanged": True}, "max_calls: is 59, and the plan takes 60 metered calls"),
        ({"plan": rows(if_updated_at=LATER), "max_calls": 59}, "the plan takes 60 metered calls"),
        ({"max_calls": 0}, "max_calls: must be 1 or more"),
        ({"max_failures": "many"}, "max_failures: must be an integer"),
        ({"on_error": "stop"}, "on_error: must be fail or continue"),
        ({"dry_run": "perhaps"}, "dry_run: must be true or false"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_plan_sends_nothing(many: Emulator, arguments: dict[str, Any], text: str) -> None:
    """One bad row, a plan that costs too much, or a wrong argument fails the task at once, and nothing is sent."""
    with pytest.raises(AirflowFailException, match=text):
        execute(**arguments)
    assert many.requests == []


def test_a_dry_run_shows_what_would_be_sent(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The requests to the letter, what they cost, what they change, and what to be careful about; nothing is sent."""
    plan = [
        {"event_id": "E1", "patch": {"summary": "x", "attendees": ["iiPguest"]}, "event": event("E1")},
        {"event_id": "E2", "patch": {"attendees": ["iiPguest"]}},
    ]
    shown, results = execute(plan, dry_run=True, skip_if_unchanged=True)
    assert (shown["dry_run"], shown["total"], shown["calls"], results) == (True, 2, 4, None)
    first, second = shown["rows"]
    (request,) = first["requests"]
    assert request["method"] == "PUT"
    assert request["body"] == {"id": "E1", "summary": "x", "attendees": [{"id": "iiPguest"}]}
    assert first["diff"] == ["summary: Planning -> x"]
    assert second["diff"] is None
    assert second["cautions"][0].startswith("patch.attendees: whether a list replaces")
    assert "plan[0].patch.attendees: whether a list replaces" in said.text
    assert "(and 1 more row)" in said.text
    assert many.requests == []


# -- rows that are not sent, or fail --------------------------------------------------------------------------


def test_a_row_may_ask_that_nobody_was_there_before(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A row whose event has changed since is skipped, and named; the same instant in another notation is no change."""
    read = many.event("E1")["updateTime"]
    same = f"{read[:-6]}.000{read[-6:]}"
    _, results = execute(
        [*rows(1, if_updated_at=LATER), {"event_id": "E1", "patch": {"summary": "x"}, "if_updated_at": same}]
    )
    assert [(row["status"], row["code"]) for row in results] == [("skipped", "changedSince"), ("applied", "")]
    assert "plan[0], event E0: skipped, changedSince" in said.text
    assert sent(many) == {"E1": 1}


def test_one_row_that_fails_does_not_stop_the_others(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Rows that DingTalk refuses are in the results and the log, all others are updated, and no retry is wasted."""
    plan = [*rows(5), {"event_id": "missing", "patch": {"summary": "Secret"}}]
    error, results = failing(AirflowFailException, plan)
    assert "Of 6 rows: 5 applied, 1 rejected. plan[5]: itemNotFound" in str(error)
    assert statuses(results) == {"applied": 5, "rejected": 1}
    assert results[5]["code"] == "itemNotFound"
    assert results[5]["request_id"] in said.text
    assert "plan[5], event missing: rejected, itemNotFound" in said.text
    assert "Secret" not in said.text


def test_failures_may_be_somebody_elses_business(many: Emulator) -> None:
    """With ``on_error="continue"`` the task succeeds whatever becomes of the rows."""
    many.fault(kind="reset", action="PatchEvent", skip=2)
    counts, results = execute(on_error="continue")
    assert (counts["applied"], counts["unknown"]) == (29, 1)
    assert statuses(results) == {"applied": 29, "unknown": 1}


def test_many_failures_are_counted_not_listed(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """The log names the first ten rows that failed and how many more there are."""
    many.fault(kind="error", action="PatchEvent", times=None, status=404, code="itemNotFound")
    failing(AirflowFailException)
    assert said.text.count("rejected, itemNotFound") == 10
    assert "and 20 more" in said.text


@pytest.mark.parametrize(
    "fault", [{"kind": "apply_then_reset"}, {"kind": "error", "status": 503, "code": "ServiceUnavailable"}]
)
def test_a_transient_failure_is_left_to_a_retry(many: Emulator, fault: dict[str, Any]) -> None:
    """A row whose outcome is unknown makes the task end in an error that Airflow retries; it has the counts."""
    many.fault(action="PatchEvent", skip=4, **fault)
    error, results = failing(PlanIncompleteError)
    assert {name: count for name, count in error.counts.items() if count} == {"total": 30, "applied": 29, "unknown": 1}
    assert statuses(results)["unknown"] == 1
    assert error.retryable


@pytest.mark.parametrize(
    "answer",
    [
        QUOTA,
        {"status": 403, "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied"},
        {"status": 403, "code": "Forbidden.AccessDenied.IpNotInWhiteList"},
        {"status": 401, "code": "InvalidAuthentication"},
    ],
    ids=lambda answer: str(answer["code"]),
)
def test_a_refusal_of_all_rows_ends_the_task(
    many: Emulator, connect: Connect, said: pytest.LogCaptureFixture, answer: dict[str, Any]
) -> None:
    """After a refusal that is not about the row, the rest is not sent, and the task fails for good."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    many.fault(kind="error", action="PatchEvent", skip=3, times=None, **answer)
    error, results = failing(AirflowFailException, on_error="continue")
    assert answer["code"] in str(error)
    assert statuses(results) == {"applied": 3, "rejected": 1, "skipped": 26}
    assert {row["code"] for row in results if row["status"] == "skipped"} == {"notTried"}
    assert "no more were sent" in said.text


def test_more_such_failures_can_be_allowed(many: Emulator, connect: Connect) -> None:
    """``max_failures`` says how many refusals of that kind it takes."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    many.fault(kind="error", action="PatchEvent", times=None, **QUOTA)
    _, results = failing(AirflowFailException, max_failures=3)
    assert statuses(results) == {"rejected": 3, "skipped": 27}


@pytest.mark.parametrize("code", ["permissionDeny", "PermissionDeny", "PERMISSIONDENY", "50002"])
def test_a_user_out_of_range_is_one_rows_business(many: Emulator, code: str) -> None:
    """That the app may not act for one user ends nothing, in whatever capitals it is said."""
    many.fault(kind="error", action="PatchEvent", status=403, code=code)
    _, results = failing(AirflowFailException)
    assert statuses(results) == {"applied": 29, "rejected": 1}


def test_a_long_throttle_is_left_to_a_retry(many: Emulator, connect: Connect) -> None:
    """When DingTalk wants nobody to call for a minute, the rest waits for Airflow's retry."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    limit = {"status": 403, "code": "Forbidden.AccessDenied.QpmLimitForAppkeyAndApi"}
    many.fault(kind="error", action="PatchEvent", skip=3, **limit)
    error, results = failing(PlanIncompleteError)
    assert error.retry_after == 60
    assert statuses(results) == {"applied": 3, "rejected": 1, "skipped": 26}


def test_throttled_rows_are_sent_again(many: Emulator, connect: Connect) -> None:
    """A throttled answer costs time and no row."""
    connect(extra={"max_qps": 1000})
    many.fault(kind="error", action="PatchEvent", skip=3, times=4, **QPS)
    counts, _ = execute()
    assert counts["applied"] == 30


# -- retries ---------------------------------------------------------------------------------------------------


def interrupted(many: Emulator, store: StateStore, monkeypatch: pytest.MonkeyPatch, after: int = 12) -> None:
    """Run a plan and end it by an exception in the main thread after some results."""
    kept, seen = Progress.add_result, Counter[str]()

    def note(self: Progress, result: Any) -> None:
        kept(self, result)
        seen["results"] += bool(result)
        if seen["results"] == after:
            seen["results"] += 1
            raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Progress, "add_result", note)
        patched.setattr(worker_pool, "MAX_THREADS", 2)
        failing(Killed, store=store)
    assert after <= len(sent(many)) < 30


@pytest.mark.parametrize(
    ("error", "ends", "status"),
    [
        (
            InvalidConnectionError(("connection.extra.suite_ticket_variable", "is empty")),
            AirflowFailException,
            "rejected",
        ),
        (OSError("the metadata database is gone"), OSError, "unknown"),
    ],
    ids=["connection", "fault"],
)
def test_the_results_are_there_whatever_ends_the_task(
    many: Emulator, monkeypatch: pytest.MonkeyPatch, error: Exception, ends: type[Exception], status: str
) -> None:
    """A connection that goes wrong in between, or a fault of Airflow, ends the task and loses no result."""
    follow = DingTalkBaseHook.follow

    def breaking(hook: DingTalkBaseHook, calls: Any) -> Any:
        if len(sent(many)) >= 10:
            raise error
        return follow(hook, calls)

    monkeypatch.setattr(DingTalkBaseHook, "follow", breaking)
    monkeypatch.setattr(runner, "thread_count", lambda *_: 1)
    _, results = failing(ends)
    assert statuses(results) == {"applied": 10, status: 1, "skipped": 19}
    assert [row["code"] for row in results if row["status"] == status] == [type(error).__name__]


def test_a_retry_goes_on_where_the_task_was_ended(many: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was finished, in flight included, is not sent again; the results are complete; the record is deleted."""
    store = StateStore()
    interrupted(many, store, monkeypatch)
    assert len(store.values) == 1
    counts, results = execute(ti=Ti(try_number=2), store=store)
    assert counts["applied"] == 30
    assert [row["status"] for row in results] == ["applied"] * 30
    assert sent(many) == Counter({f"E{number}": 1 for number in range(30)})
    assert store.values == {}


def test_a_clear_starts_anew(many: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of one cycle of tries is not that of the next one, although it may still be there."""
    store = StateStore()
    interrupted(many, store, monkeypatch)
    before = len(sent(many))
    execute(ti=Ti(max_tries=4, try_number=2), store=store)
    assert sum(sent(many).values()) == before + 30


def test_another_plan_starts_anew(many: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record is of one plan."""
    store = StateStore()
    interrupted(many, store, monkeypatch)
    counts, _ = execute(rows(20), ti=Ti(try_number=2), store=store)
    assert counts["total"] == counts["applied"] == 20
    assert sum(sent(many).values()) >= 32


def test_all_finished_kinds_are_restored(many: Emulator, connect: Connect) -> None:
    """Refused, skipped and unchanged rows come back from the record as they were; unknown ones are sent again."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    store = StateStore()
    plan = [
        {"event_id": "missing", "patch": {"summary": "x"}},
        {"event_id": "E1", "patch": {"summary": "x"}, "if_updated_at": LATER},
        {"event_id": "E2", "patch": {"summary": "Planning"}},
        {"event_id": "E3", "patch": {"summary": "x"}},
    ]
    many.fault(kind="apply_then_reset", action="PatchEvent")
    _, first = failing(PlanIncompleteError, plan, store=store, skip_if_unchanged=True)
    assert [row["status"] for row in first] == ["rejected", "skipped", "unchanged", "unknown"]
    calls = len(many.requests)
    _, second = failing(AirflowFailException, plan, ti=Ti(try_number=2), store=store, skip_if_unchanged=True)
    assert [row["status"] for row in second] == ["rejected", "skipped", "unchanged", "unchanged"]
    assert second[:3] == first[:3]
    assert len(many.requests) == calls + 1
    assert store.values == {}


def test_a_record_stays_for_the_next_retry_and_not_after_the_last(many: Emulator) -> None:
    """While automatic retries are left the record is kept; the last try deletes it."""
    store = StateStore()
    many.fault(kind="reset", action="PatchEvent", times=None, skip=29)
    failing(PlanIncompleteError, store=store, ti=Ti(try_number=2))
    assert store.values
    failing(PlanIncompleteError, store=store, ti=Ti(try_number=3))
    assert store.values == {}


def test_a_failing_state_store_fails_nothing(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """When the state store fails, that is said once, and the plan is applied."""
    store = StateStore()
    store.broken = True
    counts, _ = execute(store=store)
    assert counts["applied"] == 30
    assert said.text.count("state store failed") == 1


def test_nonsense_in_the_state_store_fails_nothing(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """A record that cannot be read counts as none."""
    store = StateStore()
    store.get = lambda key, default=None: [["x"]]  # type: ignore[method-assign]
    counts, _ = execute(store=store)
    assert counts["applied"] == 30
    assert said.text.count("state store failed") == 1


def test_an_older_airflow_is_logged(many: Emulator, said: pytest.LogCaptureFixture) -> None:
    """Without a state store a retry sends all again, under the same client tokens, and the log says so once."""
    execute()
    execute(ti=Ti(try_number=2))
    assert said.text.count("does not store task state") == 2
    assert set(sent(many).values()) == {2}
    assert len({request["client_token"] for request in many.requests if request["client_token"]}) == 30
    assert len(many.effects["updates"]) == 30


def test_a_record_stays_below_airflows_limit(many: Emulator) -> None:
    """Long messages about many rows are kept in several values, each below 64 KB, and read again."""
    store = StateStore()
    many.fault(kind="error", action="PatchEvent", times=None, status=400, code="paramIllegal", message="\u4f1a" * 300)
    plan = [{"event_id": f"N{number}", "patch": {"summary": "x"}} for number in range(80)]
    many.fault(kind="reset", action="GetEvent", times=None)
    last = {"event_id": "E1", "patch": {"summary": "x"}, "if_updated_at": LATER}
    failing(PlanIncompleteError, [*plan, last], store=store)
    assert len(store.values) > 1
    calls = len(many.requests)
    _, results = failing(PlanIncompleteError, [*plan, last], store=store, ti=Ti(try_number=2))
    assert len(many.requests) == calls + 1
    assert statuses(results) == {"rejected": 80, "unknown": 1}  # the last: an earlier try may have got further
    assert {row["message"][:300] for row in results[:80]} == {"\u4f1a" * 300}


def test_the_limit_is_the_installed_airflows() -> None:
    """The size of a value stays below what the installed Airflow warns of, where it has a state store."""
    from airflow.providers.common.compat.sdk import conf

    assert int(conf.get("state_store", "max_value_storage_bytes", fallback="65535")) > MAX_CHUNK_LENGTH


@pytest.mark.parametrize(("repeat", "status"), [(False, "rejected"), (True, "applied")])
def test_a_second_video_meeting_is_not_made(many: Emulator, repeat: bool, status: str) -> None:
    """On a retry without a record of the row, an event that has a meeting gets no other one, unless asked for."""
    plan = [{"event_id": "E1", "patch": {"online_meeting": True}}]
    many.fault(kind="apply_then_reset", action="PatchEvent")
    _, results = failing(PlanIncompleteError, plan)
    assert results[0]["status"] == "unknown"
    ti, many_meetings = Ti(try_number=2), many.effects["meetings"]
    if repeat:
        execute(plan, ti=ti, repeat_meeting=True)
    else:
        failing(AirflowFailException, plan, ti=ti)
    assert ti.pushed["results"][0]["status"] == status
    assert ti.pushed["results"][0]["code"] == ("" if repeat else "hasMeeting")
    assert len(many_meetings) == len(many.effects["meetings"]) == 1


def test_our_own_change_is_not_somebody_elses(many: Emulator) -> None:
    """A retry finds the event as the first try left it, and does not take that for a change since it was read."""
    plan = rows(1, if_updated_at=many.event("E0")["updateTime"])
    many.fault(kind="apply_then_reset", action="PatchEvent")
    failing(PlanIncompleteError, plan)
    _, results = execute(plan, ti=Ti(try_number=2))
    assert results[0]["status"] == "unchanged"


# -- the end of the task, and the log ---------------------------------------------------------------------------


def test_a_killed_task_ends_what_is_under_way(
    many: Emulator, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked to end, the operator begins no more rows, records what is finished, and leaves the rest to a retry."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    store, ti = StateStore(), Ti()
    plan = [{"event_id": "missing", "patch": {"summary": "x"}}, *rows()]
    operator = Operator(task_id="t", union_id=ORGANIZER, plan=plan, retries=2)
    operator.on_kill()  # before there is anything to end
    kept = Progress.add_result

    def note(self: Progress, result: Any) -> None:
        kept(self, result)
        if len(self.results) == 3:
            operator.on_kill()

    monkeypatch.setattr(Progress, "add_result", note)
    with pytest.raises(PlanIncompleteError):
        operator.execute({"ti": ti, "task_state_store": store})  # type: ignore[typeddict-item,typeddict-unknown-key]
    found = statuses(ti.pushed["results"])
    assert found["rejected"] == 1
    assert len(json.loads(store.values.popitem()[1])) == 1 + found["applied"] == len(sent(many)) < 31
    assert found["skipped"] == 30 - found["applied"]


def test_a_mistake_of_ours_is_not_hidden(many: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that no call raises comes out of the threads, and does not hang the task."""
    monkeypatch.setattr(DingTalkBaseHook, "run", lambda *_: 1 / 0)
    failing(ZeroDivisionError)


def test_progress_is_said(many: Emulator, connect: Connect, said: pytest.LogCaptureFixture) -> None:
    """Every few seconds one line says how far it is; at the end one says what became of the rows."""
    connect(extra={"max_qps": 1, "max_attempts": 1})
    execute()
    lines = [line for line in said.messages if " of 30 rows done" in line]
    assert 3 <= len(lines) <= 8
    assert "failed, " in lines[0]
    assert lines[0].endswith("s left.")
    assert re.search(r"Of 30 rows: 30 applied. It took (29|3\d)\.", said.text)


@pytest.mark.parametrize(
    ("per_second", "apis", "items", "threads"),
    [
        (20, 1, 1000, 20),
        (20, 1, 5, 5),
        (0.5, 1, 10, 1),
        (1000, 1, 99, 32),
        (5, 1, 0, 1),
        (5, 0, 0, 1),
        (5, 8, 1000, 40),
        (20, 8, 1000, 64),
        (20, 8, 30, 30),
    ],
)
def test_threads_are_as_many_as_the_rates_need(per_second: float, apis: int, items: int, threads: int) -> None:
    """No more threads are started than keep the pace of each API, or than there are rows."""
    assert worker_pool.thread_count(per_second, apis, items) == threads


def test_items_may_be_made_as_they_are_taken() -> None:
    """A generator is asked by one thread at a time, and every item is done once."""

    def numbers() -> Iterator[int]:
        yield from range(500)

    with worker_pool.WorkerPool(lambda number: [number * 2], numbers(), 8) as work:
        assert sorted(filter(None, work.results())) == list(range(2, 1000, 2))


def test_errors_have_stable_names() -> None:
    """A retry policy of Airflow can name the error, and it survives a pickle's trip."""
    assert (
        f"{PlanIncompleteError.__module__}.{PlanIncompleteError.__name__}"
        == "airflow_dingtalk_calendar.exceptions.PlanIncompleteError"
    )
    assert issubclass(PlanIncompleteError, exceptions.DingTalkError)
    assert not issubclass(PlanIncompleteError, (ServiceError, TransportError))


def test_what_is_under_way_counts_though_two_threads_fail() -> None:
    """The results of the others are there before the first failure is raised, also when another one follows."""
    begun = threading.Barrier(3, timeout=10)

    def work(number: int) -> Iterator[int]:
        begun.wait()
        if number < 2:
            raise OSError(number)
        time.sleep(0.05)  # long enough for both to fail before
        yield number

    found: list[int | None] = []

    def take(working: worker_pool.WorkerPool[int, int]) -> None:
        for result in working.results():
            found.append(result)  # so that they are there when it raises

    with worker_pool.WorkerPool(work, range(3), 3) as working, pytest.raises(OSError, match=r"^[01]$"):
        take(working)
    assert 2 in found
