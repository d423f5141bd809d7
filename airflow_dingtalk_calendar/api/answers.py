"""What an answer of the service has to have: one reader for each documented shape of a success.

An answer gets here when it is a success: a 2xx whose body is JSON, or empty, and no error (see
:mod:`airflow_dingtalk_calendar.client.responses`). A write that is answered with an object, or with nothing, has taken
effect, whatever else is in it: its reader may be surprised (:class:`Odd`), but fails only where the answer itself says
that nothing was done. A body that lacks what the endpoint documents is never taken for "nothing there" without a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from airflow_dingtalk_calendar.exceptions import InvalidRequestError, UnexpectedAnswerError
from airflow_dingtalk_calendar.models.json_values import Json, mappings_in, text_or_empty

T = TypeVar("T")
MAX_ID_SHOWN = 80  # characters


@dataclass(frozen=True, slots=True)
class Odd(Generic[T]):
    """A success whose body surprises.

    :ivar result: what it counts as.
    :ivar text: what is unexpected, for the log; it follows the name of the action and has no event content.
    :ivar lacking: whether the body does not have what the endpoint documents, so that it is worth one more call that
        reads.
    """

    result: T
    text: str
    lacking: bool = False


def parse_object(payload: Any) -> Json:
    """Read an answer that is a JSON object."""
    if not isinstance(payload, dict):
        raise UnexpectedAnswerError("answered with JSON that is not an object.", retryable=True)
    return payload


# -- writes ---------------------------------------------------------------------------------------------------


def ignore_body(payload: Any) -> None:
    """Read an answer of which only the success matters."""
    _read_written(payload, "nothing was changed")


def check_result(undone: str, payload: Any) -> Odd[None] | None:
    """Read an answer that documents ``{"result": true}``.

    :param undone: what it means when the result is false.
    """
    if _is_said(_read_written(payload, undone), "result", True):
        return None
    return Odd(None, "answered with success, but without the result that is documented; it counts as done.")


def parse_patched(event_id: str, payload: Any) -> Json | Odd[Json]:
    """Read an answer that shows the event as a patch left it.

    The sample on PatchEvent's own page shows another id than the event's, and a patch of one time of a series may
    change the series (UNVERIFIED), so an event of another id is what came of this patch all the same.
    """
    event = _read_written(payload, "nothing was changed")
    found = text_or_empty(event.get("id"))
    if not found.strip() or all(name.lower() in ("id", "requestid") for name in event):
        text = f"answered with success, but without event {event_id}."
        return Odd({"id": event_id}, text, lacking=True)
    if found != event_id:
        text = f"answered with event {found[:MAX_ID_SHOWN]!r} instead of {event_id!r}; the change counts as applied."
        return Odd(event, text)
    return event


def parse_created(payload: Any) -> Json | Odd[Json]:
    """Read an answer that shows a new event; without its id, nobody knows which one to read."""
    event = _read_written(payload, "no event was made")
    if text_or_empty(event.get("id")).strip():
        return event
    text = "answered with success, but without the id of the new event, which was created: look for it in the calendar."
    return Odd(event, text)


def _read_written(payload: Any, undone: str) -> Json:
    """Read the answer to a write: an object, or nothing; other JSON is no answer of this service."""
    answer = {} if payload is None else parse_object(payload)
    for name in ("result", "success"):
        if _is_said(answer, name, False):
            raise InvalidRequestError(f'answered "{name}": false, so {undone}.')
    return answer


def _is_said(answer: Json, name: str, flag: bool) -> bool:
    """Whether an answer has this member with this truth value, written as whatever stands for one."""
    found = answer.get(name)
    return isinstance(found, (bool, int, str)) and str(found).strip().lower() in (str(flag).lower(), str(int(flag)))


# -- reads ----------------------------------------------------------------------------------------------------


def parse_event(event_id: str, payload: Any) -> Json:
    """Read an answer that is this event."""
    event = parse_object(payload)
    if event.get("id") != event_id:
        raise UnexpectedAnswerError("answered with something that is not this event.", retryable=True)
    return event


def parse_list(name: str, payload: Any) -> list[Json] | Odd[list[Json]]:
    """Read the list of objects that an answer has under this name.

    Whether DingTalk leaves out a list that is empty is not documented (UNVERIFIED). So an answer without it is
    unexpected.
    """
    found = parse_object(payload).get(name)
    if found is None:
        return Odd([], f"answered without {name}.", lacking=True)
    items = _check_items(name, found)
    if len(items) == len(found):
        return items
    return Odd(items, f"answered with {len(found) - len(items)} {name} that are no objects; they are left out.")


def parse_page(name: str, payload: Any) -> Json | Odd[Json]:
    """Read one page of a list: its items and the tokens that lead on. With a token, absent items are none."""
    page = _read_tokens(payload)
    if page.get(name) is None and _leads_on(page):
        return {**page, name: []}
    listed = parse_list(name, page)
    if isinstance(listed, Odd):
        return Odd({**page, name: listed.result}, listed.text, listed.lacking)
    return {**page, name: listed}


def parse_numbered_page(name: str, payload: Any) -> Json | Odd[Json]:
    """Read one page of a list whose tokens are whole numbers, and whose last page says that there are no more."""
    page = parse_object(payload)
    token = page.get("nextToken")
    if isinstance(token, int) and not isinstance(token, bool):
        token = str(token)
    if page.get("hasMore") is True and not token:
        raise UnexpectedAnswerError("answered that there is more, but without the token that leads on.", retryable=True)
    return parse_page(name, {**page, "nextToken": None if page.get("hasMore") is False else token})


def parse_whole_page(name: str, or_token: bool, payload: Any) -> Json:
    """Read one page for somebody who concludes something from what is not listed; its items stay whatever they are.

    :param or_token: whether absent items are none on a page that has a token; else they are an error.
    """
    page = _read_tokens(payload)
    absent = or_token and page.get(name) is None and _leads_on(page)
    return {**page, name: [] if absent else _require_list(name, page.get(name))}


def _read_tokens(payload: Any) -> Json:
    page = parse_object(payload)
    tokens = {token: page.get(token) or None for token in ("nextToken", "syncToken")}
    if not all(token is None or isinstance(token, str) for token in tokens.values()):
        raise UnexpectedAnswerError("answered with a page token that is not text.", retryable=True)
    return {**page, **tokens}


def _leads_on(page: Json) -> bool:
    return bool(page["nextToken"] or page["syncToken"])


def parse_schedules(name: str, asked: Sequence[str], payload: Any) -> list[Json]:
    """Read when each person or room is busy. One whose times are not in the answer is unknown, and never free.

    :param name: the member that has the id of one: ``userId``, ``roomId``.
    """
    found = _require_list("scheduleInformation", parse_object(payload).get("scheduleInformation"))
    answered = {one[name]: one for one in mappings_in(found) if isinstance(one.get(name), str)}
    return [_mark_availability({name: one, **answered.get(one, {})}) for one in asked]


def _mark_availability(entry: Json) -> Json:
    items, error = entry.get("scheduleItems"), entry.get("error")
    if not error and isinstance(items, list) and len(mappings_in(items)) == len(items):
        return {**entry, "availability": "known"}
    return {
        **entry,
        "availability": "unknown",
        "error": error or "the answer does not have the times of this one",
        "scheduleItems": None,
    }


def _check_items(name: str, found: Any) -> list[Json]:
    """Return the objects of a list; a list of nothing but other things is none of objects."""
    items = [dict(one) for one in mappings_in(_require_list(name, found))]
    if found and not items:
        raise UnexpectedAnswerError(f"answered with {name} that are not a list of objects.", retryable=True)
    return items


def _require_list(name: str, found: Any) -> list[Any]:
    if found is None:
        raise UnexpectedAnswerError(f"answered without {name}.", retryable=True)
    if not isinstance(found, list):
        raise UnexpectedAnswerError(f"answered with {name} that are not a list of objects.", retryable=True)
    return found
