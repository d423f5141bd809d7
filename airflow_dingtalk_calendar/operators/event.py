"""Operators for single events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowSkipException

from airflow_dingtalk_calendar.exceptions import read_all
from airflow_dingtalk_calendar.operators.base import (
    CalendarOperator,
    EventWritingOperator,
    flag_arguments,
    integer_argument,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call, Event
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.models.event_patch import EventPatch


class DingTalkCalendarPatchEventOperator(EventWritingOperator):
    """Change the named fields of one event; nothing else of it can change (DingTalk's PatchEvent).

    The patch is checked before anything is sent. It costs one metered call. An automatic retry sends the same
    request under the same client token, so that DingTalk takes it for the same; clearing the task makes a new one.

    All arguments are templated, nested values too. A text that comes out blank, or as the word ``None``, is
    refused unless ``clear`` names its field.

    XCom: ``return_value`` is the updated event, as DingTalk sent it. ``patched_fields`` are the names sent.
    ``not_applied`` are those that the returned event does not have (a warning names them). With ``dry_run`` the
    return value is ``{"dry_run": true, "request": {"method", "path", "body"}, "event": null}``.

    :param union_id: unionId of the event's **organizer**; nobody else may update it.
    :param event_id: the event's ``id``, as listing or creating it returned.
    :param patch: the fields to change: a mapping in the API's names, in snake_case or camelCase, or the JSON text
        of one (``{% include 'patch.json' %}``). See :class:`~airflow_dingtalk_calendar.models.EventPatch`. None, which
        an edit returns when there is nothing to do, skips the task.
    :param calendar_id: the documentation knows ``primary`` only.
    :param clear: names of fields to be emptied when the patch has no value for them.
    :param unchecked_fields: passed through unchecked, for fields that DingTalk adds after this release.
    :param timezone: IANA zone for times that have none of their own; default: the connection's.
    :param client_token: the request's identity, 1-256 ASCII characters; default: derived from the task and the body.
        Of a mapped task, each request gets its own, derived from this one.
    :param skip_if_unchanged: read the event first (one more call) and send nothing when it has all that already.
    :param dry_run: send nothing, return the request.
    :param repeat_meeting: send a patch that asks for a video meeting again even if an earlier sending may have
        made one. Without it, a retry reads the event first (one more call) and fails if it has a meeting.
    :param dingtalk_conn_id: connection of type ``dingtalk``.
    :raises AirflowSkipException: when the patch is None and nothing else is to change.
    :raises AirflowFailException: for what no retry can mend: a wrong patch, id, credential or permission.
    :raises RequestError: for what may pass by itself; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (
        *EventWritingOperator.template_fields,
        "patch",
        "clear",
        "unchecked_fields",
        "timezone",
        "skip_if_unchanged",
        "repeat_meeting",
    )
    template_fields_renderers = {"patch": "json", "unchecked_fields": "json"}  # noqa: RUF012  # as Airflow declares it

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        patch: Mapping[str, Any] | str | None,
        calendar_id: str = "primary",
        clear: Sequence[str] | str = (),
        unchecked_fields: Mapping[str, Any] | str | None = None,
        timezone: str | None = None,
        client_token: str | None = None,
        skip_if_unchanged: bool | str = False,
        dry_run: bool | str = False,
        repeat_meeting: bool | str = False,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.patch = patch
        self.calendar_id = calendar_id
        self.clear = clear
        self.unchecked_fields = unchecked_fields
        self.timezone = timezone
        self.client_token = client_token
        self.skip_if_unchanged = skip_if_unchanged
        self.dry_run = dry_run
        self.repeat_meeting = repeat_meeting
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the patch, send it, and return the updated event."""
        from airflow_dingtalk_calendar.models import comparison

        if self.patch is None and not (self.clear or self.unchecked_fields):
            raise AirflowSkipException("There is nothing to change: patch is None, as of an edit with nothing to do.")
        with self._open_hook() as hook:
            choices, _, patch = read_all(self._parse_choices, self._check_ids, lambda: self._parse_patch(hook))
            call = self._patch_call(context, patch, repeat_meeting=choices["repeat_meeting"])
            found = self._found_event(hook, call) if choices["skip_if_unchanged"] and not choices["dry_run"] else None
            self._log_cautions(patch.cautions_about(found))
            if choices["dry_run"]:
                return self._show_dry_run([call])
            if found and comparison.is_unchanged(call.json or {}, found):
                return self._push_result(context, found, sent={})
            if not call.repeatable:
                self._refuse_second_meeting(context, hook)
            event = hook.run(call)
            return self._push_result(context, event, sent=dict(call.json or {}))

    def _parse_choices(self) -> Mapping[str, bool]:
        return flag_arguments(
            skip_if_unchanged=self.skip_if_unchanged, dry_run=self.dry_run, repeat_meeting=self.repeat_meeting
        )

    def _parse_patch(self, hook: DingTalkCalendarHook) -> EventPatch:
        from airflow_dingtalk_calendar.models.event_patch import EventPatch

        return EventPatch.parse(
            {} if self.patch is None else self.patch,
            timezone=hook.get_conn().zone_for(self.timezone),
            clear=self.clear,
            unchecked_fields=self.unchecked_fields,
        )

    def _patch_call(self, context: Context, patch: EventPatch, *, repeat_meeting: bool) -> Call[Event]:
        from airflow_dingtalk_calendar import api

        event_id = api.check_id("event_id", self.event_id)
        return api.patch_event(
            self.union_id,
            event_id,
            patch,
            calendar_id=self.calendar_id,
            client_token=self._client_token(
                context, self.union_id, self.calendar_id, event_id, patch.to_body(event_id)
            ),
            repeat_meeting=repeat_meeting,
        )

    def _found_event(self, hook: DingTalkCalendarHook, call: Call[Event]) -> Event:
        """Read the event as it is, as far as the patch is about it."""
        return self._read_event(hook, max_attendees=500 if "attendees" in (call.json or {}) else None)

    def _refuse_second_meeting(self, context: Context, hook: DingTalkCalendarHook) -> None:
        """On an automatic retry, an earlier try may have made the meeting without being able to tell."""
        from airflow_dingtalk_calendar.exceptions import InvalidInputError
        from airflow_dingtalk_calendar.idempotency import is_automatic_retry

        if is_automatic_retry(context, self.retries or 0) and self._read_event(hook).get("onlineMeetingInfo"):
            raise InvalidInputError(
                (
                    "patch.onlineMeetingInfo",
                    "the event has a video meeting, maybe made by an earlier try of this task, and sending this again "
                    "would make another: look at the event, then clear the task, or set repeat_meeting",
                )
            )

    def _read_event(self, hook: DingTalkCalendarHook, *, max_attendees: int | None = None) -> Event:
        return hook.get_event(self.union_id, self.event_id, calendar_id=self.calendar_id, max_attendees=max_attendees)

    def _push_result(self, context: Context, event: Event, *, sent: Mapping[str, Any]) -> Event:
        """Push what happened, beside the event itself, and say it in the log."""
        from airflow_dingtalk_calendar.models import comparison

        fields = [name for name in sent if name != "id"]
        # An event that is its id and no more was neither in the answer nor to be read back.
        missing = comparison.not_applied(sent, event) if event.keys() - {"id"} else []
        context["ti"].xcom_push(key="patched_fields", value=fields)
        context["ti"].xcom_push(key="not_applied", value=missing)
        self.log.info(
            "Event %s: %s.", self.event_id, f"updated {', '.join(fields)}" if fields else "unchanged, nothing was sent"
        )
        if untold := comparison.not_told(sent, event):
            self.log.info("Whether the event has them, DingTalk's answer does not tell: %s.", ", ".join(untold))
        if missing:
            self.log.warning("DingTalk answered with success, but the event does not have: %s.", ", ".join(missing))
        return event


class DingTalkCalendarGetEventOperator(CalendarOperator):
    """Read one event, as any of the people who take part in it sees it (DingTalk's GetEvent).

    It costs one metered call. All arguments are templated. XCom: ``return_value`` is the event, as DingTalk sent it.

    :param union_id: unionId of somebody who takes part in the event.
    :param event_id: the event's ``id``, as listing or creating it returned.
    :param calendar_id: the documentation knows ``primary`` only.
    :param max_attendees: how many attendees to return, 1-500; without it, DingTalk returns 100.
    :param dingtalk_conn_id: connection of type ``dingtalk``.
    :raises AirflowFailException: for what no retry can mend: no such event, a wrong credential or permission.
    :raises RequestError: for what may pass by itself; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (*CalendarOperator.template_fields, "event_id", "max_attendees")

    def __init__(
        self,
        *,
        union_id: str,
        event_id: str,
        calendar_id: str = "primary",
        max_attendees: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.event_id = event_id
        self.calendar_id = calendar_id
        self.max_attendees = max_attendees
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> dict[str, Any]:
        """Read the event and return it."""
        with self._open_hook() as hook:
            _, most = read_all(self._check_ids, self._parse_max_attendees)
            event = hook.get_event(self.union_id, self.event_id, calendar_id=self.calendar_id, max_attendees=most)
            self.log.info("Event %s: read.", event["id"])
            return event

    def _parse_max_attendees(self) -> int | None:
        return None if self.max_attendees is None else integer_argument("max_attendees", self.max_attendees)
