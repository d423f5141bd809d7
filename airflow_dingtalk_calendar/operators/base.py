"""What the operators have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from airflow.providers.common.compat.sdk import AirflowFailException, BaseOperator

from airflow_dingtalk_calendar.exceptions import DingTalkError, InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import flag_arguments
from airflow_dingtalk_calendar.operators.asset_events import record_changes
from airflow_dingtalk_calendar.operators.call_counting import CallCounting
from airflow_dingtalk_calendar.operators.event_link import EventPageLink, ShowsEvent

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call
    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions, RowRun, TokenMaker
    from airflow_dingtalk_calendar.plans.created import CreatedEvents
    from airflow_dingtalk_calendar.plans.results import RowResult
    from airflow_dingtalk_calendar.plans.rows import Row

_rendering = ContextVar("rendering", default=False)


class CalendarOperator(BaseOperator, CallCounting, ShowsEvent):
    """The base of all operators and of the sensor.

    Each logs at its end how many metered calls it has made, and pushes XCom ``metered_calls``: how many, by action, in
    this try, with those that were repeated and those that failed.

    :param calendar_id: DingTalk documents only ``primary``. (templated)
    :param max_calls: the try fails instead of making more metered calls than this; default: no limit. (templated)
    :param dingtalk_conn_id: connection of type ``dingtalk``. (templated)
    """

    # No constructor here, nor in the bases below: Airflow wraps each one between an operator and BaseOperator, and DAG
    # files pay for each wrapper, task by task. So each operator has one, which names all of its arguments.
    template_fields: Sequence[str] = ("union_id", "calendar_id", "max_calls", "dingtalk_conn_id")
    ui_color = "#e8f3ff"

    union_id: str
    calendar_id: str
    dingtalk_conn_id: str
    _hook: DingTalkCalendarHook | None = None

    @property
    def hook(self) -> DingTalkCalendarHook:
        """The hook of ``dingtalk_conn_id``, made when it is first asked for in a task.

        ``execute`` closes it in the end; a later access makes a new one, which reads the connection again.

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
        return {name: value for name, value in state.items() if name not in ("_hook", "_call_counter")}

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        """Leave the hook out of deep copies, too."""
        memo[id(self._hook)] = memo[id(self._call_counter)] = None
        return super().__deepcopy__(memo)

    @contextmanager
    def _open_hook(self, context: Context) -> Iterator[DingTalkCalendarHook]:
        """Check the arguments that are text, and work with the hook; non-retryable errors fail the task."""
        with permanent_errors_fail(), self._count_calls(context) as counter:
            check_texts({name: getattr(self, name) for name in self.template_fields})
            try:
                with self.hook as hook:
                    hook.call_counter = counter
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
    """The base of operators that change something: each applies a plan of one row.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.CalendarOperator`.

    :param client_token: idempotency token of the request, 1-256 ASCII characters; default: derived from the task and
        the request. In a mapped task, and in one that sends several requests, each request gets its own token, derived
        from this one. (templated)
    :param dry_run: do not send anything; return what would be sent. (templated)
    """

    template_fields: Sequence[str] = (*CalendarOperator.template_fields, "client_token", "dry_run")

    operator_extra_links = (EventPageLink(),)
    action: ClassVar[str]  # of the row
    flags: ClassVar[tuple[str, ...]] = ("dry_run",)

    client_token: str | None
    dry_run: bool | str  # type: ignore[assignment]  # a method of the base that nothing calls

    def execute(self, context: Context) -> Any:
        """Check the arguments, send the requests, and return the result."""
        with self._open_hook(context) as hook:
            flags, row, _ = read_all(
                lambda: flag_arguments(**{name: getattr(self, name) for name in self.flags}),
                lambda: self._parse_row(hook),
                self._limit_calls,
            )
            run = self._make_run(context, hook, row, flags)
            calls = run.calls  # made before anything is sent, so that a wrong client token is refused
            if flags["dry_run"]:
                self._log_cautions(run.row, run.current)
                record_changes(self, context, hook, ())
                return {**self._show_dry_run(calls), **self._show_conflicts(hook, run)}
            result = self._apply_row(context, hook, run)
            self._show_event(context, hook.get_conn(), result.event_id or row.event_id, result.event)
            record_changes(self, context, hook, [result])
            return self._report_result(context, run, result)

    def _apply_row(self, context: Context, hook: DingTalkCalendarHook, run: RowRun) -> RowResult:
        """Send the requests; a failure in the middle says how far the change has come."""
        if run.row.change.creates:
            run.options = replace(run.options, created=created_events(context, hook, retried=run.options.retried))
        try:
            return hook.follow(run.steps())
        except BaseException as error:  # a time limit, or the task is killed, is a failure in the middle, too
            text = self._report_stop(context, run, error)
            if not (text and isinstance(error, DingTalkError)):
                raise
            raise error.with_details(hint=f"{text} {error.hint}".strip()) from error.__cause__

    def _parse_row(self, hook: DingTalkCalendarHook, **made: Any) -> Row:
        """Check the arguments; those that the row's action takes have the names of its members.

        :param made: members that this task has made, in place of arguments.
        """
        from airflow_dingtalk_calendar.plans.actions.table import ACTIONS
        from airflow_dingtalk_calendar.plans.rows import parse_change

        kind = ACTIONS[self.action]
        arguments = {name: getattr(self, name) for name in kind.members if name in self.template_fields}
        arguments |= made
        if "timezone" in arguments:
            arguments["timezone"] = hook.get_conn().zone_for(arguments["timezone"])
        ids = {name: getattr(self, name) for name in ("union_id", "calendar_id", "event_id") if hasattr(self, name)}
        return parse_change(kind, arguments, **ids)

    def _make_run(self, context: Context, hook: DingTalkCalendarHook, row: Row, flags: Mapping[str, bool]) -> RowRun:
        """Prepare to apply the row."""
        from airflow_dingtalk_calendar.plans.apply import RowRun

        return RowRun(row, self._apply_options(context, flags))

    def _apply_options(self, context: Context, flags: Mapping[str, bool]) -> ApplyOptions:
        """Say how the row is applied."""
        chosen = {name: value for name, value in flags.items() if name != "dry_run"}
        return apply_options(
            context, self.retries, self._token_maker(context), self._log_cautions, return_events=True, **chosen
        )

    def _token_maker(self, context: Context) -> TokenMaker:
        """Make client tokens: of the one given, or derived from what each request is about."""
        from airflow_dingtalk_calendar.api.call import check_client_token
        from airflow_dingtalk_calendar.idempotency import client_token_for, distinct_client_token

        if self.client_token is None:
            return lambda number, total, parts: client_token_for(context, *parts)
        given = check_client_token(self.client_token)
        return lambda number, total, parts: distinct_client_token(context, given, number, total)

    def _report_result(self, context: Context, run: RowRun, result: RowResult) -> Any:
        """Push and log the result of the change, and return the task's result."""
        raise NotImplementedError

    def _report_stop(self, context: Context, run: RowRun, error: BaseException) -> str:
        """Push, log and return how far the change came, where it has several calls."""
        return ""

    def _log_cautions(self, row: Row, event: Mapping[str, Any] | None) -> None:
        for caution in row.change.cautions_about(event):
            self.log.warning(caution)

    def _show_dry_run(self, calls: Sequence[Call[Any]]) -> dict[str, Any]:
        from airflow_dingtalk_calendar.api.call import describe_request

        (call,) = calls
        self.log.info("Dry run: %s of %s is not sent.", call.action, self._subject())
        return {"dry_run": True, "request": describe_request(call), "event": None}

    def _show_conflicts(self, hook: DingTalkCalendarHook, run: RowRun) -> Mapping[str, Any]:
        """Say who is busy at the time that the change moves an event to, if it is to be known."""
        return {}

    def _subject(self) -> str:
        """Name what the call is about, for the log."""
        return "a new event"


