"""The patch operator's ``edit``: a patch made of the event as it is, and never made twice of one event."""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import DAG, AirflowFailException, AirflowSkipException
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from airflow_dingtalk_calendar.edits import extend_until, move_to, quiet, relocate, retitle, shift
from airflow_dingtalk_calendar.emulator import Emulator
from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError, TransportError
from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
from airflow_dingtalk_calendar.operators.edited_patch import bind_edit, edit_name
from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator
from tests.airflow_runs import Run, StateStore, Ti
from tests.conftest import DATA, EVENT, ORGANIZER, event

Dag = Callable[..., Run]
KEEPS_STATE = find_spec("airflow.models.task_state_store") is not None  # Airflow 3.3 on
AN_HOUR = dt.timedelta(hours=1)
ONE = {"union_id": ORGANIZER, "event_id": EVENT}
TEN, ELEVEN, TWELVE = (f"2027-03-02T{hour}:00:00+08:00" for hour in (10, 11, 12))
an_hour_later = functools.partial(shift, by=AN_HOUR)
REPLAYS = pytest.mark.parametrize("replay", ["stored", "again"])


class Store(StateStore):
    """A state store that fails at chosen calls."""

    def __init__(self, fails: Mapping[str, type[BaseException]] | None = None) -> None:
        super().__init__()
        self.fails = dict(fails or {})

    def get(self, key: str, default: Any = None) -> Any:
        """Return a value, unless this fails."""
        self._maybe_fail("get")
        return super().get(key, default)

    def set(self, key: str, value: Any, *, retention: Any = None) -> None:
        """Keep a value, and fail before or after."""
        self._maybe_fail("set")
        super().set(key, value, retention=retention)
        self._maybe_fail("after set")

    def _maybe_fail(self, method: str) -> None:
        if method in self.fails:
            raise self.fails[method]("Planning")


def execute(edit: Any, ti: Ti | None = None, store: Any = None, **arguments: Any) -> Any:
    """Execute an operator with an edit, without rendering."""
    operator = DingTalkCalendarPatchEventOperator(task_id="t", edit=edit, **{**ONE, "retries": 2, **arguments})
    context = {"ti": ti or Ti(), "ds": "2027-03-01", **({"task_state_store": store} if store else {})}
    return operator.execute(context)  # type: ignore[arg-type]


def actions(dingtalk: Emulator) -> list[str]:
    """Name the metered calls."""
    return [request["action"] for request in dingtalk.requests if request["action"] in ("GetEvent", "PatchEvent")]


def tokens(dingtalk: Emulator) -> list[str]:
    """Return the client tokens of the patches."""
    return [request["client_token"] for request in dingtalk.requests if request["action"] == "PatchEvent"]


def start(dingtalk: Emulator) -> str:
    """Return when the event starts."""
    return str(dingtalk.event(EVENT)["start"]["dateTime"])


# -- reading, editing, sending ----------------------------------------------------------------------------------


def test_an_edit_makes_the_patch(dingtalk: Emulator) -> None:
    """The event is read once, edited and patched, and comes back as it then is."""
    ti = Ti()
    result = execute(an_hour_later, ti, StateStore())
    assert actions(dingtalk) == ["GetEvent", "PatchEvent"]
    assert result["start"]["dateTime"] == start(dingtalk) == ELEVEN
    assert ti.pushed == {"patched_fields": ["start", "end"], "not_applied": []}


def test_the_edit_gets_the_whole_event(dingtalk: Emulator) -> None:
    """It gets the event as GetEvent returns it with all of 500 attendees."""
    people = [{"id": f"iiP{number}"} for number in range(300)]
    dingtalk.reset({**DATA, "events": [event(attendees=people)]})
    seen: list[Any] = []
    with pytest.raises(AirflowSkipException):
        execute(seen.append)
    with DingTalkCalendarHook() as hook:
        assert seen == [hook.get_event(ORGANIZER, EVENT, max_attendees=500)]
    assert len(seen[0]["attendees"]) == 300


