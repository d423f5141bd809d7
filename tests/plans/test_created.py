"""Events that an earlier try has created: a retry goes on with them, and makes no second one."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import PlanIncompleteError, TransportError
from airflow_dingtalk_calendar.operators.event_lifecycle import DingTalkCalendarCreateEventOperator
from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator
from airflow_dingtalk_calendar.plans.created import CreatedEvents
from airflow_dingtalk_calendar.plans.plan import parse_plan
from airflow_dingtalk_calendar.plans.progress import Progress
from tests.airflow_runs import Run, StateStore, Ti
from tests.conftest import DATA, ORGANIZER, event

Dag = Callable[..., Run]

EVENT = {"summary": "Retro", "start": "2027-03-03T10:00:00+08:00", "end": "2027-03-03T11:00:00+08:00"}
CREATE: dict[str, Any] = {"action": "create", "event": EVENT, "name": "retro", "group": "g"}
MINE = {"event_id": {"created_by": "retro"}, "group": "g"}
RENAME = {**MINE, "patch": {"summary": "Retro of sprint 42", "description": "What went well"}}
MOVE = {**MINE, "patch": {"start": "2027-03-04T10:00:00+08:00", "end": "2027-03-04T11:00:00+08:00"}}
INVITE = {**MINE, "action": "add_attendees", "attendees": ["iiPguest"]}
FAILS_ONCE = {"event_id": "E1", "patch": {"summary": "New"}}
HOUR = dt.timedelta(hours=1)


class Killed(BaseException):
    """The worker is gone."""


@pytest.fixture(params=["stored", "again"])
def calendar(request: pytest.FixtureRequest, dingtalk: Emulator, connect: Callable[..., None]) -> Emulator:
    """DingTalk with an event, in both readings of what a repeated client token gets."""
    dingtalk.reset({**DATA, "events": [event("E1")]}, replay=request.param)
    connect(extra={"max_qps": 1000, "max_attempts": 1})
    return dingtalk


def execute(
    plan: list[dict[str, Any]],
    try_number: int,
    store: StateStore | None = None,
    *,
    began: dt.datetime | None = None,
    ti: Ti | None = None,
    **arguments: Any,
) -> Any:
    """Apply a plan in a DAG run that began a minute ago; return its result and the rows that it pushed."""
    ti = ti or Ti(try_number=try_number)
    start = began or dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
    context: Any = {"ti": ti, "dag_run": SimpleNamespace(start_date=start)}
    given = {"union_id": ORGANIZER, "timezone": "Asia/Shanghai", "retries": 2, "plan": plan, **arguments}
    task = DingTalkCalendarApplyPlanOperator(task_id="t", **given)
    return task.execute({**context, **({"task_state_store": store} if store else {})}), ti.pushed["results"]


def fail_first(dingtalk: Emulator, plan: list[dict[str, Any]], store: StateStore, **arguments: Any) -> None:
    """Apply a plan in a first try of which the patch of another event is refused for now."""
    dingtalk.fault(kind="error", action="PatchEvent", status=503, code="ServiceUnavailable")
    with pytest.raises(PlanIncompleteError):
        execute([FAILS_ONCE, *plan], 1, store, **arguments)


def created(dingtalk: Emulator) -> list[str]:
    """Return the ids of the events that were created."""
    return [row["event_id"] for row in dingtalk.effects["writes"] if row["action"] == "CreateEvent"]


def sent(dingtalk: Emulator, action: str) -> int:
    """Count an action's requests."""
    return sum(request["action"] == action for request in dingtalk.requests)


class ForgetfulStore(StateStore):
    """Airflow's state store, which fails when a plan's results come in, and works again in the next try."""

    failing = True

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value, but no results."""
        if self.failing and "plan" in key:
            raise OSError("the metadata database is gone")
        super().set(key, value, retention=retention)


# -- a record ---------------------------------------------------------------------------------------------------


def test_a_retry_goes_on_with_the_event_of_a_killed_try(calendar: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed when an event was created and the next row of its group not yet sent, a retry uses the event's id."""
    store, ti, kept = StateStore(), Ti(), Progress.save

    def save(self: Progress) -> None:
        kept(self)
        if any(result.row.change.creates for result in self.results.values()):
            raise Killed

    calendar.fault(kind="reset", action="AddAttendee")
    with monkeypatch.context() as patched:
        patched.setattr(Progress, "save", save)
        with pytest.raises(Killed):
            execute([CREATE, INVITE], 1, store, ti=ti)
    recorded = json.loads(next(value for key, value in store.values.items() if "plan" in key))
    assert [entry[:-1] for entry in recorded] == [[0, 0, [], "", "", "", *created(calendar)]]
    counts, results = execute([CREATE, INVITE], 2, store)
    assert (counts["applied"], sent(calendar, "CreateEvent"), sent(calendar, "ListEvents")) == (2, 1, 0)
    assert [row["event_id"] for row in results] == created(calendar) * 2
    assert "iiPguest" in {one["id"] for one in calendar.event(*created(calendar))["attendees"]}


