"""Operators for single events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import integer_argument
from airflow_dingtalk_calendar.operators.base import CalendarOperator, EventWritingOperator
from airflow_dingtalk_calendar.operators.conflicts import make_busy_check
from airflow_dingtalk_calendar.operators.event_link import EventPageLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.operators.edited_patch import EditedPatch
    from airflow_dingtalk_calendar.plans.apply import RowRun
    from airflow_dingtalk_calendar.plans.results import RowResult
    from airflow_dingtalk_calendar.plans.rows import Row


class DingTalkCalendarPatchEventOperator(EventWritingOperator):
    """Change the named fields of one event; nothing else of it can change (DingTalk's PatchEvent).

    The patch is checked before anything is sent. It costs one metered call. An automatic retry sends the same
    request under the same client token, so that DingTalk takes it for the same; clearing the task makes a new one.

    The patch is given, or made by ``edit`` of the event as it is, in the same task: one more metered call, which reads
    the event with up to 500 attendees. A patch that changes nothing is then not sent.

    All arguments but ``edit`` are templated, nested values too. A text that comes out blank, or as the word ``None``,
    is refused unless ``clear`` names its field.

    XCom: ``return_value`` is the updated event, as DingTalk sent it. ``patched_fields`` are the names sent.
    ``not_applied`` are those that the returned event does not have (a warning names them). With ``dry_run`` the
    return value is ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``.

    .. seealso:: For a complete DAG that patches an event, see the guide :doc:`/howto/rename`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.EventWritingOperator`.

    :param union_id: unionId of the event's **organizer**; nobody else may update it. (templated)
    :param patch: the fields to change: a mapping in the API's names, in snake_case or camelCase, or the JSON text of
        one (``{% include 'patch.json' %}``). See :class:`~airflow_dingtalk_calendar.models.EventPatch`. None, which an
        edit returns when there is nothing to do, skips the task. Either this or ``edit`` has to be given. (templated)
    :param edit: a callable that makes the patch: it takes the event, as GetEvent returned it, and returns a patch or
        None (``functools.partial(shift, by=timedelta(days=7))``). It may take keywords of the task's context by name,
        as a ``PythonOperator``'s callable does. A retry sends the patch that an earlier try has recorded in Airflow's
        state store (Airflow 3.3 on). Where it cannot be recorded, an edit that would change its own result again is
        refused in a task with retries. It may therefore be called twice, and each time gets a copy of the event.
    :param edit_kwargs: keywords for ``edit``; they come before the context's. (templated)
    :param clear: names of fields to be emptied when the patch has no value for them. (templated)
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release. (templated)
    :param timezone: IANA zone for times that have none of their own; default: the connection's. (templated)
    :param skip_if_unchanged: read the event first (one more call) and send nothing when it has all that already.
        (templated)
    :param if_busy: what to do with a patch that moves the event to a time at which somebody, or a room of the event, is
        busy: ``ignore`` (nobody is asked), ``warn`` (a warning says who is, and the patch is sent), ``skip`` (the task
        is skipped) or ``fail``. A person whose times DingTalk does not return counts as busy. It costs one more call
        for the event, one for each 20 people and one for each 5 rooms, with ``dry_run`` too, whose result then has
        ``busy`` and ``busy_unknown``. (templated)
    :param repeat_meeting: send a patch that asks for a video meeting again even if an earlier sending may have made
        one. Without it, a retry reads the event first (one more call) and fails if it has a meeting. (templated)
    :raises AirflowSkipException: when the patch is None, given or made, and nothing else is to change; and with
        ``if_busy="skip"``.
    :raises AirflowFailException: for non-retryable errors: a wrong patch, id, credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (
        *EventWritingOperator.template_fields,
        "patch",
        "edit_kwargs",
        "clear",
        "unchecked_fields",
        "timezone",
        "skip_if_unchanged",
        "if_busy",
        "repeat_meeting",
    )
    template_fields_renderers = {  # noqa: RUF012  # as Airflow declares it
        "patch": "json",
        "edit_kwargs": "json",
        "unchecked_fields": "json",
    }
    shallow_copy_attrs: Sequence[str] = ("edit",)
    action = "patch"
    flags = ("skip_if_unchanged", "dry_run", "repeat_meeting")

    _edited: EditedPatch | None = None

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        # Not None by default: that is what an edit returns that has found nothing to change.
        patch: Mapping[str, Any] | str | None = "",
        edit: Callable[..., Mapping[str, Any] | None] | None = None,
        edit_kwargs: Mapping[str, Any] | None = None,
        calendar_id: str = "primary",
        clear: Sequence[str] | str = (),
        unchecked_fields: Mapping[str, Any] | str | None = None,
        timezone: str | None = None,
        client_token: str | None = None,
        skip_if_unchanged: bool | str = False,
        dry_run: bool | str = False,
        if_busy: str = "ignore",
        repeat_meeting: bool | str = False,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.patch = patch
        self.edit = edit
        self.edit_kwargs = edit_kwargs
        self.calendar_id = calendar_id
        self.clear = clear
        self.unchecked_fields = unchecked_fields
        self.timezone = timezone
        self.client_token = client_token
        self.skip_if_unchanged = skip_if_unchanged
        self.dry_run = dry_run
        self.if_busy = if_busy
        self.repeat_meeting = repeat_meeting
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the patch, or make it, send it, and return the updated event."""
        if self.edit is None and self.patch is None and not (self.clear or self.unchecked_fields):
            raise AirflowSkipException("There is nothing to change: patch is None, as of an edit with nothing to do.")
        event: dict[str, Any] = super().execute(context)
        if self._edited:
            # Not before: as long as the record has the patch, a retry sends that instead of editing its own result.
            self._edited.record.finish()
        return event

    def _parse_row(self, hook: DingTalkCalendarHook, **made: Any) -> Row:
        """Check the arguments; with an edit, those that are known before its patch."""
        if made:
            return super()._parse_row(hook, **made)
        edits, patch = self.edit is not None, self.patch
        given = (patch is not None or not edits) and not (isinstance(patch, str) and not patch)
        if edits == given:
            raise InvalidInputError(("patch", "give either patch or edit, and not both"))
        return super()._parse_row(hook, **({"patch": None} if edits else {}))

    def _make_run(self, context: Context, hook: DingTalkCalendarHook, row: Row, flags: Mapping[str, bool]) -> RowRun:
        """Prepare to apply the row; with an edit, read the event and edit it first."""
        run = super()._make_run(context, hook, row, flags)
        busy = make_busy_check(hook, self.if_busy, self.timezone, lambda _, text: self.log.warning(text))
        run.options = replace(run.options, busy=busy)
        if self.edit is None:
            return run
        self._edited = self._prepare_edit(context, hook, run)
        union_id, calendar_id, event_id = row.target()
        # As many as GetEvent returns: a patch of attendees may replace the list, so its edit has to see all of them.
        event = hook.get_event(union_id, event_id, calendar_id=calendar_id, max_attendees=500)
        made = self._edited.make_row(event, dry_run=flags["dry_run"])
        return replace(run, row=made, options=replace(run.options, skip_if_unchanged=True), current=event)

    def _show_conflicts(self, hook: DingTalkCalendarHook, run: RowRun) -> Mapping[str, Any]:
        """Say who is busy at the new time, if it is to be known."""
        if not run.options.checks_busy(run.row):
            return {}
        found = hook.follow(run.preview())
        for line in found.lines:
            self.log.warning(line)
        return found.as_dict()

    def _prepare_edit(self, context: Context, hook: DingTalkCalendarHook, run: RowRun) -> EditedPatch:
        from airflow_dingtalk_calendar.idempotency import client_token_for
        from airflow_dingtalk_calendar.operators.edited_patch import EditedPatch, EditRecord, bind_edit, edit_name

        key = f"dingtalk-edit-{client_token_for(context, *run.row.target())}"
        return EditedPatch(
            edit_name(self.edit),
            bind_edit(self.edit, context, {} if self.edit_kwargs is None else self.edit_kwargs),
            run.row,
            lambda patch: self._parse_row(hook, patch=patch),
            EditRecord(context.get("task_state_store"), key),
            # max_tries, too: it is the run's, and retries may have been lowered in the DAG file since it began.
            may_repeat=bool(self.retries) or context["ti"].try_number <= context["ti"].max_tries,
            retried=run.options.retried,
            log=self.log,
        )

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> Mapping[str, Any]:
        """Push what happened, beside the event itself, and say it in the log."""
        if result.status == "skipped":
            raise AirflowSkipException(f"if_busy: {result.message}")
        change, event = run.row.change, result.event or {}
        applied = result.status == "applied"
        fields = change.fields if applied else []
        missing = list(result.not_applied)
        context["ti"].xcom_push(key="patched_fields", value=fields)
        context["ti"].xcom_push(key="not_applied", value=missing)
        self.log.info(
            "Event %s: %s.", self.event_id, f"updated {', '.join(fields)}" if fields else "unchanged, nothing was sent"
        )
        if applied and (unclear := change.not_shown(event)):
            self.log.info("DingTalk's answer does not show whether these were applied: %s.", ", ".join(unclear))
        if missing:
            self.log.warning("DingTalk answered with success, but the event does not have: %s.", ", ".join(missing))
        return event


class DingTalkCalendarGetEventOperator(CalendarOperator):
    """Read one event, as any of the people who take part in it sees it (DingTalk's GetEvent).

    It costs one metered call. XCom: ``return_value`` is the event, as DingTalk sent it.

    .. seealso:: For a DAG that reads an event before it changes it, see the guide :doc:`/howto/extend`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.CalendarOperator`.

    :param union_id: unionId of somebody who takes part in the event. (templated)
    :param event_id: the event's ``id``, as listing or creating it returned. (templated)
    :param max_attendees: how many attendees to return, 1-500; by default, DingTalk returns 100. (templated)
    :raises AirflowFailException: for non-retryable errors: no such event, a wrong credential or permission.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*CalendarOperator.template_fields, "event_id", "max_attendees")
    operator_extra_links = (EventPageLink(),)

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        calendar_id: str = "primary",
        max_attendees: int | str | None = None,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.calendar_id = calendar_id
        self.max_attendees = max_attendees
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the event and return it."""
        with self._open_hook(context) as hook:
            _, most, _ = read_all(self._check_ids, self._parse_max_attendees, self._limit_calls)
            event = hook.get_event(self.union_id, self.event_id, calendar_id=self.calendar_id, max_attendees=most)
            self._show_event(context, hook.get_conn(), event["id"], event)
            self.log.info("Event %s: read.", event["id"])
            return event

    def _parse_max_attendees(self) -> int | None:
        return None if self.max_attendees is None else integer_argument("max_attendees", self.max_attendees)
