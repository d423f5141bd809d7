"""What a call is, and the checks of arguments that all endpoints share."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

from airflow_dingtalk_calendar.api.answers import Odd, parse_whole_page
from airflow_dingtalk_calendar.exceptions import InvalidInputError, UnexpectedAnswerError, read_all
from airflow_dingtalk_calendar.idempotency import fresh_client_token
from airflow_dingtalk_calendar.models.blanks import (
    BLANK_TEXTS,
    describe_blank,
    describe_type,
    explain_refusal,
    is_blank,
)
from airflow_dingtalk_calendar.models.json_values import NOT_UNICODE_TEXT, Json, encode_json, find_pair, is_unicode

T = TypeVar("T")
Event = Json
TimeInput = dt.datetime | str


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request, and how to read its answer.

    :ivar action: DingTalk's name of the API action (``PatchEvent``).
    :ivar parse: from the JSON of a success to the result, by what the endpoint documents; see
        :mod:`airflow_dingtalk_calendar.api.answers`.
    :ivar form: members of a form body, for the legacy host.
    :ivar credential: where the access token goes: into the header, into the form (legacy host), or nowhere.
    :ivar host: which host: the API's, or the legacy one.
    :ivar writes: whether it changes anything; then the outcome of a failure matters.
    :ivar repeatable: whether sending it again does no harm when it may have taken effect already.
    :ivar read_back: of a write whose answer shows what came of it: the call that reads that where the answer does not.
    :ivar content: the JSON body as it is sent.
    :raises InvalidInputError: when it cannot be written as a request, so that none is begun that cannot be sent.
    """

    action: str
    method: str
    path: str
    parse: Callable[[Any], T | Odd[T]]
    params: Mapping[str, str] = field(default_factory=dict)
    json: Mapping[str, Any] | None = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)
    credential: Literal["header", "form", "none"] = "header"
    host: Literal["api", "legacy"] = "api"
    writes: bool = False
    repeatable: bool = True
    read_back: Callable[[], Call[T]] | None = None
    content: bytes | None = field(init=False, repr=False, compare=False, default=None)

    @property
    def metered(self) -> bool:
        """Whether it counts against the monthly quota: tokens and the legacy host's directory do not."""
        return self.credential == "header"

    def __post_init__(self) -> None:
        """Refuse what no check of an endpoint has refused before."""
        problems: list[tuple[str, str]] = []
        for texts in filter(None, (self.params, self.form)):
            wrong = [_argument_name(name) for name, text in texts.items() if not is_unicode(str(text))]
            problems += [(name, NOT_UNICODE_TEXT) for name in wrong]
        if self.json is not None:
            content, unsendable = encode_json(self.json, "body")
            object.__setattr__(self, "content", content)
            problems += unsendable
        if problems:
            raise InvalidInputError(*problems)


def _argument_name(name: str) -> str:
    """Name the argument that a query parameter was made of: ``nextToken`` of ``next_token``."""
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


# Characters that a path has as they are; not the dot, which alone means a segment that is none.
_is_plain = re.compile(r"[A-Za-z0-9_-]+").fullmatch


def check_id(name: str, value: object) -> str:
    """Check an id that a template may have rendered; it becomes one segment of a path, whatever is in it."""
    if type(value) is str and _is_plain(value) and value not in BLANK_TEXTS:  # as nearly all are: plans have many
        return value
    if value is None:
        raise InvalidInputError((name, "is absent, and has to be given"))
    # Native rendering makes an int of an id that has digits only.
    if not isinstance(value, (str, int)) or isinstance(value, bool):
        raise InvalidInputError((name, explain_refusal(f"must be text, not {describe_type(value)}", value)))
    text = str(value).strip()
    if is_blank(text):
        raise InvalidInputError((name, describe_blank(text)))
    if not is_unicode(text):
        raise InvalidInputError((name, NOT_UNICODE_TEXT))
    if text in (".", ".."):  # the only segments that percent-encoding does not keep in their place
        raise InvalidInputError((name, "is not an id"))
    return text


def calendar_path(union_id: str, calendar_id: str) -> str:
    """Write the path of a calendar."""
    return f"{user_path(union_id)}/calendars/{path_segment('calendar_id', calendar_id)}"


def event_path(union_id: str, calendar_id: str, event_id: str) -> str:
    """Write the path of an event."""
    return f"{calendar_path(union_id, calendar_id)}/events/{path_segment('event_id', event_id)}"


def user_path(union_id: str) -> str:
    """Write the path of a user's calendars."""
    return f"/v1.0/calendar/users/{path_segment('union_id', union_id)}"


def path_segment(name: str, value: str) -> str:
    """Write an id as one segment of a path."""
    text = check_id(name, value)
    return text if _is_plain(text) else quote(text, safe="")


