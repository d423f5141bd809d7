"""What the operators have in common."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError, read_all

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

_rendering = ContextVar("rendering", default=False)


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
    _hook: DingTalkCalendarHook | None = None

    @property
    def hook(self) -> DingTalkCalendarHook:
        """The hook of ``dingtalk_conn_id``, made when it is first asked for in a task.

        ``execute`` closes it in the end; whoever asks afterwards gets one that reads the connection anew.

        :raises InvalidInputError: while ``dingtalk_conn_id`` is a template that is not rendered yet.
        :raises AttributeError: within a template, which sees operators without the hook and its secrets.
        """
        if _rendering.get():
            raise AttributeError("hook")
        if self._hook is None or self._hook.dingtalk_conn_id != self.dingtalk_conn_id:
            from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook

            vars(self)["_hook"] = DingTalkCalendarHook(_rendered_conn_id(self.dingtalk_conn_id))
        return cast("DingTalkCalendarHook", self._hook)

    def __getstate__(self) -> dict[str, Any]:
        """Leave the hook out of pickles and copies: its sockets are this very task's."""
        state: dict[str, Any] = super().__getstate__()  # type: ignore[no-untyped-call]
        return {name: value for name, value in state.items() if name != "_hook"}

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Leave the hook out of deep copies, too."""
        memo[id(self._hook)] = None
        return super().__deepcopy__(memo)

    @contextmanager
    def _open_hook(self) -> Iterator[DingTalkCalendarHook]:
        """Check the arguments that are text, and work with the hook; what no retry can mend fails the task."""
        with permanent_errors_fail():
            check_texts({name: getattr(self, name) for name in self.template_fields})
            try:
                with self.hook as hook:
                    yield hook
            finally:
                vars(self).pop("_hook", None)

    def render_template(self, content: Any, *args: Any, **kwargs: Any) -> Any:
        """Render a template; one without a value is the word None under native rendering, too, and refused like it."""
        token = _rendering.set(True)
        try:
            rendered = super().render_template(content, *args, **kwargs)
        finally:
            _rendering.reset(token)
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
        with self._open_hook():
            flags, _, made = read_all(lambda: flag_arguments(dry_run=self.dry_run), self._check_ids, self._make_calls)
            calls = self._add_client_tokens(context, made)
            return self._show_dry_run(calls) if flags["dry_run"] else self._send_calls(context, calls)

    def _make_calls(self) -> list[Call[Any]]:
        """Check the arguments and make the calls; the base gives them their client tokens."""
        raise NotImplementedError

    def _send_calls(self, context: Context, calls: list[Call[Any]]) -> Any:
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


def _rendered_conn_id(conn_id: Any) -> str:
    if not isinstance(conn_id, str) or "{{" in conn_id or "{%" in conn_id:
        raise InvalidInputError(
            ("dingtalk_conn_id", "must be the id of a connection; where it is a template, use the hook within a task")
        )
    return conn_id


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


def flag_arguments(**values: Any) -> Mapping[str, bool]:
    """Read booleans that templates may have rendered: ``"False"`` is not true.

    :raises InvalidInputError: naming the ones that are no booleans.
    """
    from airflow_dingtalk_calendar.models.types import parse_flag  # brings pydantic along

    read: dict[str, bool] = {}
    problems: list[tuple[str, str]] = []
    for name, value in values.items():
        try:
            read[name] = parse_flag(value)
        except ValueError as error:
            problems.append((name, str(error)))
    if problems:
        raise InvalidInputError(*problems)
    return read


def given_flag_arguments(**values: Any) -> dict[str, Any]:
    """Read booleans like :func:`flag_arguments`, without those that are None."""
    return dict(flag_arguments(**{name: value for name, value in values.items() if value is not None}))


def integer_argument(name: str, value: Any) -> int:
    """Read a whole number that a template may have rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.types import parse_integer, read_argument

    return read_argument(name, parse_integer, value)


def seconds_argument(name: str, value: Any) -> float:
    """Read a length of time that a template may have rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.types import parse_seconds, read_argument

    return read_argument(name, parse_seconds, value)


def list_argument(name: str, value: Any) -> list[Any]:
    """Read a list, of whatever an upstream task returned or of the JSON text that a template rendered.

    :raises InvalidInputError: when it is none.
    """
    from airflow_dingtalk_calendar.models.blanks import explain_refusal, is_blank
    from airflow_dingtalk_calendar.models.normalize import parse_json

    if isinstance(value, str):
        try:
            value = parse_json(value, name)
        except InvalidInputError:
            if is_blank(value):
                raise
            value = None
    if isinstance(value, (str, bytes)) or not isinstance(value, Sequence):
        problem = "must be a list or the JSON text of one; a list rendered by a template needs | tojson"
        raise InvalidInputError((name, explain_refusal(problem, value)))
    return list(value)
