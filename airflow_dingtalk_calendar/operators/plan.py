"""The operator that applies a plan: many changes in one task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import PlanIncompleteError, read_all
from airflow_dingtalk_calendar.models.arguments import (
    choice_argument,
    flag_arguments,
    list_argument,
    positive_argument,
)
from airflow_dingtalk_calendar.operators.asset_events import record_changes
from airflow_dingtalk_calendar.operators.base import CalendarOperator, apply_options, created_events
from airflow_dingtalk_calendar.operators.conflicts import make_busy_check
from airflow_dingtalk_calendar.operators.large_results import check_xcom_size

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.apply import ApplyOptions
    from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint
    from airflow_dingtalk_calendar.plans.plan import Plan
    from airflow_dingtalk_calendar.plans.results import RowResult
    from airflow_dingtalk_calendar.plans.rows import Row
    from airflow_dingtalk_calendar.plans.runner import PlanRunner


class DingTalkCalendarApplyPlanOperator(CalendarOperator):
    """Apply a plan: change, create, cancel and answer many events, and change their people and rooms, in one task.

    The whole plan is checked before anything is sent. Then one access token and one pool of connections serve all
    rows; the calls are spaced evenly under the connection's ``max_qps``, and when DingTalk says that it is too many,
    all of them pause. A row that fails does not stop the others, but for the rows after it in its ``group``.

    A row costs the metered calls of its action (one; one for each 500 people), and one more for reading its event with
    ``skip_if_unchanged`` or ``if_updated_at``. A retry sends what failed or was not tried, under the same client
    tokens: finished rows are recorded in Airflow's state store (Airflow 3.3 on; on older ones a retry sends and meters
    all rows again). Before a retry creates an event again it checks whether an earlier try has created it (one more
    call for all events of a person that start together): an event as this row, or a later one of its group, makes it,
    created since the first try. Another task of the DAG run must not create the very same event. Clearing the task
    starts anew.

    XCom: ``return_value`` counts the rows: ``total``, and by status ``applied``,
    ``unchanged``, ``skipped``, ``rejected`` (not done), ``unknown`` (maybe done) and ``partial`` (some of its people
    are done). ``results`` has one mapping for each row: ``index``, ``action``, ``group``, ``union_id``, ``event_id``,
    ``status``, ``fields``, ``not_applied``, ``code``, ``message``, ``request_id``; it is there when the task fails,
    too, and so are ``undo``, the plan that takes back what was done, and ``cannot_undo``, what no plan takes back. Each
    row of the undo costs one more call, because it changes nothing that somebody has changed since. With ``dry_run``
    the return value is ``{"dry_run": true, "total", "calls", "impact", "cannot_undo", "markdown", "rows"}``, and
    each row has its ``requests``, ``diff`` and ``cautions``. XCom ``markdown`` is the plan as a table, for Airflow's
    approval task: ``ApprovalOperator(body=preview.output["markdown"])``.

    .. seealso:: For a DAG that makes a plan and applies it, see the guide :doc:`/howto/many`.

    :param plan: a list of rows (``plan_task.output``), or the JSON text of one. A row has an ``action``: ``patch``
        (default), ``create``, ``delete``, ``add_attendees``, ``remove_attendees``, ``add_rooms``, ``remove_rooms`` or
        ``respond``; what the operator of this action takes (``patch``, ``clear``, ``attendees``, …); ``event_id``; and
        maybe ``union_id`` and ``calendar_id``. Rows of one ``group`` are applied in order. A ``create`` row may
        have a ``name``, and later rows of its group ``event_id: {"created_by": name}``. Rows on events that exist may
        have ``event``, the event as it was read, for the dry run; and ``if_updated_at``, the event's ``updateTime``
        then: when it has changed since, the row is skipped (``changedSince``). Somebody may still change it between
        that read (one more call) and the change. (templated)
    :param union_id: unionId for rows that have none: of the **organizer**; for ``respond``, of the attendee.
        (templated)
    :param calendar_id: for rows that have none; DingTalk documents only ``primary``. (templated)
    :param timezone: IANA zone for times that have none of their own; default: the connection's. (templated)
    :param dry_run: do not send anything; return what would be sent. (templated)
    :param skip_if_unchanged: read each event first (one more call) and send nothing when it is so already. (templated)
    :param repeat_meeting: send rows that ask for a video meeting again even if an earlier sending may have made one.
        Without it, a retry reads such an event first (one more call) and rejects the row if it has a meeting.
        (templated)
    :param return_events: put the changed events into ``results``; without it XCom stays small. Those that an earlier
        try has changed are None. (templated)
    :param keep_before: read each event that the plan does not bring before it is changed (one more call), so that
        ``undo`` can give it back. (templated)
    :param if_busy: what to do with a row that moves its event to a time at which somebody, or a room of the event, is
        busy: ``ignore`` (nobody is asked), ``warn`` (a warning says who is, and the row is applied), ``skip``, or
        ``fail`` (the row is rejected). The row's code is ``busy``; ``busyUnknown`` when DingTalk does not return
        somebody's times. It costs one more call for the event, one for each 20 people and one for each 5 rooms, with
        ``dry_run`` too, which then says who is busy when; of a row without its ``event``, three are counted.
        (templated)
    :param on_error: ``fail``: the task fails after all rows were tried, if one of them failed; ``continue``: it does
        not. (templated)
    :param max_failures: so many refusals that all rows would get (quota, permission, credentials, IP list) end the
        task, whatever ``on_error`` says; rows that it did not come to are ``skipped`` (``notTried``). (templated)
    :param max_calls: a plan that takes more metered calls than this is refused; what is sent again after a transient
        error is not foreseen, and comes on top. (templated)
    :param max_rows: a plan of more rows than this is refused; default: any number. (templated)
    :param max_notified: a plan that notifies more people than this is refused, and one of which that is not known
        because a row does not bring its ``event``; default: any number. (templated)
    :param dingtalk_conn_id: connection of type ``dingtalk``. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong plan, or when that is all that failed.
    :raises PlanIncompleteError: when a retry may bring more rows to their end.
    """

    template_fields: Sequence[str] = (
        *CalendarOperator.template_fields,
        "plan",
        "timezone",
        "dry_run",
        "skip_if_unchanged",
        "repeat_meeting",
        "return_events",
        "keep_before",
        "if_busy",
        "on_error",
        "max_failures",
        "max_rows",
        "max_notified",
    )
    template_fields_renderers = {"plan": "json"}  # noqa: RUF012  # as Airflow declares it

    union_id: str | None  # type: ignore[assignment]  # rows may have their own
    dry_run: bool | str  # type: ignore[assignment]  # a method of the base that nothing calls

    def __init__(
        self,
        *,
        plan: Sequence[Mapping[str, Any]] | str,
        union_id: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        dry_run: bool | str = False,
        skip_if_unchanged: bool | str = False,
        repeat_meeting: bool | str = False,
        return_events: bool | str = False,
        keep_before: bool | str = False,
        if_busy: str = "ignore",
        on_error: str = "fail",
        max_failures: int | str = 1,
        max_calls: int | str = 1000,
        max_rows: int | str | None = None,
        max_notified: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.plan = plan
        self.union_id = union_id
        self.calendar_id = calendar_id
        self.timezone = timezone
        self.dry_run = dry_run
        self.skip_if_unchanged = skip_if_unchanged
        self.repeat_meeting = repeat_meeting
        self.return_events = return_events
        self.keep_before = keep_before
        self.if_busy = if_busy
        self.on_error = on_error
        self.max_failures = max_failures
        self.max_calls = max_calls
        self.max_rows = max_rows
        self.max_notified = max_notified
        self.dingtalk_conn_id = dingtalk_conn_id

    _runner: PlanRunner | None = None

    def execute(self, context: Context) -> dict[str, Any]:
        """Check the plan, apply it, and return the counts."""
        from airflow_dingtalk_calendar.plans.impact import check_impact, estimate_impact
        from airflow_dingtalk_calendar.plans.runner import PlanLimits, PlanRunner

        with self._open_hook(context) as hook:
            options, limits, plan, flags = read_all(
                lambda: self._parse_options(context, hook),
                self._parse_limits,
                lambda: self._parse_plan(hook),
                lambda: flag_arguments(dry_run=self.dry_run),
            )
            if not flags["dry_run"] and any(row.change.creates for row in plan.rows):
                options = replace(options, created=created_events(context, hook, retried=options.retried))
            impact = estimate_impact(plan.rows, options)
            self.log.info("%s", impact)
            check_impact(plan.rows, impact, limits)
            if flags["dry_run"]:
                hook.call_counter.limit = limits["max_calls"]
                record_changes(self, context, hook, ())
                return self._show_dry_run(context, hook, plan, options)
            checkpoint = self._make_checkpoint(context, plan)
            bounds = PlanLimits(limits["max_failures"], limits["max_calls"])
            self._runner = PlanRunner(hook, plan, options, bounds, checkpoint, self.log)
            try:
                results = self._runner.run()
            finally:  # also when the task was asked to stop
                if self._runner.begun:
                    self._push_results(context, plan, self._runner.results, with_events=options.return_events)
            record_changes(self, context, hook, results)
            return self._report_outcome(context, results, checkpoint)

    def on_kill(self) -> None:
        """Start no more rows. On Airflow 3 this is the only notice that a task has to stop."""
        if self._runner:
            self._runner.stop()

    def _parse_options(self, context: Context, hook: DingTalkCalendarHook) -> ApplyOptions:
        from airflow_dingtalk_calendar.idempotency import client_token_for

        _, busy = read_all(
            lambda: choice_argument("on_error", self.on_error, ("fail", "continue")),
            lambda: make_busy_check(hook, self.if_busy, self.timezone, self._log_caution),
        )
        names = ("skip_if_unchanged", "repeat_meeting", "return_events", "keep_before")
        return apply_options(
            context,
            self.retries,
            lambda number, total, parts: client_token_for(context, *parts),
            self._log_loss,
            busy=busy,
            **flag_arguments(**{name: getattr(self, name) for name in names}),
        )

    def _log_loss(self, row: Row, event: Mapping[str, Any] | None) -> None:
        """Warn of what only the event shows, as it is read before the change."""
        known = row.cautions
        for caution in row.change.cautions_about(event):
            if caution not in known:
                self._log_caution(row, caution)

    def _log_caution(self, row: Row, caution: str) -> None:
        self.log.warning("plan[%d].%s", row.index, caution)

    def _parse_limits(self) -> dict[str, int]:
        names = ("max_failures", "max_calls", "max_rows", "max_notified")
        given = {name: getattr(self, name) for name in names}
        limits = {name: value for name, value in given.items() if value is not None}
        read = read_all(*(partial(positive_argument, name, value) for name, value in limits.items()))
        return dict(zip(limits, read, strict=True))

    def _parse_plan(self, hook: DingTalkCalendarHook) -> Plan:
        from airflow_dingtalk_calendar.plans.plan import parse_plan
        from airflow_dingtalk_calendar.plans.report import caution_lines

        plan = parse_plan(
            list_argument("plan", self.plan),
            union_id=self.union_id,
            calendar_id=self.calendar_id,
            timezone=hook.get_conn().zone_for(self.timezone),
        )
        for line in caution_lines(plan.rows):
            self.log.warning(line)
        return plan

    def _show_dry_run(
        self, context: Context, hook: DingTalkCalendarHook, plan: Plan, options: ApplyOptions
    ) -> dict[str, Any]:
        from airflow_dingtalk_calendar.plans.report import find_conflicts, preview_plan

        self.log.info("Dry run: the plan is not sent; rows: %d.", len(plan.rows))
        conflicts = hook.follow(find_conflicts(plan.rows, options))
        for index, found in conflicts.items():
            for line in found.lines:
                self._log_caution(plan.rows[index], line)
        shown = preview_plan(plan.rows, options, conflicts)
        context["ti"].xcom_push(key="markdown", value=shown["markdown"])
        return shown

    def _make_checkpoint(self, context: Context, plan: Plan) -> Checkpoint:
        from airflow_dingtalk_calendar.plans.checkpoint import Checkpoint

        store = context.get("task_state_store")
        if store is None:
            if self.retries:
                self.log.info(
                    "This version of Airflow does not store task state (3.3 and later do): a retry sends and meters "
                    "every row again, under the same client tokens."
                )
            return Checkpoint(None, "", self.log)
        return Checkpoint(store, f"{plan.digest()}-{context['ti'].max_tries}", self.log)

    def _push_results(self, context: Context, plan: Plan, results: Sequence[RowResult], *, with_events: bool) -> None:
        """Push the result of each row, and what undoes it."""
        from airflow_dingtalk_calendar.plans.undo import make_undo

        undo = make_undo(plan, results)
        rows = [result.as_dict(with_event=with_events) for result in results]
        for key, value in (("results", rows), ("undo", undo.plan), ("cannot_undo", undo.lasting)):
            context["ti"].xcom_push(key=key, value=value)
        check_xcom_size(self.log, "XCom undo, and results about as much,", undo.plan, "split the plan")

    def _report_outcome(self, context: Context, results: Sequence[RowResult], checkpoint: Checkpoint) -> dict[str, int]:
        """Log the results of the rows, and fail if the task has to."""
        from airflow_dingtalk_calendar.plans.report import log_outcome, plan_error
        from airflow_dingtalk_calendar.plans.results import count_results

        runner = self._runner
        log_outcome(self.log, results, runner.elapsed() if runner else 0.0)
        if runner and runner.stopped and runner.refused:
            why = f"{runner.refused[-1].code}: {runner.refused[-1].message}"
            self.log.error("Every further row would be refused like the last one, so no more were sent. %s", why)
        error = plan_error(results, tolerant=self.on_error == "continue")
        if not (isinstance(error, PlanIncompleteError) and context["ti"].try_number <= context["ti"].max_tries):
            checkpoint.clear()  # no automatic retry will come
        if error:
            raise error
        return count_results(results)