def test_nothing_to_do_skips_the_task(dingtalk: Emulator) -> None:
    """None skips the task, as a patch of None does, after the one call that reads."""
    store = Store()
    with pytest.raises(AirflowSkipException, match="retitle"):
        execute(functools.partial(retitle, old="Sprint", new="Run"), store=store)
    assert (actions(dingtalk), store.values) == (["GetEvent"], {})


@pytest.mark.parametrize("skip", [False, True])
def test_a_patch_that_changes_nothing_is_not_sent(dingtalk: Emulator, skip: bool) -> None:
    """What the event has already is not sent, whether skip_if_unchanged is set or not, and costs one call."""
    ti = Ti()
    result = execute(lambda event: {"summary": event["summary"]}, ti, Store(), skip_if_unchanged=skip)
    assert (result["summary"], ti.pushed["patched_fields"]) == ("Planning", [])
    assert actions(dingtalk) == ["GetEvent"]


def test_the_event_cannot_be_changed_by_its_edit(dingtalk: Emulator) -> None:
    """An edit that changes the event that it gets changes a copy: the comparison sees the event as it was."""

    def rename(event: dict[str, Any]) -> dict[str, Any]:
        event["start"]["dateTime"] = "2030"
        event["summary"] = "Renamed"
        return {"summary": event["summary"]}

    assert execute(rename, store=Store())["summary"] == "Renamed"
    assert start(dingtalk) == TEN


def test_the_other_arguments_mean_what_they_mean_for_a_patch(dingtalk: Emulator) -> None:
    """Zone, fields to clear and unchecked fields belong to the patch that the edit makes."""
    execute(
        lambda event: {"start": "2027-03-03T10:00", "end": "2027-03-03T11:00", "description": ""},
        store=Store(),
        timezone="Asia/Tokyo",
        clear=["description", "location"],
        unchecked_fields={"newField": 1},
    )
    (body,) = [request["body"] for request in dingtalk.requests if request["action"] == "PatchEvent"]
    assert body["start"] == {"dateTime": "2027-03-03T10:00:00+09:00", "timeZone": "Asia/Tokyo"}
    assert (body["description"], body["location"], body["newField"]) == ("", {"displayName": ""}, 1)


def test_fields_can_be_cleared_although_the_edit_has_nothing_to_do(dingtalk: Emulator) -> None:
    """With clear there is something to change although the edit returns None."""
    execute(lambda event: None, store=Store(), clear="description")
    assert dingtalk.event(EVENT)["description"] == ""


def test_a_dry_run_reads_and_shows(dingtalk: Emulator) -> None:
    """A dry run reads the event, shows the request, and records nothing."""
    store = Store()
    shown = execute(an_hour_later, store=store, dry_run=True)
    assert (shown["dry_run"], shown["request"]["body"]["start"]["dateTime"]) == (True, ELEVEN)
    assert (actions(dingtalk), store.values) == (["GetEvent"], {})


# -- what is wrong ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [{"edit": None}, {"edit": None, "clear": ["summary"]}, {"edit": shift, "patch": {"summary": "x"}}],
    ids=["neither", "only clear", "both"],
)
def test_either_patch_or_edit(dingtalk: Emulator, arguments: dict[str, Any]) -> None:
    """A task with both of them or none fails, and the message names both."""
    with pytest.raises(AirflowFailException, match=r"patch: give either patch or edit, and not both"):
        execute(**arguments)
    assert dingtalk.requests == []