class EventWritingOperator(WritingOperator):
    """The base of operators that change one event.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.WritingOperator`.

    :param event_id: the event's ``id``, as listing or creating it returned. (templated)
    """

    template_fields: Sequence[str] = (*WritingOperator.template_fields, "event_id")

    event_id: str

    def _subject(self) -> str:
        return f"event {self.event_id}"


def apply_options(
    context: Context,
    retries: int | None,
    token_maker: TokenMaker,
    caution: Callable[[Row, Mapping[str, Any] | None], None],
    **flags: Any,
) -> ApplyOptions:
    """Say how the changes of a task are applied."""
    from airflow_dingtalk_calendar.idempotency import is_automatic_retry
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions

    retried = is_automatic_retry(context, retries or 0)
    return ApplyOptions(token_maker, retried=retried, caution=caution, **flags)


def created_events(context: Context, hook: DingTalkCalendarHook, *, retried: bool) -> CreatedEvents | None:
    """Say how a retry finds events that an earlier try has created; a first try only notes when it begins."""
    from airflow_dingtalk_calendar.plans.checkpoint import recall_start
    from airflow_dingtalk_calendar.plans.created import CreatedEvents

    store, cycle = context.get("task_state_store"), context["ti"].max_tries
    began = recall_start(store, cycle, hook.clock.time(), first=not retried)
    began = began or getattr(context.get("dag_run"), "start_date", None)  # before the task's first try
    return CreatedEvents(began) if retried and began else None


def _rendered_conn_id(conn_id: Any) -> str:
    if not isinstance(conn_id, str) or "{{" in conn_id or "{%" in conn_id:
        raise InvalidInputError(
            ("dingtalk_conn_id", "must be the id of a connection; where it is a template, use the hook within a task")
        )
    return conn_id


@contextmanager
def permanent_errors_fail() -> Iterator[None]:
    """Turn non-retryable errors into ``AirflowFailException``, so that no retry is wasted.

    Transient errors are raised as they are, and Airflow's retries take over.
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
