"""The page's section on Stream mode: who is connected, and what is not acknowledged."""

from __future__ import annotations

from typing import Any

from ..state.store import EmulatorStore
from .html import HtmlText, html_tag

_MAX_SHOWN_EVENTS = 50
_MAX_SHOWN_PROBLEMS = 5
_STATUS_WORDS = {
    "waiting": "waits for a connection",
    "pushed": "pushed",
    "later": "pushed, to be pushed again later",
}


def stream_section(store: EmulatorStore) -> HtmlText:
    """Return the section."""
    connections = [_connection_row(one) for one in store.stream.connections()]
    nobody = html_tag("p", "No connection is open.", kind="nothing")
    return html_tag(
        "section",
        html_tag("h2", "Stream mode", id="stream"),
        html_tag("article", html_tag("dl", *connections, kind="rooms")) if connections else nobody,
        *_event_articles(store),
    )


def _connection_row(connection: dict[str, Any]) -> HtmlText:
    whose = [
        connection["app_key"],
        connection["agent"],
        "" if connection["receives_events"] else "has not subscribed to events",
        "" if connection["closes_in"] is None else f"closes in {connection['closes_in']:.0f} s",
    ]
    counts = [
        f"{connection['pushed']} pushed, {connection['acknowledged']} acknowledged",
        f"pings: {connection['pings_answered']} answered, {connection['pings_unanswered']} not",
    ]
    problems = (f"not an answer: {problem}" for problem in connection["problems"][-_MAX_SHOWN_PROBLEMS:])
    lines = [" · ".join(fact for fact in whose if fact), " · ".join(counts), *problems]
    number, seconds = connection["number"], connection["open_for"]
    return html_tag("div", html_tag("dt", f"No. {number}, for {seconds:.0f} s"), html_tag("dd", "\n".join(lines)))


def _event_articles(store: EmulatorStore) -> list[HtmlText]:
    events = store.stream.events(pending_only=True)
    if not events:
        acknowledged = any(event["status"] == "acknowledged" for event in store.stream.events())
        return [html_tag("p", "Every event that was pushed is acknowledged.", kind="nothing")] if acknowledged else []
    shown = [_event_row(event, store) for event in events[:_MAX_SHOWN_EVENTS]]
    more = len(events) - len(shown)
    rest = [html_tag("p", f"and {more} more", kind="nothing")] if more else []
    return [html_tag("article", html_tag("h4", "Not acknowledged"), html_tag("table", *shown), *rest)]


def _event_row(event: dict[str, Any], store: EmulatorStore) -> HtmlText:
    changed = store.events.get(event["calendar_event_id"], {})
    times = f", {event['pushes']} times" if event["pushes"] > 1 else ""
    place = f", last on no. {event['connection']}" if event["connection"] else ""
    return html_tag(
        "tr",
        html_tag("th", event["change_type"]),
        html_tag("td", changed.get("summary") or event["calendar_event_id"], title=event["calendar_event_id"]),
        html_tag("td", f"{_STATUS_WORDS[event['status']]}{times}{place}"),
        html_tag("td", html_tag("code", event["event_id"][:8] + "…", title=event["event_id"])),
    )