def test_rows_on_a_created_event_are_recorded_with_its_id(calendar: Emulator) -> None:
    """A retry reports the rows of an earlier try with the id of the event that the plan has created."""
    store = StateStore()
    fail_first(calendar, [CREATE, INVITE], store)
    _, results = execute([FAILS_ONCE, CREATE, INVITE], 2, store)
    assert [row["event_id"] for row in results] == ["E1", *created(calendar) * 2]


@pytest.mark.parametrize("calendar", ["stored"], indirect=True)  # the retry sends none of them again
def test_many_created_events_stay_below_airflows_limit(calendar: Emulator) -> None:
    """The ids of 1,200 created events are kept in several values below Airflow's limit, and used by a retry."""
    calendar.configure(daily_creations=0)
    plan = [{**CREATE, "name": None, "group": None, "event": {**EVENT, "summary": f"{n}"}} for n in range(1200)]
    store = StateStore()  # fails the test at a value above the limit
    fail_first(calendar, plan, store, max_calls=2000)
    assert len([key for key in store.values if "plan" in key]) > 1
    _, results = execute([FAILS_ONCE, *plan], 2, store, max_calls=2000)
    assert {row["event_id"] for row in results[1:]} == set(created(calendar))
    assert sent(calendar, "CreateEvent") == 1200


