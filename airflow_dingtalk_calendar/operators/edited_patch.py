"""The patch that a callable makes of an event as it is: made once, however often Airflow tries the task.

An edit such as ``shift`` builds on what it changes: applied to its own result, it changes the event again. So a retry
must not apply it to an event that an earlier try may have changed. It sends the patch that the earlier try recorded in
Airflow's state of the task before it sent it. Where nothing can be recorded, only an edit that asks for the same when
it is applied to its own result may be retried.
"""

from __future__ import annotations

import functools
import inspect
import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowException, AirflowSkipException

from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError

if TYPE_CHECKING:
    from airflow_dingtalk_calendar.plans.rows import Row

Event = Mapping[str, Any]
REMEDY = "retries=0, or an edit that can be repeated, such as move_to instead of shift"


def edit_name(edit: Any) -> str:
    """Name a callable as its author knows it."""
    while isinstance(edit, functools.partial):
        edit = edit.func
    name = getattr(edit, "__qualname__", None) or type(edit).__qualname__
    return str(name).rpartition("<locals>.")[2]


def bind_edit(edit: Any, context: Mapping[str, Any], given: Mapping[str, Any]) -> Callable[[Event], Any]:
    """Give an edit the keywords that it takes: of the task's context, as a PythonOperator does, and those given.

    :param given: by ``edit_kwargs``; they come before the context's, and each has to have its place in the edit.
    :raises InvalidInputError: when the edit cannot be called so.
    """
    if not callable(edit):
        raise InvalidInputError(("edit", "must be a function that takes an event and returns a patch or None"))
    if not isinstance(given, Mapping):
        raise InvalidInputError(("edit_kwargs", "must be a mapping"))
    try:
        signature = inspect.signature(edit)
    except ValueError:  # of a function written in C
        return functools.partial(edit, **given)
    keywords = {**_context_for(edit, signature, context), **given}
    try:
        signature.bind({}, **keywords)
    except TypeError as error:
        text = f"{edit_name(edit)} takes an event, and keywords of the context or of edit_kwargs: {error}"
        raise InvalidInputError(("edit", text)) from None
    return functools.partial(edit, **keywords)


def _context_for(edit: Any, signature: inspect.Signature, context: Mapping[str, Any]) -> dict[str, Any]:
    """Return what of the context an edit asks for; what a partial has set already stays as it is."""
    event, *others = [*signature.parameters, ""]
    fixed = {event, *(edit.keywords if isinstance(edit, functools.partial) else ())}
    takes_all = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
    wanted = context if takes_all else others
    return {name: context[name] for name in wanted if name in context and name not in fixed}


@dataclass
class EditRecord:
    """The patch of an edit in Airflow's state of this task, which its retries see (Airflow 3.3 on).

    After success, what is left of it says that it is done: Airflow may still retry the task, when it fails to take the
    result. It expires, and a person's clear has another key.

    :ivar store: ``context["task_state_store"]``, or None.
    :ivar failed: what the store raised; it is not asked again then.
    :ivar found: whether this try, or an earlier one, has recorded something.
    """

    store: Any
    key: str
    failed: Exception | None = None
    found: bool = False

    @property
    def works(self) -> bool:
        """Whether what earlier tries have recorded is known."""
        return self.store is not None and self.failed is None

    def load(self) -> dict[str, Any] | None:
        """Return what an earlier try recorded; None when it recorded nothing, or that is not known."""
        found = self._attempt("get", self.key)
        if found is not None and not isinstance(found, dict):
            self.failed = TypeError("not what was stored")
            return None
        self.found = found is not None
        return found

    def save(self, body: Event, update_time: Any) -> bool:
        """Record a patch; return whether a retry will find it."""
        from airflow_dingtalk_calendar.plans.checkpoint import MAX_CHUNK_LENGTH

        value = {"body": body, "updateTime": update_time}
        if not self.works or len(json.dumps(value)) > MAX_CHUNK_LENGTH:
            return False
        self._set(value)
        self.found = self.works
        return self.works

    def finish(self) -> None:
        """Record that the patch is applied, and nothing else of it."""
        if self.found:
            self._set({"done": True})

    def _set(self, value: Any) -> None:
        from airflow_dingtalk_calendar.plans.checkpoint import RETENTION

        self._attempt("set", self.key, value, retention=RETENTION)

    def _attempt(self, method: str, *arguments: Any, **options: Any) -> Any:
        try:
            return getattr(self.store, method)(*arguments, **options) if self.works else None
        except Exception as error:  # whatever the state store, or what it is made of, raises
            self.failed = error