def client_token_header(client_token: str | None) -> Mapping[str, str]:
    """Write the header that gives a request its identity; without one given, it gets one of its own."""
    return {"x-client-token": fresh_client_token() if client_token is None else check_client_token(client_token)}


def check_client_token(client_token: str) -> str:
    """Check a client token that somebody gave; a header has no place for white space around it."""
    text = check_id("client_token", client_token)
    # DingTalk documents neither characters nor length (UNVERIFIED): this much, every server takes in a header.
    if not (text.isascii() and text.isprintable()) or len(text) > 256:
        raise InvalidInputError(("client_token", "must be 1 to 256 printable ASCII characters"))
    return text


def query_params(**params: str | int | bool | None) -> dict[str, str]:
    """Write query parameters as the service reads them, without those that are None."""
    wrong = [_argument_name(name) for name, value in params.items() if not isinstance(value, (str, int, type(None)))]
    if wrong:
        raise InvalidInputError(*((name, "must be text, an integer or a boolean") for name in wrong))
    return {
        name: str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in params.items()
        if value is not None
    }


def check_range(name: str, value: int | None, most: int) -> int | None:
    """Check a page size."""
    if value is not None and not (isinstance(value, int) and 1 <= value <= most):
        raise InvalidInputError((name, f"must be from 1 to {most}"))
    return value


def format_datetime(name: str, value: TimeInput | None) -> str | None:
    """Write a point in time, of a datetime with a zone or of ISO 8601 text with an offset."""
    if value is None:
        return None
    moment = parse_aware_datetime(name, value)
    # Text goes out as its author wrote it, in the documented form at least: some endpoints are reported to want
    # milliseconds (public skill projects), others not, and nothing official says which.
    return value.strip() if isinstance(value, str) and "T" in value else moment.isoformat(timespec="seconds")


def parse_aware_datetime(name: str, value: TimeInput) -> dt.datetime:
    """Read a point in time."""
    try:
        moment = dt.datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except ValueError:
        raise InvalidInputError((name, "must be an ISO 8601 date and time with a UTC offset")) from None
    if not isinstance(moment, dt.datetime) or moment.tzinfo is None:
        raise InvalidInputError((name, "must be a date and time with a UTC offset or a time zone"))
    return moment


def check_window(
    first: tuple[str, TimeInput | None], last: tuple[str, TimeInput | None], most: dt.timedelta | None = None
) -> None:
    """Check that a span of time runs forward and is not longer than the service takes.

    :param first: name and value of its begin; ``last`` of its end.
    """
    (first_name, begin), (last_name, end) = first, last
    if begin is None or end is None:
        return
    span = parse_aware_datetime(last_name, end) - parse_aware_datetime(first_name, begin)
    if span <= dt.timedelta(0):
        raise InvalidInputError((last_name, f"must be after {first_name}"))
    if most is not None and span > most:
        raise InvalidInputError((last_name, f"must be at most {most.days} days after {first_name}"))


def check_ids(name: str, ids: Sequence[str], most: int) -> list[str]:
    """Check a list of ids: some, not too many, none blank, none twice."""
    if isinstance(ids, str) or not isinstance(ids, Sequence):
        raise InvalidInputError((name, "must be a list"))
    checked = read_all(*(partial(check_id, f"{name}[{index}]", value) for index, value in enumerate(ids)))
    if not checked:
        raise InvalidInputError((name, "must not be empty"))
    if len(checked) > most:
        raise InvalidInputError((name, f"has more than {most} members"))
    if pair := find_pair(checked):
        raise InvalidInputError((name, f"names one of them twice: [{pair[0]}] and [{pair[1]}]"))
    return checked


def require_list(call: Call[Json], name: str, *, or_token: bool = False) -> Call[Json]:
    """Make a call that lists one for a reader who concludes something from what is not listed.

    :param name: the member that the list is under. Without it, the answer is an error, and no empty page.
    :param or_token: whether a page that has a token instead is empty all the same.
    """
    return replace(call, parse=partial(parse_whole_page, name, or_token))


def next_page(call: Call[Json], page: Json, seen: set[str]) -> Call[Json] | None:
    """Make the call for the page after this one; None after the last.

    :param seen: page tokens so far; a service that repeats one would be asked forever.
    """
    token = page["nextToken"]
    if token is None:
        return None
    if token in seen or token == call.params.get("nextToken"):
        raise UnexpectedAnswerError("answered with the same page token again; start over from the first page.")
    seen.add(token)
    return replace(call, params={**call.params, "nextToken": token})


def split_batches(items: Iterable[T], size: int) -> list[list[T]]:
    """Cut a list into parts that one call takes."""
    every = list(items)
    return [every[start : start + size] for start in range(0, len(every), size)]


def describe_request(call: Call[Any]) -> dict[str, Any]:
    """Show a request, without headers and secrets."""
    params = {"params": dict(call.params)} if call.params else {}
    return {"method": call.method, "path": call.path, **params, "body": call.json}