def test_creating_many_events_writes_few_records(calendar: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Results that come together are recorded together, so that the record does not hold up the plan."""
    plan = [{**CREATE, "name": None, "group": None, "event": {**EVENT, "summary": f"{n}"}} for n in range(90)]
    store = StateStore()
    write = store.set

    def take_long(key: str, value: Any, **options: Any) -> None:
        time.sleep(0.05)
        write(key, value, **options)

    monkeypatch.setattr(store, "set", take_long)
    execute(plan, 1, store)
    assert store.writes < 45


# -- no record --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("later", [[], [INVITE], [RENAME], [MOVE], [RENAME, INVITE]], ids=lambda rows: str(len(rows)))
@pytest.mark.parametrize("store", [None, ForgetfulStore], ids=["no state store", "a failing one"])
def test_an_event_is_created_once(
    calendar: Emulator, store: type[ForgetfulStore] | None, later: list[dict[str, Any]]
) -> None:
    """A retry that has no record finds the event as the rows of its group have left it, and makes no second one."""
    keep = store() if store else None
    calendar.fault(kind="reset", action="DeleteEvent")
    plan = [{"action": "delete", "event_id": "E1"}, CREATE, *later]
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1, keep)
    if keep:
        keep.failing = False
    counts, results = execute(plan, 2, keep)
    assert counts["applied"] == len(plan)
    assert len(created(calendar)) == 1
    assert {row["event_id"] for row in results[1:]} == set(created(calendar))


def test_a_lost_answer_makes_no_second_event(calendar: Emulator) -> None:
    """An event whose creation was not answered is found by the retry; of one that was not created, none is found."""
    plan = [CREATE, {**CREATE, "name": "other", "group": "h", "event": {**EVENT, "summary": "Demo"}}]
    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    calendar.fault(kind="reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    assert len(created(calendar)) == 1
    execute(plan, 2)
    assert len(created(calendar)) == 2
    assert sent(calendar, "ListEvents") == 1  # for both: they start at the same time


def test_events_that_are_alike_are_distinguished(calendar: Emulator) -> None:
    """Of two events that are the same, a retry makes the one that is missing, and takes none for both."""
    plan = [{**CREATE, "name": None, "group": None}] * 2
    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    calendar.fault(kind="reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    assert len(created(calendar)) == 1
    _, results = execute(plan, 2)
    assert sorted(row["event_id"] for row in results) == sorted(created(calendar))
    assert len(created(calendar)) == 2


def test_one_recorded_event_is_not_taken_for_another(calendar: Emulator) -> None:
    """An event that the record has is its row's, also for a row that asks for the same one."""
    store = StateStore()
    plan = [{**CREATE, "name": None, "group": None}] * 2
    calendar.fault(kind="reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1, store)
    _, results = execute(plan, 2, store)
    assert len(created(calendar)) == len({row["event_id"] for row in results}) == 2


def test_an_event_with_more_in_it_is_another_one(calendar: Emulator) -> None:
    """A row does not take an event that has a description, place, people or rule that the row does not ask for."""
    more = {**EVENT, "description": "What went well", "attendees": ["iiPguest"]}
    plan = [{**CREATE, "event": more, "name": None, "group": None}, {**CREATE, "name": None, "group": None}]
    calendar.fault(kind="reset", action="CreateEvent", skip=1)
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    execute(plan, 2)
    assert len(created(calendar)) == 2


# -- since when -------------------------------------------------------------------------------------------------


def test_events_from_before_the_first_try_do_not_count(calendar: Emulator) -> None:
    """The first try notes when it began, so that the same event, created earlier in the DAG run, is another one."""
    store, long_ago = StateStore(), dt.datetime.now(dt.UTC) - 5 * HOUR
    plan = [{**CREATE, "name": None, "group": None}]
    _, (row,) = execute(plan, 1, began=long_ago, ti=Ti(task_id="another"))
    age(calendar, row["event_id"], HOUR)
    calendar.fault(kind="reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1, store, began=long_ago)
    execute(plan, 2, store, began=long_ago)
    assert len(created(calendar)) == 2


def age(dingtalk: Emulator, event_id: str, by: dt.timedelta) -> None:
    """Let an event have been created earlier than it was."""
    kept = dingtalk.store.events[event_id]
    dingtalk.store.put_event({**kept, "createTime": (dt.datetime.now(dt.UTC) - by).isoformat(timespec="seconds")})


@pytest.mark.parametrize(("minutes", "events"), [(1, 1), (10, 2)])
def test_clocks_may_differ_a_little(dingtalk: Emulator, connect: Any, minutes: int, events: int) -> None:
    """A service whose clock is a minute behind is understood; one that is far behind may make a second event."""
    dingtalk.configure(replay="again")
    connect(extra={"max_attempts": 1})
    plan, store = [{**CREATE, "name": None, "group": None}], StateStore()
    dingtalk.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1, store)
    age(dingtalk, *created(dingtalk), dt.timedelta(minutes=minutes))
    execute(plan, 2, store)
    assert len(created(dingtalk)) == events


def test_an_app_that_may_not_list_events_has_the_client_token(
    calendar: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """Without the permission to read, a retry sends the same request under the same client token, and says so."""
    plan = [{**CREATE, "name": None, "group": None}]
    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    code = "Forbidden.AccessDenied.AccessTokenPermissionDenied"
    calendar.fault(kind="error", action="ListEvents", status=403, code=code)
    counts, _ = execute(plan, 2)
    assert counts["applied"] == 1
    tokens = {request["client_token"] for request in calendar.requests if request["action"] == "CreateEvent"}
    assert len(tokens) == 1
    assert "only the client token, which DingTalk knows for a day, prevents a second one." in caplog.text


def test_checks_are_counted(calendar: Emulator) -> None:
    """``max_calls`` of a retry has a call for each person and start, and only for events that are not recorded."""
    plan = [
        {**CREATE, "name": None, "group": None, "event": {**EVENT, "summary": f"{day} {n}", **times(day)}}
        for day in (3, 4)
        for n in range(3)
    ]
    calendar.fault(kind="reset", action="CreateEvent", times=None)
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1, max_calls=6)
    with pytest.raises(AirflowFailException, match="max_calls: is 7, and the plan takes 8 metered calls"):
        execute(plan, 2, max_calls=7)
    calendar.reset({**DATA, "events": []})
    execute(plan, 2, max_calls=8)
    assert calendar.effects["calls"] == {"ListEvents": 2, "CreateEvent": 6}


def times(day: int) -> dict[str, str]:
    """Return start and end of an event."""
    return {"start": f"2027-03-0{day}T10:00:00+08:00", "end": f"2027-03-0{day}T11:00:00+08:00"}


def test_more_events_than_a_page_are_searched(calendar: Emulator) -> None:
    """The event is found wherever on the pages of a busy calendar it is."""
    replay = calendar.store.settings.replay
    shape = {"start": {"dateTime": EVENT["start"], "timeZone": "Asia/Shanghai"}}
    others = [event(f"A{n}", **shape, end={**shape["start"], "dateTime": EVENT["end"]}) for n in range(120)]
    calendar.reset({**DATA, "events": others}, replay=replay)
    plan = [{**CREATE, "name": None, "group": None}]
    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    execute(plan, 2)
    assert len(created(calendar)) == 1


def test_an_all_day_event_is_found(calendar: Emulator) -> None:
    """The day of an all-day event begins somewhere in the world; it is found all the same."""
    plan = [{"action": "create", "event": {"summary": "Offsite", "start": "2027-03-03", "end": "2027-03-05"}}]
    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(PlanIncompleteError):
        execute(plan, 1)
    execute(plan, 2)
    assert len(created(calendar)) == 1


# -- the operator for one event -----------------------------------------------------------------------------------


@pytest.mark.parametrize("store", [None, StateStore], ids=["no state store", "state store"])
def test_the_operator_for_one_event_checks_as_well(calendar: Emulator, store: type[StateStore] | None) -> None:
    """A retry of the operator that creates one event returns the event that the first try has created."""
    keep = store() if store else None

    def create(ti: Ti) -> Any:
        run = SimpleNamespace(start_date=dt.datetime.now(dt.UTC) - HOUR)
        context: Any = {"ti": ti, "dag_run": run, **({"task_state_store": keep} if keep else {})}
        task = DingTalkCalendarCreateEventOperator(task_id="t", union_id=ORGANIZER, event=EVENT, retries=2)
        return task.execute(context)

    calendar.fault(kind="apply_then_reset", action="CreateEvent")
    with pytest.raises(TransportError):
        create(Ti(try_number=1))
    ti = Ti(try_number=2)
    assert create(ti)["id"] == ti.pushed["event_id"] == created(calendar)[0]
    assert len(created(calendar)) == 1
    create(Ti(try_number=3, max_tries=4))  # a person has cleared the task
    assert len(created(calendar)) == 2


@pytest.mark.parametrize("replay", ["stored", "again"])
def test_a_real_retry_goes_on(dag: Dag, dingtalk: Emulator, replay: str) -> None:
    """In a real run the retry of a task whose answer was lost goes on with the event that is there."""
    dingtalk.configure(replay=replay)
    dingtalk.fault(kind="apply_then_reset", action="CreateEvent", times=1)
    run = dag(
        f"""
        from airflow_dingtalk_calendar.operators.plan import DingTalkCalendarApplyPlanOperator as Apply

        plan = {[CREATE, INVITE]!r}
        Apply(task_id="apply", union_id="{ORGANIZER}", timezone="Asia/Shanghai", plan=plan, retries=2)
        """
    )
    assert run.state("apply") == "success"
    assert len(created(dingtalk)) == 1
    assert run.xcom("apply")["applied"] == 2


def claimed(rows: list[dict[str, Any]], listed: list[dict[str, Any]], order: tuple[int, int]) -> dict[str, str]:
    """Let rows that create events search theirs, in this order; return which found which."""
    plan = parse_plan(rows, union_id=ORGANIZER, timezone="Asia/Shanghai")
    created, found = CreatedEvents(dt.datetime(2026, 12, 31, tzinfo=dt.UTC)), {}
    creating = [row for row in plan.rows if row.change.creates]
    for index in order:
        steps = created.find(creating[index])
        try:
            next(steps)
            steps.send({"events": listed, "nextToken": None})
        except StopIteration as end:
            found[str(creating[index].name)] = end.value["id"]
    return found


def made(event_id: str, summary: str, **members: Any) -> dict[str, Any]:
    """Describe an event that an earlier try has created."""
    start = {"dateTime": RETRO["start"], "timeZone": "Asia/Shanghai"}
    return {"id": event_id, "summary": summary, "start": start, "createTime": "2027-01-01T00:00:00Z", **members}


RETRO = {"summary": "Retro", "start": "2027-03-03T10:00:00+08:00"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_twins_are_distinguished_by_their_people(order: tuple[int, int]) -> None:
    """Of two creates that are the same, the one whose group invites people takes the event that has them."""
    rows = [
        {"action": "create", "event": RETRO, "name": "a", "group": "a"},
        {"action": "add_attendees", "group": "a", "event_id": {"created_by": "a"}, "attendees": ["iiPnew"]},
        {"action": "create", "event": RETRO, "name": "b", "group": "b"},
    ]
    listed = [made("alone", "Retro"), made("invited", "Retro", attendees=[{"id": "iiPnew"}])]
    assert claimed(rows, listed, order) == {"a": "invited", "b": "alone"}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_row_takes_the_event_as_it_creates_it(order: tuple[int, int]) -> None:
    """What another group has made of its event, so that it is like this one later, is left to that group."""
    rows: list[dict[str, Any]] = []
    for name in "ab":
        create = {"action": "create", "event": {**RETRO, "summary": f"Retro {name}"}, "name": name, "group": name}
        patch = {"event_id": {"created_by": name}, "patch": {"summary": "Done"}, "group": name}
        rows += [create, patch]
    listed = [made("patched", "Done"), made("created", "Retro a")]
    assert claimed(rows, listed, order) == {"a": "created", "b": "patched"}