@pytest.mark.parametrize("patch", [None, ""])
def test_no_patch_beside_an_edit(dingtalk: Emulator, patch: Any) -> None:
    """A patch of None, or the default, is none."""
    execute(an_hour_later, store=Store(), patch=patch)
    assert start(dingtalk) == ELEVEN


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"edit": "shift"}, "edit: must be a function that takes an event"),
        ({"edit": lambda: None}, "edit: .*lambda.* takes an event"),
        ({"edit": shift}, "edit: shift takes an event, .*missing a required argument: 'by'"),
        ({"edit": an_hour_later, "edit_kwargs": {"bye": 1}}, "edit: shift takes an event, .*'bye'"),
        ({"edit": an_hour_later, "edit_kwargs": {"event": 1}}, "edit: shift takes an event, .*'event'"),
        ({"edit": an_hour_later, "edit_kwargs": "by"}, "edit_kwargs: must be a mapping"),
        ({"edit": an_hour_later, "client_token": "ü"}, "client_token: "),
        ({"edit": an_hour_later, "event_id": ""}, "event_id: "),
        ({"edit": an_hour_later, "clear": ["start"]}, "clear"),
    ],
)
def test_what_is_wrong_is_said_before_the_event_is_read(
    dingtalk: Emulator, arguments: dict[str, Any], text: str
) -> None:
    """An edit that cannot be called, and other wrong arguments, cost no call."""
    with pytest.raises(AirflowFailException, match=text):
        execute(**arguments)
    assert dingtalk.requests == []


@pytest.mark.parametrize("returned", ['{"summary": "x"}', ["summary"], 1, True])
def test_a_result_of_a_wrong_type_is_refused(dingtalk: Emulator, returned: Any) -> None:
    """What is no mapping and not None is an input error that names the edit and its type, and nothing of its value."""

    def makes_no_patch(event: Any) -> Any:
        return returned

    with pytest.raises(AirflowFailException) as caught:
        execute(makes_no_patch)
    kind = type(returned).__name__
    assert str(caught.value) == (
        f"edit: has to return a patch, which is a mapping, or None, and returned {kind}. "
        f"(Edit makes_no_patch of event {EVENT}.)"
    )
    assert isinstance(caught.value.__cause__, InvalidInputError)


def test_a_wrong_patch_is_refused(dingtalk: Emulator) -> None:
    """A patch is checked as one that is given, and the message names the edit too."""
    with pytest.raises(AirflowFailException, match=rf"patch\.sumary: .*summary.*Edit .*lambda.* of event {EVENT}"):
        execute(lambda event: {"sumary": "x"})
    assert actions(dingtalk) == ["GetEvent"]


def test_an_edits_own_refusal_is_final(dingtalk: Emulator) -> None:
    """What an edit of the package refuses no retry can fix, and the message names edit and event."""
    with pytest.raises(AirflowFailException, match=rf"event\.recurrence: .*Edit extend_until of event {EVENT}"):
        execute(functools.partial(extend_until, last="2028-01-01"))


def test_an_edit_that_breaks_is_named(dingtalk: Emulator) -> None:
    """Any other error leaves the task to its retries; the message has names, and no content of the event."""

    def broken(event: dict[str, Any]) -> Any:
        raise KeyError(event["summary"])

    with pytest.raises(DingTalkError) as caught:
        execute(broken)
    assert str(caught.value) == f"edit: broken raised KeyError for event {EVENT}"
    assert caught.value.retryable
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [AirflowSkipException, AirflowFailException])
def test_an_edit_may_end_the_task(dingtalk: Emulator, error: type[Exception]) -> None:
    """Airflow's own exceptions pass as they are."""

    def ends(event: Any) -> Any:
        raise error("as it is")

    with pytest.raises(error, match=r"^as it is$"):
        execute(ends)


# -- keywords ---------------------------------------------------------------------------------------------------


class Renamer:
    """An edit that is an object, or a method of one."""

    def __init__(self, title: str) -> None:
        self.title = title

    def __call__(self, event: Any, ds: str) -> dict[str, str]:
        """Rename with the day."""
        return {"summary": f"{self.title} {ds}"}

    def rename(self, event: Any, *, ds: str, suffix: str = "") -> dict[str, str]:
        """Rename with the day and a suffix."""
        return {"summary": f"{self.title} {ds}{suffix}"}


def positional(event: Any, /, ds: Any) -> Any:
    """Take the event by position only."""
    return ds