@dataclass
class EditedPatch:
    """An edit on its way to a row.

    :ivar name: of the edit, for messages.
    :ivar edit: takes the event and nothing else.
    :ivar unedited: the row without a patch.
    :ivar parse: makes a row of a patch, or of None.
    :ivar may_repeat: whether another try of this task may apply the edit again.
    :ivar retried: whether an earlier try may have applied it.
    """

    name: str
    edit: Callable[[Event], Any]
    unedited: Row
    parse: Callable[[Event | None], Row]
    record: EditRecord
    may_repeat: bool
    retried: bool
    log: Any

    def make_row(self, event: Event, *, dry_run: bool = False) -> Row:
        """Make the row to apply.

        :param event: as it is.
        :param dry_run: only to be shown: nothing is recorded.
        :raises AirflowSkipException: when there is nothing to do.
        :raises InvalidInputError: when the edit is wrong, or none for a task that may be retried.
        :raises DingTalkError: when the edit raises something else, or Airflow's state store failed.
        """
        if recorded := None if dry_run else self.record.load():
            return self._recorded_row(recorded, event)
        row = self._apply_edit(event)
        if not row.fields:
            self._skip_unless_done()
        elif self.may_repeat and not dry_run and not row.change.is_unchanged(event):
            self._record_or_refuse(row, event)
        return row

    def _skip_unless_done(self) -> None:
        """Skip the task, but not if an earlier try may have done what there was to do."""
        if not self.retried or self.record.works:
            raise AirflowSkipException(f"There is nothing to change: the edit {self.name} returned None.")

    def _recorded_row(self, recorded: Mapping[str, Any], event: Event) -> Row:
        """Make the row that an earlier try sent, or was about to send."""
        from airflow_dingtalk_calendar.plans.actions.patch import PatchChange

        row = replace(self.unedited, change=PatchChange(dict(recorded.get("body") or {})))
        if not row.change.is_unchanged(event) and recorded.get("updateTime") != event.get("updateTime"):
            self.log.warning(
                "Event %s has changed since the first try applied the edit %s: its patch is sent as it was.",
                row.event_id,
                self.name,
            )
        return row

    def _apply_edit(self, event: Event) -> Row:
        """Make a row of the edit of a copy, which it may keep or change; nothing is recorded."""
        try:
            patch = self.edit(deepcopy(dict(event)))
            if patch is not None and not isinstance(patch, Mapping):
                text = f"has to return a patch, which is a mapping, or None, and returned {type(patch).__name__}"
                raise InvalidInputError(("edit", text))
            return self.parse(patch)
        except AirflowException:  # it may skip or fail the task
            raise
        except InvalidInputError as error:
            raise error.with_details(hint=f"(Edit {self.name} of event {self.unedited.event_id}.)") from error.__cause__
        except Exception as error:
            text = f"edit: {self.name} raised {type(error).__name__} for event {self.unedited.event_id}"
            raise DingTalkError(text, retryable=True) from error  # as of a Python task, any may be transient

    def _record_or_refuse(self, row: Row, event: Event) -> None:
        """Make sure that no retry changes the event a second time, before anything is sent."""
        record = self.record
        if record.save(_body_of(row), event.get("updateTime")) or self._is_repeatable(row, event):
            return
        text = f"{self.name}, applied to its own result, changes event {row.event_id} again, and "
        if record.failed:
            reason = f"Airflow's state store failed ({type(record.failed).__name__}), so that a retry would not know"
            raise DingTalkError(f"edit: {text}{reason} that it is applied; nothing was sent", retryable=True)
        if record.store is None:
            reason = f"this Airflow keeps no state of tasks, so that a retry would do so: use Airflow 3.3, or {REMEDY}"
        else:
            reason = f"its patch is too large for Airflow's state store, so that a retry would do so: {REMEDY}"
        raise InvalidInputError(("edit", text + reason))

    def _is_repeatable(self, row: Row, event: Event) -> bool:
        """Whether the edit, applied to its own result, asks for the same again, or for nothing new."""
        result = {**event, **_body_of(row)}
        try:
            again = self._apply_edit(result)
        except Exception:  # for whatever reason: a retry would not get the same patch
            return False
        return _body_of(again) == _body_of(row) or again.change.is_unchanged(result)


def _body_of(row: Row) -> Mapping[str, Any]:
    calls = row.change.make_calls(row.target())
    return {name: value for call in calls for name, value in (call.json or {}).items() if name != "id"}
