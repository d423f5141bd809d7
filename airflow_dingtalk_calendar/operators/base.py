"""What the operators have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError, read_all

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook


class CalendarOperator(BaseOperator):
    """What every operator takes: ``union_id``, ``calendar_id`` and ``dingtalk_conn_id``.

    Airflow wraps each constructor between an operator and ``BaseOperator``, and DAG files pay for that task by task.
    So there is but one for each operator, and it names all of the operator's arguments.
    """

    template_fields: Sequence[str] = ("union_id", "calendar_id", "dingtalk_conn_id")
    ui_color = "#e8f3ff"

    union_id: str
    calendar_id: str
    dingtalk_conn_id: str

    @contextmanager
    def _open_hook(self) -> Iterator[DingTalkCalendarHook]:
        """Check the arguments that are text, and work with the hook; what no retry can mend fails the task."""
        from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

        with permanent_errors_fail():
            check_texts({name: getattr(self, name) for name in self.template_fields})
            with DingTalkCalendarHook(self.dingtalk_conn_id) as hook:
                yield hook

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render a template; one without a value is the word None under native rendering, too, and refused like it."""
        rendered = super().render_template(content, *args, **kwargs)
        return "None" if rendered is None and isinstance(content, str) else rendered

    def _check_ids(self) -> None:
        from airflow_dingtalk_calendar.api.call import check_id

        names = [name for name in ("union_id", "calendar_id", "event_id") if name in self.template_fields]
        read_all(*(partial(check_id, name, getattr(self, name)) for name in names))


class WritingOperator(CalendarOperator):
    """An operator that changes something. By itself it sends the calls that ``_calls`` makes.

    ``client_token``: the request's identity, 1-256 ASCII characters; default: derived from the task and the request.
    One that is given goes out as it is, but for a mapped task, or one of several calls, each request gets its own,
    derived from it. ``dry_run``: send nothing, return the request.
    """

    template_fields: Sequence[str] = (*CalendarOperator.template_fields, "client_token", "dry_run")

    client_token: str | None
    dry_run: bool | str  # type: ignore[assignment]  # a method of the base that nothing calls

    def execute(self, context: Context) -> Any:
        """Check the arguments, send what they ask for, and return what came of it."""
        with self._open_hook() as hook:
            flags, _, made = read_all(
                lambda: flag_arguments(dry_run=self.dry_run), self._check_ids, lambda: self._make_calls(hook)
            )
            calls = self._add_client_tokens(context, made)
            return self._show_dry_run(calls) if flags["dry_run"] else self._send_calls(context, hook, calls)

    def _make_calls(self, hook: DingTalkCalendarHook) -> list[Call[Any]]:
        """Check the arguments and make the calls; the base gives them their client tokens."""
        raise NotImplementedError

    def _send_calls(self, context: Context, hook: DingTalkCalendarHook, calls: list[Call[Any]]) -> Any:
        """Send the calls and return the task's result."""
        raise NotImplementedError

    def _add_client_tokens(self, context: Context, calls: Sequence[Call[Any]]) -> list[Call[Any]]:
        from airflow_dingtalk_calendar.api.call import client_token_header

        about = [(call.action, call.path, dict(call.params), call.json) for call in calls]
        tokens = [
            self._client_token(context, *parts, call=number, calls=len(calls))
            for number, parts in enumerate(about, start=1)
        ]
        return [replace(call, headers=client_token_header(token)) for call, token in zip(calls, tokens, strict=True)]

    def _client_token(self, context: Context, *parts: Any, call: int = 1, calls: int = 1) -> str:
        """Return a call's client token: of the one given, or derived from what the request is about."""
        from airflow_dingtalk_calendar.api.call import check_client_token
        from airflow_dingtalk_calendar.idempotency import client_token_for, distinct_client_token

        if self.client_token is None:
            return client_token_for(context, *parts)
        return distinct_client_token(context, check_client_token(self.client_token), call, calls)

    def _log_cautions(self, cautions: Sequence[str]) -> None:
        for caution in cautions:
            self.log.warning(caution)

    def _show_dry_run(self, calls: Sequence[Call[Any]]) -> dict[str, Any]:
        from airflow_dingtalk_calendar.api.call import describe_request

        (call,) = calls
        self.log.info("Dry run: %s of %s is not sent.", call.action, self._subject())
        return {"dry_run": True, "request": describe_request(call), "event": None}

    def _subject(self) -> str:
        """Name what the call is about, for the log."""
        return "a new event"


class EventWritingOperator(WritingOperator):
    """An operator that changes one event.

    ``event_id``: the event's ``id``, as listing or creating it returned.
    """

    template_fields: Sequence[str] = (*WritingOperator.template_fields, "event_id")

    event_id: str

    def _subject(self) -> str:
        return f"event {self.event_id}"


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Turn errors that no retry can mend into ``AirflowFailException``, so that none is wasted.

    What may pass by itself is raised as it is, and Airflow's retries take over.
    """
    try:
        yield
    except DingTalkError as error:
        if error.retryable:
            raise
        raise AirflowFailException(str(error)) from error


def check_texts(arguments: Mapping[str, Any]) -> None:
    """Refuse arguments that are no text in any encoding; what is in lists and mappings, its own reader checks.

    :raises InvalidInputError: naming them.
    """
    from airflow_dingtalk_calendar.models.json_values import NOT_UNICODE_TEXT, is_unicode

    texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
    if problems := [(name, NOT_UNICODE_TEXT) for name, text in texts.items() if not is_unicode(text)]:
        raise InvalidInputError(*problems)