@pytest.mark.parametrize(
    ("edit", "keywords", "name", "result"),
    [
        (lambda event: "x", {}, "<lambda>", "x"),
        (lambda event, ds: ds, {}, "<lambda>", "2027"),
        (lambda event, ds: ds, {"ds": "mine"}, "<lambda>", "mine"),
        (lambda ds: ds, {}, "<lambda>", {"id": "E"}),  # whatever it is called, the first one is the event
        (lambda event, **context: sorted(context), {"more": 1}, "<lambda>", ["ds", "more", "run_id"]),
        (lambda event, *others: others, {}, "<lambda>", ()),
        (lambda event, ds="own": ds, {}, "<lambda>", "2027"),
        (lambda event, other="own": other, {}, "<lambda>", "own"),
        (functools.partial(lambda event, ds: ds, ds="fixed"), {}, "<lambda>", "fixed"),
        (functools.partial(lambda event, ds: ds, ds="fixed"), {"ds": "mine"}, "<lambda>", "mine"),
        (functools.partial(lambda event, **more: more, ds="fixed"), {}, "<lambda>", {"ds": "fixed", "run_id": "r"}),
        (functools.partial(lambda more, event: (more, event["id"]), 1), {}, "<lambda>", (1, "E")),
        (Renamer("A"), {}, "Renamer", {"summary": "A 2027"}),
        (Renamer("A").rename, {"suffix": "!"}, "Renamer.rename", {"summary": "A 2027!"}),
        (positional, {}, "positional", "2027"),
        (dict, {}, "dict", {"id": "E"}),  # a class written in C, of which nobody knows the parameters
        (dict, {"more": 1}, "dict", {"id": "E", "more": 1}),
    ],
)
def test_an_edit_gets_the_keywords_that_it_takes(edit: Any, keywords: dict[str, Any], name: str, result: Any) -> None:
    """Keywords come from edit_kwargs, then from a partial, then from the context; names are those of the author."""
    bound = bind_edit(edit, {"ds": "2027", "run_id": "r"}, keywords)
    assert bound({"id": "E"}) == result
    assert edit_name(edit) == name


# -- a retry does not edit twice --------------------------------------------------------------------------------


@REPLAYS
@pytest.mark.parametrize("fault", ["apply_then_reset", "reset"])
def test_a_retry_sends_the_same_patch(
    dingtalk: Emulator, replay: str, fault: str, connect: Callable[..., None]
) -> None:
    """However an answer was lost, the event is moved by one hour; a patch that arrived is not sent again."""
    dingtalk.configure(replay=replay)
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind=fault)
    store = Store()
    with pytest.raises(TransportError):
        execute(an_hour_later, store=store)
    result = execute(an_hour_later, Ti(try_number=2), store)
    assert result["start"]["dateTime"] == start(dingtalk) == ELEVEN
    assert actions(dingtalk) == ["GetEvent", "PatchEvent", "GetEvent", *(["PatchEvent"] if fault == "reset" else [])]
    assert len(set(tokens(dingtalk))) == 1


