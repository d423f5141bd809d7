"""What is wrong with an input: every problem with its field path, never with a value, and what may have been meant."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from airflow_dingtalk_calendar.exceptions import Problem

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def suggest_name(name: str, known: Collection[str]) -> str:
    """Suggest the known name that is most like this one."""
    folded = {other.lower(): other for other in known}
    begun = [other for other in folded if len(name) > 3 and other.startswith(name.lower())]
    near = begun if len(begun) == 1 else get_close_matches(name.lower()[:60], folded, n=1, cutoff=0.75)
    return f"; did you mean {folded[near[0]]}?" if near else f"; known: {', '.join(sorted(known))}"


# What calendars of others call these fields.
_FIELD_SYNONYMS = {
    **dict.fromkeys(("title", "name", "subject", "topic"), "summary"),
    **dict.fromkeys(("body", "content", "notes"), "description"),
    **dict.fromkeys(("begin", "starttime", "from"), "start"),
    **dict.fromkeys(("endtime", "until", "to"), "end"),
    **dict.fromkeys(("place", "where", "venue"), "location"),
    **dict.fromkeys(("participants", "invitees", "guests", "members"), "attendees"),
    **dict.fromkeys(("rrule", "repeat"), "recurrence"),
    **dict.fromkeys(("alarms", "alerts"), "reminders"),
}
_FIELD_HINTS = {
    **dict.fromkeys(
        ("timezone", "unionid", "eventid", "calendarid", "clienttoken", "clear", "uncheckedfields"),
        "it is an argument beside this one",
    ),
    **dict.fromkeys(
        ("room", "rooms", "roomids", "meetingroom", "meetingrooms"),
        "rooms are booked and released by operators of their own: DingTalkCalendarAddMeetingRoomsOperator",
    ),
    "duration": "give start and end, which edits.resize works out",
}


def suggest_field(name: str, known: Collection[str], *, at_the_root: bool) -> str:
    """Say what may have been meant by a name that is no field."""
    folded = name.lower()
    if at_the_root and folded in _FIELD_SYNONYMS and _FIELD_SYNONYMS[folded] in known:
        return f"; did you mean {_FIELD_SYNONYMS[folded]}?"
    if at_the_root and folded in _FIELD_HINTS:
        return f"; {_FIELD_HINTS[folded]}"
    return suggest_name(name, known)


Loc = tuple[int | str, ...]
MAX_PROBLEMS = 20  # what is wrong throughout shall not fill the log


def drop_consequences(found: Collection[Problem], known: Collection[Problem], root: str) -> list[Problem]:
    """Leave out problems at places where something else is known to be wrong, and above and below such places."""
    paths = [problem.path for problem in known if problem.path != root]
    return [one for one in found if not any(_contains(path, one.path) or _contains(one.path, path) for path in paths)]


def limit_problems(problems: Sequence[Problem], root: str) -> list[Problem]:
    """Keep the first problems, but of each kind one before any second, and count the others."""
    kinds: Counter[tuple[str, str]] = Counter()
    ranked: list[tuple[int, int]] = []
    for place, problem in enumerate(problems):
        kind = (re.sub(r"\[\d+\]", "[]", problem.path), problem.text)
        ranked.append((kinds[kind], place))
        kinds[kind] += 1
    more = len(problems) - MAX_PROBLEMS
    shown = [problems[place] for place in sorted(place for _, place in sorted(ranked)[:MAX_PROBLEMS])]
    return [*shown, *([Problem(root, f"{more} more problems")] if more > 0 else [])]


def _contains(place: str, path: str) -> bool:
    return path == place or (path.startswith(place) and path[len(place)] in ".[")


def describe_errors(error: ValidationError, model: type[BaseModel], root: str) -> list[Problem]:
    """Say each of pydantic's errors in our words, by field path."""
    items = error.errors(include_url=False, include_input=False)
    return [Problem(format_path((root, *item["loc"])), _describe_error(item, model)) for item in items]


def format_path(loc: Loc) -> str:
    """Write a place in the input as people do: ``patch.attendees[0].id``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{printable_name(step)}" for step in loc).removeprefix(
        "."
    )


def _describe_error(item: ErrorDetails, model: type[BaseModel]) -> str:
    *above, name = item["loc"] or ("",)
    if item["type"] == "extra_forbidden":
        return f"is not a field{suggest_field(str(name), _field_names_at(model, above), at_the_root=not above)}"
    context = item.get("ctx", {})
    not_a_mapping = _NOT_A_MAPPING.get(str(above[-1] if isinstance(name, int) else name), "must be a mapping")
    unit = "members" if context.get("field_type") == "List" else "characters"
    said = {
        "missing": "is required",
        "string_too_long": "has more than {max_length} characters",
        "too_long": f"has more than {{max_length}} {unit}",
        "too_short": "must not be empty",
        "literal_error": "must be one of {expected}" if " or " in context.get("expected", "") else "must be {expected}",
        "greater_than_equal": "must be {ge} or more",
        "less_than_equal": "must be {le} or less",
        "list_type": "must be a list or the JSON text of one",
        "model_type": not_a_mapping,
        "model_attributes_type": not_a_mapping,
    }.get(item["type"])
    return said.format(**context) if said else item["msg"].removeprefix("Value error, ")


# What may stand for an object, by its field; for a list it applies to each item.
_NOT_A_MAPPING = {
    **dict.fromkeys(
        ("start", "end"), "must be ISO 8601 text, a datetime, a date, or a mapping with dateTime and timeZone"
    ),
    "location": "must be text, or a mapping with displayName",
    "richTextDescription": "must be text, or a mapping with text",
    "recurrence": "must be the text of an RRULE, or a mapping with pattern and range",
    "attendees": "must be a unionId, an email address, or a mapping with id or email",
    "reminders": "must be minutes, or a mapping with minutes",
}


def _field_names_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """Names that would have been right at this place."""
    for step in loc:
        field = next((f for f in model.model_fields.values() if f.alias == step), None)
        model = _find_component(field.annotation) or model if field else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _find_component(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((part for inner in get_args(annotation) if (part := _find_component(inner))), None)


def printable_name(name: Any, most: int = 40) -> str:
    """Show a key or a word that somebody gave us: short and printable."""
    text = "".join(char if char.isprintable() else "?" for char in str(name)[:most])
    return text if len(str(name)) <= most else f"{text}…"
