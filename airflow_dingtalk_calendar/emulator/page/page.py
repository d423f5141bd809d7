"""The page at ``/``: the calendar, what has happened to it, and how the emulator is set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import Any

from ..schema.event import Event
from ..state.recurrence import zoned_datetime
from ..state.store import EmulatorStore
from .html import HtmlText, html_tag
from .stream import stream_section
from .style import STYLE_SHEET
from .text import STATUS_MARKS, format_day, format_event_hours, format_member

_STATUS_WORDS = {
    "accepted": "accepted",
    "declined": "declined",
    "tentative": "tentative",
    "needsAction": "no answer yet",
}
_MAX_SHOWN_PEOPLE = 30
_HISTORY_ID = "history"
_ACTION_WORDS = {
    "CreateEvent": "created",
    "PatchEvent": "updated",
    "DeleteEvent": "deleted",
    "RespondEvent": "answered",
    "AddAttendee": "attendees added",
    "RemoveAttendee": "attendees removed",
    "AddMeetingRooms": "rooms booked",
    "RemoveMeetingRooms": "rooms given back",
}
# Of a new event not worth a line.
_UNREMARKABLE_MEMBERS = {"id", "status", "createTime", "isAllDay", "organizer"}


_PAGE_TITLE = "DingTalk calendar emulator"
# The empty icon keeps browsers from asking for one, which would end up in the request log.
_PAGE_META = HtmlText(
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
)


def render_page(store: EmulatorStore) -> str:
    """Return the page."""
    head = html_tag("head", _PAGE_META, html_tag("title", _PAGE_TITLE), html_tag("style", HtmlText(STYLE_SHEET)))
    header = html_tag("header", html_tag("h1", _PAGE_TITLE), _summary_line(store))
    body = html_tag(
        "body",
        header,
        html_tag(
            "main", _calendar_section(store), _rooms_section(store), stream_section(store), _history_section(store)
        ),
        _settings_footer(store),
    )
    return "<!doctype html>" + html_tag("html", head, body, lang="en")


def _summary_line(store: EmulatorStore) -> HtmlText:
    calls = [f"{action} {count}" for action, count in sorted(store.ledger.calls.items())]
    facts = [f"{count} {word if count == 1 else word + 's'}" for word, count in _summary_counts(store).items()]
    facts.append("metered calls: " + (", ".join(calls) or "none"))
    to_history = html_tag("a", "history ↓", href=f"#{_HISTORY_ID}")
    return html_tag("p", *(html_tag("span", fact) for fact in facts), to_history, kind="facts")


def _summary_counts(store: EmulatorStore) -> dict[str, int]:
    return {
        "event": len(store.events),
        "update": len(store.ledger.updates),
        "other change": len(store.ledger.writes) - len(store.ledger.updates),
        "notification": len(store.ledger.notifications),
        "request": len(store.requests),
    }


def _calendar_section(store: EmulatorStore) -> HtmlText:
    # A copy: a test in another thread may change the calendar while the page is written.
    shown = [store.render_for_organizer(event) for event in list(store.events.values())]
    events = sorted(shown, key=lambda event: zoned_datetime(event["start"]))
    by_day = groupby(events, key=lambda event: zoned_datetime(event["start"]).date())
    days = [_day_section(day, those, store) for day, those in by_day]
    marks = (html_tag("span", f"{STATUS_MARKS[word]} {text}") for word, text in _STATUS_WORDS.items())
    legend = html_tag("p", *marks, kind="legend")
    return html_tag("section", html_tag("h2", "Calendar"), *(days or [html_tag("p", "There are no events.")]), legend)


def _day_section(day: date, events: Iterable[Event], store: EmulatorStore) -> HtmlText:
    articles = (_event_article(event, store) for event in events)
    return html_tag("section", html_tag("h3", format_day(day)), *articles, kind="day")


def _event_article(event: Event, store: EmulatorStore) -> HtmlText:
    zone = event["start"].get("timeZone", "")
    time = html_tag("div", html_tag("strong", format_event_hours(event)), html_tag("span", zone), kind="time")
    title = html_tag("h4", event["summary"] or "(no title)", *_event_badges(event, store))
    facts = [
        html_tag("div", html_tag("dt", name), html_tag("dd", text)) for name, text in _event_details(event) if text
    ]
    people = event.get("attendees", [])
    more = [html_tag("li", f"and {len(people) - _MAX_SHOWN_PEOPLE} more")] if len(people) > _MAX_SHOWN_PEOPLE else []
    listed = html_tag("ul", *(_attendee_item(person) for person in people[:_MAX_SHOWN_PEOPLE]), *more, kind="people")
    return html_tag(
        "article",
        time,
        html_tag("div", title, html_tag("dl", *facts), listed),
        kind=f"event {event['status']}",
        id=f"event-{event['id']}",
    )


def _event_badges(event: Event, store: EmulatorStore) -> list[HtmlText]:
    master = store.events.get(event.get("seriesMasterId", ""))
    changed = any(row["event_id"] == event["id"] and row["changed"] for row in store.ledger.writes)
    badges = [
        "changed" if changed else "",
        "cancelled" if event["status"] == "cancelled" else "",
        f"one of the series “{master['summary']}”" if master else "",
    ]
    return [html_tag("small", badge) for badge in badges if badge]


def _event_details(event: Event) -> list[tuple[str, str]]:
    organizer = event["organizer"]
    names = ("recurrence", "location", "onlineMeetingInfo", "reminders")
    texts = {name: format_member(name, event[name]) for name in names if event.get(name)}
    return [
        ("Repeats", texts.get("recurrence", "")),
        ("Where", texts.get("location", "").replace("nothing", "")),
        ("Room", ", ".join(event.get("location", {}).get("meetingRooms", []))),
        ("Online", texts.get("onlineMeetingInfo", "")),
        ("Organizer", organizer["displayName"] or organizer["id"]),
        ("About", event.get("description", "")),
        ("Reminder", texts.get("reminders", "")),
    ]


def _attendee_item(person: Event) -> HtmlText:
    answer = person["responseStatus"]
    optional = " (optional)" if person.get("isOptional") else ""
    text = f"{STATUS_MARKS[answer]} {person['displayName'] or person['id']}{optional}"
    return html_tag("li", text, kind=answer, title=f"{person['id']}: {_STATUS_WORDS[answer]}")


def _rooms_section(store: EmulatorStore) -> HtmlText:
    rooms = [_room_row(store, room_id, name) for room_id, name in store.rooms.items()]
    listed = html_tag("article", html_tag("dl", *rooms, kind="rooms"))
    return html_tag("section", html_tag("h2", "Rooms"), listed) if rooms else HtmlText("")


def _room_row(store: EmulatorStore, room_id: str, name: str) -> HtmlText:
    bookings = "\n".join(_room_bookings(store, room_id)) or "free"
    return html_tag("div", html_tag("dt", name, title=room_id), html_tag("dd", bookings))


def _room_bookings(store: EmulatorStore, room_id: str) -> list[str]:
    events = sorted(store.events_in_room(room_id), key=lambda event: zoned_datetime(event["start"]))
    return [f"{format_member('start', event['start'])}: {event['summary'] or event['id']}" for event in events]


def _history_section(store: EmulatorStore) -> HtmlText:
    changes = [_change_article(row, store) for row in reversed(store.ledger.writes)]
    nothing = html_tag("p", "Nothing has been changed yet.", kind="nothing")
    return html_tag("section", html_tag("h2", "History", id=_HISTORY_ID), *(changes or [nothing]))


def _change_article(row: dict[str, Any], store: EmulatorStore) -> HtmlText:
    event = store.events.get(row["event_id"], {})
    title = html_tag("h4", event.get("summary") or row["event_id"])
    rows = list(_change_rows(row))
    nothing = html_tag("p", f"No visible change; sent: {', '.join(row['fields']) or 'nothing'}")
    return html_tag(
        "article", title, _change_notes(row, store), html_tag("table", *rows) if rows else nothing, kind="change"
    )


def _change_notes(row: dict[str, Any], store: EmulatorStore) -> HtmlText:
    token = row["client_token"]
    notes = [
        html_tag("b", _ACTION_WORDS[row["action"]]),
        html_tag("time", row["time"].replace("T", " ")),
        html_tag("code", _shorten_token(token), title=token) if token else html_tag("span", "no client token"),
        html_tag("span", _notification_note(row["request_id"], store)),
    ]
    return html_tag("p", *notes, kind="notes")


def _change_rows(row: dict[str, Any]) -> Iterator[HtmlText]:
    left_out = _UNREMARKABLE_MEMBERS if row["action"] == "CreateEvent" else {""}
    for name, (before, after) in row["changed"].items():
        old, new = format_member(name, before), format_member(name, after)
        if old != new and name not in left_out:
            cells = (html_tag("td", html_tag("del", old)), html_tag("td", "→"), html_tag("td", html_tag("ins", new)))
            yield html_tag("tr", html_tag("th", name), *cells)


def _shorten_token(token: str) -> str:
    return token if len(token) <= 12 else token[:8] + "…"


def _notification_note(request_id: str, store: EmulatorStore) -> str:
    sent = [row for row in store.ledger.notifications if row["request_id"] == request_id]
    return (
        "notified: " + ", ".join(f"{row['recipients']} by {row['kind']}" for row in sent) if sent else "nobody notified"
    )


def _settings_footer(store: EmulatorStore) -> HtmlText:
    switches = [html_tag("span", html_tag("b", name), f" {value}") for name, value in store.settings.as_dict().items()]
    return html_tag("footer", html_tag("h2", "Settings"), html_tag("p", *switches, kind="facts"))