@REPLAYS
@pytest.mark.parametrize("killed", ["after set", "sending"])
def test_a_killed_try_is_gone_on_with(
    dingtalk: Emulator, replay: str, killed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A try that ends between recording and sending, or while it sends, leaves its patch to the next one."""
    dingtalk.configure(replay=replay)
    store = Store({killed: KeyboardInterrupt})
    if killed == "sending":

        def follow(self: Any, steps: Any) -> Any:
            self.run(next(steps))
            raise KeyboardInterrupt

        monkeypatch.setattr(DingTalkCalendarHook, "follow", follow)
    with pytest.raises(KeyboardInterrupt):
        execute(an_hour_later, store=store)
    monkeypatch.undo()
    monkeypatch.setenv("AIRFLOW_CONN_DINGTALK_DEFAULT", json.dumps(dingtalk.connection()))
    store.fails.clear()
    execute(an_hour_later, Ti(try_number=2), store)
    assert start(dingtalk) == ELEVEN


@REPLAYS
def test_a_change_in_between_does_not_make_another_edit(
    dingtalk: Emulator, replay: str, said: pytest.LogCaptureFixture, connect: Callable[..., None]
) -> None:
    """When the event has changed since, the recorded patch is sent under its token, and a warning says so."""
    dingtalk.configure(replay=replay)
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind="reset")
    store = Store()
    with pytest.raises(TransportError):
        execute(an_hour_later, store=store)
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {"summary": "Other"})
    execute(an_hour_later, Ti(try_number=2), store)
    assert (start(dingtalk), dingtalk.event(EVENT)["summary"]) == (ELEVEN, "Other")
    assert tokens(dingtalk)[0] == tokens(dingtalk)[-1]
    assert f"Event {EVENT} has changed since the first try applied the edit shift" in said.text


def test_a_finished_edit_is_not_done_again(dingtalk: Emulator) -> None:
    """When Airflow retries a task that had succeeded, nothing is sent; of the patch, nothing is left in the store."""
    store = Store()
    execute(an_hour_later, store=store)
    assert [json.loads(value) for value in store.values.values()] == [{"done": True}]
    again = Ti(try_number=2)
    assert execute(an_hour_later, again, store)["start"]["dateTime"] == start(dingtalk) == ELEVEN
    assert again.pushed["patched_fields"] == []


def test_clearing_the_task_edits_anew(dingtalk: Emulator) -> None:
    """A person's clear is a new intent, although the state of the task is still there."""
    store = Store()
    execute(an_hour_later, store=store)
    execute(an_hour_later, Ti(try_number=2, max_tries=3), store)
    assert start(dingtalk) == TWELVE


@pytest.mark.parametrize("other", [{"map_index": 1}, {"run_id": "other"}, {"task_id": "other"}])
def test_the_record_is_one_tasks(dingtalk: Emulator, other: dict[str, Any]) -> None:
    """Another task instance with the same store edits for itself."""
    store = Store()
    execute(an_hour_later, store=store)
    execute(an_hour_later, Ti(**other), store)
    assert start(dingtalk) == TWELVE


def test_another_event_is_edited_for_itself(dingtalk: Emulator) -> None:
    """A retry whose event_id came out of its template as another one does not get the patch of the first."""
    dingtalk.reset(
        {**DATA, "events": [event(), event("other", start=event()["end"], end={**event()["end"], "dateTime": TWELVE})]}
    )
    store = Store()
    execute(an_hour_later, store=store)
    execute(an_hour_later, Ti(try_number=2), store, event_id="other")
    assert dingtalk.event("other")["start"]["dateTime"] == TWELVE


def test_no_record_without_retries(dingtalk: Emulator) -> None:
    """A task that will not be retried writes nothing to the store."""
    store = Store()
    execute(an_hour_later, Ti(max_tries=0), store, retries=0)
    assert (store.writes, start(dingtalk)) == (0, ELEVEN)


def test_lowering_retries_in_between_does_not_edit_twice(dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """A record is found though somebody has set retries to 0 since."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
    store = Store()
    with pytest.raises(TransportError):
        execute(an_hour_later, store=store)
    execute(an_hour_later, Ti(try_number=3), store, retries=0)
    assert start(dingtalk) == ELEVEN


@REPLAYS
def test_a_retry_makes_no_second_meeting(dingtalk: Emulator, replay: str, connect: Callable[..., None]) -> None:
    """The one read serves the guard against a second video meeting as well."""
    dingtalk.configure(replay=replay)
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
    store = Store()

    def meet(event: dict[str, Any]) -> dict[str, Any]:
        return {"summary": event["summary"] + "!", "online_meeting": True}

    with pytest.raises(TransportError):
        execute(meet, store=store)
    with DingTalkCalendarHook() as hook:
        hook.patch_event(ORGANIZER, EVENT, {"summary": "Somebody's"})
    dingtalk.requests.clear()
    with pytest.raises(AirflowFailException, match="sending this again would create another"):
        execute(meet, Ti(try_number=2), store)
    assert len(dingtalk.effects["meetings"]) == 1


# -- where nothing can be recorded ------------------------------------------------------------------------------


def too_large(event: dict[str, Any]) -> dict[str, Any]:
    """Build on the event, with more than the store takes."""
    return {"summary": event["summary"] + "!", "rich_text_description": "x" * 70_000}


@pytest.mark.parametrize(
    ("edit", "store", "text"),
    [
        (
            an_hour_later,
            None,
            r"edit: shift, applied to .* changes event .* again, and this Airflow .*retries=0.*move_to",
        ),
        (lambda event: {"summary": event["summary"] + "!"}, None, "Airflow 3.3"),
        (too_large, Store(), "edit: too_large, applied .* patch is too large for .*retries=0"),
    ],
    ids=["shift", "appends", "too large"],
)
def test_an_edit_that_builds_on_itself_needs_a_record(dingtalk: Emulator, edit: Any, store: Any, text: str) -> None:
    """Where a retry would edit again, the task is refused before anything is sent, with the remedy."""
    with pytest.raises(AirflowFailException, match=text):
        execute(edit, store=store)
    assert actions(dingtalk) == ["GetEvent"]


@pytest.mark.parametrize("edit", [an_hour_later, too_large])
def test_without_retries_any_edit_will_do(dingtalk: Emulator, edit: Any) -> None:
    """A task that will not be tried again needs no record."""
    execute(edit, Ti(max_tries=0), retries=0)
    assert actions(dingtalk) == ["GetEvent", "PatchEvent"]


@pytest.mark.parametrize(
    "edit",
    [
        functools.partial(move_to, start="2027-03-05T14:00"),
        functools.partial(retitle, old="Planning", new="Review"),
        functools.partial(relocate, location="Room 2"),
        lambda event: quiet(move_to(event, "2027-03-05T14:00")),
        lambda event: {"summary": "New", "notify_push": False},
        lambda event: {"attendees": ["iiPguest", "a@example.com"]},
        lambda event: {"online_meeting": True},
        lambda event: {"reminders": [5, 15]},
    ],
)
def test_an_edit_that_can_be_repeated_needs_no_record(
    dingtalk: Emulator, edit: Any, connect: Callable[..., None]
) -> None:
    """Without a store, an edit that asks for nothing new of its own result is retried, and then succeeds."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
    with pytest.raises(TransportError):
        execute(edit)
    before = dingtalk.event(EVENT)
    execute(edit, Ti(try_number=2))
    after = dingtalk.event(EVENT)
    assert {**after, "updateTime": None} == {**before, "updateTime": None}


def test_an_edit_that_fails_on_its_own_result_cannot_be_repeated(dingtalk: Emulator) -> None:
    """An edit that refuses what it has made is one that a retry would not get the same patch of."""

    def once(event: dict[str, Any]) -> dict[str, Any]:
        assert event["summary"] == "Planning"
        return {"summary": "Done"}

    with pytest.raises(AirflowFailException, match="edit: once, applied to its own result"):
        execute(once)


@pytest.mark.parametrize("method", ["get", "set"])
def test_a_broken_store_sends_nothing_that_could_be_sent_twice(dingtalk: Emulator, method: str) -> None:
    """While the store fails, such an edit waits for a retry, and no message has what the store said."""
    store = Store({method: RuntimeError})
    with pytest.raises(DingTalkError, match=r"state store failed \(RuntimeError\).*nothing was sent") as caught:
        execute(an_hour_later, store=store)
    assert caught.value.retryable
    assert "Planning" not in str(caught.value)
    assert actions(dingtalk) == ["GetEvent"]
    store.fails.clear()
    execute(an_hour_later, Ti(try_number=2), store)
    assert start(dingtalk) == ELEVEN


@pytest.mark.parametrize("method", ["get", "set", "after set"])
def test_a_broken_store_does_not_matter_otherwise(dingtalk: Emulator, method: str) -> None:
    """An edit that can be repeated, and a task without retries, go on without the store."""
    execute(functools.partial(retitle, old="Planning", new="Review"), store=Store({method: RuntimeError}))
    execute(an_hour_later, Ti(max_tries=0), Store({method: RuntimeError}), retries=0)
    assert (dingtalk.event(EVENT)["summary"], start(dingtalk)) == ("Review", ELEVEN)


def test_nonsense_in_the_store_is_a_broken_store(dingtalk: Emulator) -> None:
    """A record that nobody can read is not taken for none."""
    store = Store()
    dingtalk.fault(action="PatchEvent", kind="apply_then_reset", times=None)
    with pytest.raises(TransportError):
        execute(an_hour_later, store=store)
    dingtalk.reset(DATA)
    store.values = dict.fromkeys(store.values, '["nonsense"]')
    with pytest.raises(DingTalkError, match="state store failed"):
        execute(an_hour_later, Ti(try_number=2), store)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from(["apply_then_reset", "reset", "truncated", "killed", "none"]), max_size=3),
    replay=st.sampled_from(["stored", "again"]),
    by=st.integers(min_value=1, max_value=72),
)
def test_whatever_happens_the_event_is_moved_once(
    dingtalk: Emulator, connect: Callable[..., None], faults: list[str], replay: str, by: int
) -> None:
    """Whatever happens to the tries of a task, the event is moved once when it succeeds, and at most once before."""
    dingtalk.reset(DATA, replay=replay)
    connect(extra={"max_attempts": 1})
    edit, store = functools.partial(shift, by=dt.timedelta(hours=by)), Store()
    moved = dt.datetime.fromisoformat(TEN) + dt.timedelta(hours=by)
    for number, fault in enumerate([*faults, "none"], start=1):
        store.fails = {"after set": KeyboardInterrupt} if fault == "killed" else {}
        if fault not in ("none", "killed"):
            dingtalk.fault(action="PatchEvent", kind=fault)
        try:
            execute(edit, Ti(try_number=number, max_tries=4), store, retries=4)
        except (TransportError, KeyboardInterrupt):
            assert dt.datetime.fromisoformat(start(dingtalk)) in (dt.datetime.fromisoformat(TEN), moved)
    assert dt.datetime.fromisoformat(start(dingtalk)) == moved


