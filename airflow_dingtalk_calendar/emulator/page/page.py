"""The page at ``/``: the calendar, what has happened to it, and how the emulator is set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import groupby
from typing import Any

from ..schema.event import Event
from ..state.recurrence import local
from ..state.store import Store
from . import text as wording
from .style import CSS

_WORDS = {"accepted": "accepted", "declined": "declined", "tentative": "tentative", "needsAction": "no answer yet"}
_SHOWN_PEOPLE = 30
_HISTORY = "history"
_DONE = {
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
_PLAIN = {"id", "status", "createTime", "isAllDay", "organizer"}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


_TITLE = "DingTalk calendar emulator"
# The empty icon keeps browsers from asking for one, which would end up in the request log.
_META = Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">')


def tag(name: str, *inner: str, kind: str = "", **attributes: str) -> Html:
    """Return an element; whatever in it is not HTML already gets escaped."""
    given = {"class": kind, **attributes} if kind else attributes
    opening = "".join(f' {key}="{escape(text)}"' for key, text in given.items())
    return Html(f"<{name}{opening}>{_joined(inner)}</{name}>")


def _joined(parts: Iterable[str]) -> Html:
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def page(store: Store) -> str:
    """Return the page."""
    head = tag("head", _META, tag("title", _TITLE), tag("style", Html(CSS)))
    header = tag("header", tag("h1", _TITLE), _facts(store))
    body = tag("body", header, tag("main", _calendar(store), _rooms(store), _history(store)), _settings(store))
    return "<!doctype html>" + tag("html", head, body, lang="en")


def _facts(store: Store) -> Html:
    calls = [f"{action} {count}" for action, count in sorted(store.ledger.calls.items())]
    counts = {
        "event": len(store.events),
        "update": len(store.ledger.updates),
        "other change": len(store.ledger.writes) - len(store.ledger.updates),
        "notification": len(store.ledger.notifications),
        "request": len(store.requests),
    }
    facts = [f"{count} {word if count == 1 else word + 's'}" for word, count in counts.items()]
    facts.append("metered calls: " + (", ".join(calls) or "none"))
    return tag("p", *(tag("span", fact) for fact in facts), tag("a", "history ↓", href=f"#{_HISTORY}"), kind="facts")


def _calendar(store: Store) -> Html:
    events = sorted(
        (store.shown(event) for event in list(store.events.values())), key=lambda event: local(event["start"])
    )
    by_day = groupby(events, key=lambda event: local(event["start"]).date())
    days = [
        tag("section", tag("h3", wording.day(day)), *(_event(event, store) for event in those), kind="day")
        for day, those in by_day
    ]
    legend = tag("p", *(tag("span", f"{wording.MARKS[word]} {text}") for word, text in _WORDS.items()), kind="legend")
    return tag("section", tag("h2", "Calendar"), *(days or [tag("p", "There are no events.")]), legend)


def _event(event: Event, store: Store) -> Html:
    zone = event["start"].get("timeZone", "")
    time = tag("div", tag("strong", wording.when(event)), tag("span", zone), kind="time")
    title = tag("h4", event["summary"] or "(no title)", *_badges(event, store))
    facts = [tag("div", tag("dt", name), tag("dd", text)) for name, text in _details(event) if text]
    people = event.get("attendees", [])
    more = [tag("li", f"and {len(people) - _SHOWN_PEOPLE} more")] if len(people) > _SHOWN_PEOPLE else []
    listed = tag("ul", *(_person(person) for person in people[:_SHOWN_PEOPLE]), *more, kind="people")
    return tag("article", time, tag("div", title, tag("dl", *facts), listed), kind=f"event {event['status']}")


def _badges(event: Event, store: Store) -> list[Html]:
    master = store.events.get(event.get("seriesMasterId", ""))
    changed = any(row["event_id"] == event["id"] and row["changed"] for row in store.ledger.writes)
    badges = [
        "changed" if changed else "",
        "cancelled" if event["status"] == "cancelled" else "",
        f"one of the series “{master['summary']}”" if master else "",
    ]
    return [tag("small", badge) for badge in badges if badge]


def _details(event: Event) -> list[tuple[str, str]]:
    organizer = event["organizer"]
    names = ("recurrence", "location", "onlineMeetingInfo", "reminders")
    told = {name: wording.value(name, event[name]) for name in names if event.get(name)}
    return [
        ("Repeats", told.get("recurrence", "")),
        ("Where", told.get("location", "").replace("nothing", "")),
        ("Room", ", ".join(event.get("location", {}).get("meetingRooms", []))),
        ("Online", told.get("onlineMeetingInfo", "")),
        ("Organizer", organizer["displayName"] or organizer["id"]),
        ("About", event.get("description", "")),
        ("Reminder", told.get("reminders", "")),
    ]


def _person(person: Event) -> Html:
    answer = person["responseStatus"]
    optional = " (optional)" if person.get("isOptional") else ""
    text = f"{wording.MARKS[answer]} {person['displayName'] or person['id']}{optional}"
    return tag("li", text, kind=answer, title=f"{person['id']}: {_WORDS[answer]}")


def _rooms(store: Store) -> Html:
    rooms = [
        tag("div", tag("dt", name, title=room_id), tag("dd", "\n".join(_bookings(store, room_id)) or "free"))
        for room_id, name in store.rooms.items()
    ]
    return tag("section", tag("h2", "Rooms"), tag("article", tag("dl", *rooms, kind="rooms"))) if rooms else Html("")


def _bookings(store: Store, room_id: str) -> list[str]:
    events = sorted(store.booked(room_id), key=lambda event: local(event["start"]))
    return [f"{wording.value('start', event['start'])}: {event['summary'] or event['id']}" for event in events]


def _history(store: Store) -> Html:
    changes = [_change(row, store) for row in reversed(store.ledger.writes)]
    nothing = tag("p", "Nothing has been changed yet.", kind="nothing")
    return tag("section", tag("h2", "History", id=_HISTORY), *(changes or [nothing]))


def _change(row: dict[str, Any], store: Store) -> Html:
    event = store.events.get(row["event_id"], {})
    token = row["client_token"]
    notes = [
        tag("b", _DONE[row["action"]]),
        tag("time", row["time"].replace("T", " ")),
        tag("code", _short(token), title=token) if token else tag("span", "no client token"),
        tag("span", _told(row["request_id"], store)),
    ]
    rows = list(_rows(row))
    nothing = tag("p", f"No visible change; sent: {', '.join(row['fields']) or 'nothing'}")
    return tag(
        "article",
        tag("h4", event.get("summary") or row["event_id"]),
        tag("p", *notes, kind="notes"),
        tag("table", *rows) if rows else nothing,
        kind="change",
    )


def _rows(row: dict[str, Any]) -> Iterator[Html]:
    left_out = _PLAIN if row["action"] == "CreateEvent" else {""}
    for name, (before, after) in row["changed"].items():
        old, new = wording.value(name, before), wording.value(name, after)
        if old != new and name not in left_out:
            yield tag("tr", tag("th", name), tag("td", tag("del", old)), tag("td", "→"), tag("td", tag("ins", new)))


def _short(token: str) -> str:
    return token if len(token) <= 12 else token[:8] + "…"


def _told(request_id: str, store: Store) -> str:
    told = [row for row in store.ledger.notifications if row["request_id"] == request_id]
    return (
        "notified: " + ", ".join(f"{row['recipients']} by {row['kind']}" for row in told) if told else "nobody notified"
    )


def _settings(store: Store) -> Html:
    switches = [tag("span", tag("b", name), f" {value}") for name, value in store.settings.as_dict().items()]
    return tag("footer", tag("h2", "Settings"), tag("p", *switches, kind="facts"))
