"""The operator that carries out a plan: many patches in one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import BatchIncompleteError, InvalidInputError, read_all
from airflow_dingtalk_calendar.operators.base import (
    CalendarOperator,
    flag_arguments,
    integer_argument,
    list_argument,
)

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions
    from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
    from airflow_dingtalk_calendar.plans.progress import Progress
    from airflow_dingtalk_calendar.plans.results import RowResult
    from airflow_dingtalk_calendar.plans.rows import Row
    from airflow_dingtalk_calendar.plans.runner import PlanRunner


class DingTalkCalendarBatchPatchEventsOperator(CalendarOperator):
    """Change the named fields of many events, one patch each (DingTalk's PatchEvent), in one task.

    The whole plan is checked before anything is sent. Then one access token and one pool of connections serve all
    rows; the calls are spaced evenly under the connection's ``max_qps``, and when DingTalk says that it is too many,
    all of them pause. A row that fails does not stop the others.

    Each row costs one metered call, and one more for reading its event with ``skip_if_unchanged`` or
    ``if_updated_at``. A retry sends what failed or was not tried, under the same client tokens: finished rows are
    recorded in Airflow's state store (Airflow 3.3 on; on older ones a retry sends and meters all rows again).
    Clearing the task starts anew.

    All arguments are templated. XCom: ``return_value`` counts the rows: ``total``, and by status ``updated``,
    ``unchanged``, ``skipped``, ``rejected`` (not done) and ``unknown`` (maybe done). ``results`` has one mapping for
    each row: ``index``, ``union_id``, ``event_id``, ``status``, ``fields``, ``not_applied``, ``code``, ``message``,
    ``request_id``; it is there when the task fails, too. With ``dry_run`` the return value is
    ``{"dry_run": true, "total", "calls", "rows"}``, where each row has its ``request``, ``diff`` and ``cautions``.

    :param patches: the plan: a list of mappings (``plan_task.output``), or the JSON text of one. A row has
        ``event_id`` and ``patch``, and may have ``union_id``, ``calendar_id``, ``timezone``, ``clear`` and
        ``unchecked_fields``, as the operator for one event takes them; ``event``, the event as it was read, for the
        diff of a dry run; and ``if_updated_at``, the event's ``updateTime`` then: when it has changed since, the row
        is skipped (``changedSince``). Somebody may still change it between that look (one more call) and the patch.
    :param union_id: unionId of the **organizer**, for rows that have none.
    :param calendar_id: for rows that have none; the documentation knows ``primary`` only.
    :param timezone: IANA zone for times that have none of their own; default: the connection's.
    :param dry_run: send nothing, return what would be sent.
    :param skip_if_unchanged: read each event first (one more call) and send nothing when it has all that already.
    :param repeat_meeting: send rows that ask for a video meeting again even if an earlier sending may have made one.
        Without it, a retry reads such an event first (one more call) and rejects the row if it has a meeting.
    :param return_events: put the updated events into ``results``; without it XCom stays small. Those that an earlier
        try has updated are None.
    :param on_error: ``fail``: the task fails after all rows were tried, if one of them failed; ``continue``: it does
        not.
    :param max_failures: so many refusals that all rows would get (quota, permission, credentials, IP list) end the
        task, whatever ``on_error`` says; rows that it did not come to are ``skipped`` (``notTried``).
    :param max_calls: a plan that takes more metered calls than this is refused.
    :param dingtalk_conn_id: connection of type ``dingtalk``.
    :raises AirflowFailException: for what no retry can mend: a wrong plan, or when that is all that failed.
    :raises BatchIncompleteError: when a retry may bring more rows to their end.
    """

    template_fields: Sequence[str] = (
        *CalendarOperator.template_fields,
        "patches",
        "timezone",
        "dry_run",
        "skip_if_unchanged",
        "repeat_meeting",
        "return_events",
        "on_error",
        "max_failures",
        "max_calls",
    )
    template_fields_renderers = {"patches": "json"}  # noqa: RUF012  # as Airflow declares it

    union_id: str | None  # type: ignore[assignment]  # rows may have their own
    dry_run: bool | str  # type: ignore[assignment]  # a method of the base that nothing calls

    def __init__(
        self,
        *,
        patches: Sequence[Mapping[str, Any]] | str,
        union_id: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        dry_run: bool | str = False,
        skip_if_unchanged: bool | str = False,
        repeat_meeting: bool | str = False,
        return_events: bool | str = False,
        on_error: str = "fail",
        max_failures: int | str = 1,
        max_calls: int | str = 1000,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.patches = patches
        self.union_id = union_id
        self.calendar_id = calendar_id
        self.timezone = timezone
        self.dry_run = dry_run
        self.skip_if_unchanged = skip_if_unchanged
        self.repeat_meeting = repeat_meeting
        self.return_events = return_events
        self.on_error = on_error
        self.max_failures = max_failures
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    _runner: PlanRunner | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the plan, carry it out, and return the counts."""
        from airflow_dingtalk_calendar.plans.progress import Progress
        from airflow_dingtalk_calendar.plans.runner import PlanRunner

        with self._open_hook() as hook:
            options, limits, rows, flags = read_all(
                lambda: self._apply_options(context),
                self._parse_limits,
                lambda: self._parse_rows(hook),
                lambda: flag_arguments(dry_run=self.dry_run),
            )
            if flags["dry_run"]:
                return self._show_dry_run(rows, options)
            checkpoint = self._make_checkpoint(context, rows)
            found = checkpoint.load(rows)
            todo = self._remaining_rows(rows, found, options, limits["max_calls"])
            progress = Progress(len(rows), checkpoint, self.log, hook.clock.monotonic)
            progress.restore(found)
            self._runner = PlanRunner(hook, todo, options, limits["max_failures"])
            try:
                self._runner.run(progress)
            finally:
                results = self._push_results(context, rows, progress, with_events=options.return_events)
            return self._report_outcome(context, results, progress, checkpoint)

    def on_kill(self) -> None:
        """Begin no more rows. On Airflow 3 this is all that tells a task that it shall end."""
        if self._runner:
            self._runner.stop()

    # -- before anything is sent ----------------------------------------------------------------------------

    def _apply_options(self, context: Context) -> ApplyOptions:
        from airflow_dingtalk_calendar.idempotency import client_token_for, is_automatic_retry
        from airflow_dingtalk_calendar.plans.apply import ApplyOptions

        if self.on_error not in ("fail", "continue"):
            raise InvalidInputError(("on_error", "must be fail or continue"))
        names = ("skip_if_unchanged", "repeat_meeting", "return_events")
        return ApplyOptions(
            client_token=lambda row: client_token_for(context, *row.key),
            retried=is_automatic_retry(context, self.retries or 0),
            **flag_arguments(**{name: getattr(self, name) for name in names}),
        )

    def _parse_limits(self) -> dict[str, int]:
        limits = {name: integer_argument(name, getattr(self, name)) for name in ("max_failures", "max_calls")}
        if wrong := [(name, "must be 1 or more") for name, value in limits.items() if value < 1]:
            raise InvalidInputError(*wrong)
        return limits

    def _parse_rows(self, hook: DingTalkCalendarHook) -> list[Row]:
        from airflow_dingtalk_calendar.plans.report import caution_lines
        from airflow_dingtalk_calendar.plans.rows import parse_rows

        rows = parse_rows(
            list_argument("patches", self.patches),
            union_id=self.union_id,
            calendar_id=self.calendar_id,
            timezone=hook.get_conn().zone_for(self.timezone),
        )
        for line in caution_lines(rows):
            self.log.warning(line)
        return rows

    def _show_dry_run(self, rows: Sequence[Row], options: ApplyOptions) -> dict[str, Any]:
        from airflow_dingtalk_calendar.plans.report import preview_plan

        self.log.info("Dry run: a plan of %d patches is not sent.", len(rows))
        return preview_plan(rows, options)

    def _make_checkpoint(self, context: Context, rows: Sequence[Row]) -> Checkpoint:
        from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
        from airflow_dingtalk_calendar.plans.rows import plan_digest

        store = context.get("task_state_store")
        if store is None:
            if self.retries:
                self.log.info(
                    "This Airflow keeps no state of tasks (3.3 and later do): a retry sends and meters every row "
                    "again, under the same client tokens."
                )
            return Checkpoint(None, "", self.log)
        return Checkpoint(store, f"{plan_digest(rows)}-{context['ti'].max_tries}", self.log)

    def _remaining_rows(
        self, rows: Sequence[Row], found: Sequence[RowResult], options: ApplyOptions, max_calls: int
    ) -> list[Row]:
        done = {result.row.index for result in found}
        if done:
            self.log.info("Earlier tries have finished %d of %d rows.", len(done), len(rows))
        todo = [row for row in rows if row.index not in done]
        if (calls := options.count_calls(todo)) > max_calls:
            remedy = "cut the plan, or raise it if the monthly quota allows"
            raise InvalidInputError(
                ("max_calls", f"is {max_calls}, and the plan takes {calls} metered calls: {remedy}")
            )
        return todo

    # -- afterwards -----------------------------------------------------------------------------------------

    def _push_results(
        self, context: Context, rows: Sequence[Row], progress: Progress, *, with_events: bool
    ) -> list[RowResult]:
        """Push what became of each row, also when the task was told to end."""
        from airflow_dingtalk_calendar.plans.results import not_tried_result

        results = [progress.results.get(row.index) or not_tried_result(row) for row in rows]
        context["ti"].xcom_push(key="results", value=[result.as_dict(with_event=with_events) for result in results])
        return results

    def _report_outcome(
        self, context: Context, results: Sequence[RowResult], progress: Progress, checkpoint: Checkpoint
    ) -> dict[str, int]:
        """Say what became of the rows, and fail if the task has to."""
        from airflow_dingtalk_calendar.plans.report import plan_error, summarize_counts
        from airflow_dingtalk_calendar.plans.results import CHANGED_SINCE, count_results, describe_results

        counts = count_results(results)
        self.log.info("%s It took %.1f s.", summarize_counts(counts), progress.elapsed())
        for line in describe_results([result for result in results if result.failed]):
            self.log.warning(line)
        for line in describe_results([result for result in results if result.code == CHANGED_SINCE]):
            self.log.info(line)
        if self._runner and self._runner.stopped and (refused := self._runner.refused):
            why = f"{refused[-1].code}: {refused[-1].message}"
            self.log.error("All rows would be refused like the last one, so no more were sent. %s", why)
        error = plan_error(results, tolerant=self.on_error == "continue")
        if not (isinstance(error, BatchIncompleteError) and context["ti"].try_number <= context["ti"].max_tries):
            checkpoint.clear()  # no automatic retry will come
        if error:
            raise error
        return counts