# -- in Airflow -------------------------------------------------------------------------------------------------

EDITS = f'''
from datetime import timedelta
from functools import partial
from airflow_dingtalk_calendar.edits import shift

class Renamer:
    def __init__(self, title):
        self.title = title
    def __call__(self, event, ds=None, params=None, title=""):
        return {{"summary": f"{{self.title}} {{params['none']}} {{title}}"}}
    def rename(self, event):
        return {{"summary": self.title}}

def closure(title):
    def rename(event, ti, *, suffix):
        return {{"summary": f"{{title}} {{ti.task_id}} {{suffix}}"}}
    return rename

one = {{"union_id": "{ORGANIZER}", "event_id": "{EVENT}"}}
'''


@pytest.mark.parametrize(
    ("edit", "field", "value"),
    [
        ("edit=lambda event: {'summary': event['summary'] + '!'}", "summary", "Planning!"),
        ("edit=partial(shift, by=timedelta(hours=1))", "start", ELEVEN),
        ("edit=shift, edit_kwargs={'by': timedelta(hours=1)}", "start", ELEVEN),
        ("edit=closure('A'), edit_kwargs={'suffix': '{{ 6 * 7 }}'}", "summary", "A t 42"),
        ("edit=Renamer('A').rename", "summary", "A"),
        ("edit=Renamer('A'), edit_kwargs={'title': '{{ run_id[:6] }}'}", "summary", "A None manual"),
    ],
)
@pytest.mark.parametrize("where", ["task", "default_args", "mapped"])
def test_edits_in_real_runs(dag: Dag, dingtalk: Emulator, edit: str, field: str, value: str, where: str) -> None:
    """Any callable is an edit, given to the task, by default_args or to partial, with the context and edit_kwargs."""
    tasks = {
        "task": f"Patch(task_id='t', **one, {edit})",
        "default_args": f"dag.default_args |= dict({edit})\nPatch(task_id='t', **one)",
        "mapped": f"Patch.partial(task_id='t', union_id='{ORGANIZER}', {edit}).expand(event_id=['{EVENT}'])",
    }
    run = dag(EDITS + tasks[where])
    assert run.state("t", 0 if where == "mapped" else -1) == "success"
    found = dingtalk.event(EVENT)[field]
    assert (found["dateTime"] if field == "start" else found).startswith(value)


