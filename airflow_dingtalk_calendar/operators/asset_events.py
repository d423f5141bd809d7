"""What a task adds to the events of its outlet assets: which events of a calendar it has changed, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.hooks.calendar import DingTalkCalendarHook
    from airflow_dingtalk_calendar.plans.results import RowResult

# Airflow hands the extra of an asset event to each DAG run that it starts, and its API returns all of it.
MOST_CHANGES = 1000

_OTHER_CALENDAR_TEXT = (
    "The asset event of the outlet %s has no changes, because this task has changed %s: if they are meant to be the "
    "same, give the outlet the URI of that calendar, with the host of the connection."
)
_LOOP_TEXT = (
    "This DAG is scheduled on %s, which is an outlet of this task: each of its runs starts another one. Take the asset "
    "out of the task's outlets, or out of the DAG's schedule."
)


def record_changes(task: Any, context: Context, hook: DingTalkCalendarHook, results: Iterable[RowResult]) -> None:
    """Put what a task has changed in a calendar into the events of its outlets that are this calendar.

    Airflow stores them when the task succeeds: one event for each outlet, with an empty list if nothing was changed.
    """
    outlets, events = _calendar_outlets(task), context.get("outlet_events")
    if not outlets or events is None:  # which a test of a DAG may leave out
        return
    by_calendar = _changes_by_calendar(context, hook.get_conn().base_url, results)
    for uri, outlet in outlets.items():
        if by_calendar and uri not in by_calendar:
            task.log.warning(_OTHER_CALENDAR_TEXT, uri, ", ".join(sorted(by_calendar)))
        events[outlet].extra.update(_extra(by_calendar.get(uri, [])))
    _warn_of_loops(task, context, outlets)


def _calendar_outlets(task: Any) -> dict[str, Any]:
    """Return the outlets of a task that are calendars, by their URIs."""
    from airflow_dingtalk_calendar.assets.calendar import SCHEME, normalize_text

    outlets = {getattr(outlet, "uri", None): outlet for outlet in task.outlets}
    texts = {uri: outlet for uri, outlet in outlets.items() if isinstance(uri, str)}
    return {normalize_text(uri): one for uri, one in texts.items() if uri.lower().startswith(f"{SCHEME}://")}


def _changes_by_calendar(
    context: Context, base_url: str, results: Iterable[RowResult]
) -> dict[str, list[dict[str, Any]]]:
    from airflow_dingtalk_calendar.assets.calendar import calendar_uri
    from airflow_dingtalk_calendar.idempotency import client_token_for
    from airflow_dingtalk_calendar.plans.made_changes import made_changes

    found: dict[str, list[dict[str, Any]]] = {}
    for calendar, change in made_changes(results, lambda *parts: client_token_for(context, *parts)):
        found.setdefault(calendar_uri(*calendar, host=base_url), []).append(change)
    return found


def _extra(changes: list[dict[str, Any]]) -> Mapping[str, Any]:
    left_out = len(changes) - MOST_CHANGES
    return {"changes": changes[:MOST_CHANGES], **({"changes_left_out": left_out} if left_out > 0 else {})}


def _warn_of_loops(task: Any, context: Context, outlets: Iterable[str]) -> None:
    """Warn of a DAG that starts itself."""
    from airflow_dingtalk_calendar.assets.calendar import normalize_text
    from airflow_dingtalk_calendar.hooks.airflow_compat import scheduling_uris

    scheduling = {normalize_text(uri) for uri in scheduling_uris(context.get("dag"))}
    for uri in sorted(scheduling.intersection(outlets)):
        task.log.warning(_LOOP_TEXT, uri)