def test_states_of_real_runs(dag: Dag, dingtalk: Emulator) -> None:
    """A task with nothing to do is skipped, and one with both patch and edit fails."""
    run = dag(
        EDITS
        + "Patch(task_id='no', **one, edit=lambda e: None)\nPatch(task_id='both', **one, patch={'id': 1}, edit=shift)"
    )
    assert (run.state("no"), run.state("both")) == ("skipped", "failed")


def test_a_retry_in_airflow_moves_the_event_once(dag: Dag, dingtalk: Emulator, connect: Callable[..., None]) -> None:
    """Airflow's own store keeps the patch for a retry (3.3 on); on older ones the task is refused, and says so."""
    connect(extra={"max_attempts": 1})
    dingtalk.fault(action="PatchEvent", kind="apply_then_reset")
    run = dag(EDITS + "Patch(task_id='t', **one, retries=1, edit=partial(shift, by=timedelta(hours=1)))")
    if KEEPS_STATE:
        assert (run.state("t"), start(dingtalk), len(tokens(dingtalk))) == ("success", ELEVEN, 1)
    else:
        assert (run.state("t"), start(dingtalk), actions(dingtalk)) == ("failed", TEN, ["GetEvent"])


def serialized(edit: Any, where: str) -> dict[str, Any]:
    """Return what Airflow stores of a DAG with an edit."""
    module = import_module("airflow.serialization.serialized_objects")
    serialization = getattr(module, "DagSerialization", None) or module.SerializedDAG  # before Airflow 3.2
    with DAG("d", schedule=None, default_args={"edit": edit} if where == "default_args" else {}) as dag:
        if where == "mapped":
            DingTalkCalendarPatchEventOperator.partial(task_id="t", union_id="u", edit=edit).expand(event_id=["a"])
        else:
            edits: dict[str, Any] = {} if where == "default_args" else {"edit": edit}
            DingTalkCalendarPatchEventOperator(task_id="t", **{**ONE, **edits})
    found: dict[str, Any] = serialization.to_dict(dag)
    return found


MAKERS: dict[str, Callable[[], Any]] = {
    "lambda": lambda: lambda event: None,
    "partial": lambda: functools.partial(shift, by=AN_HOUR),
    "object": lambda: Renamer("A"),
    "method": lambda: Renamer("A").rename,
    "C": lambda: dict,
}


@pytest.mark.parametrize("where", ["task", "default_args", "mapped"])
@pytest.mark.parametrize("kind", MAKERS)
def test_each_parse_of_a_file_makes_the_same_dag(where: str, kind: str) -> None:
    """What Airflow stores has no address of the callable in it, so that no parse makes a new version of the DAG."""
    kept = MAKERS[kind]()
    first, second = (json.dumps(serialized(edit, where), sort_keys=True) for edit in (kept, MAKERS[kind]()))
    assert first == second
    assert " at 0x" not in first


def test_what_airflow_stores_of_an_edit() -> None:
    """Nothing of a task's own edit; of one given to partial or by default_args, the source text of its function."""
    assert '"edit"' not in json.dumps(serialized(an_hour_later, "task"))
    for where in ("default_args", "mapped"):
        assert '"edit": "def shift(event: Event' in json.dumps(serialized(an_hour_later, where))
