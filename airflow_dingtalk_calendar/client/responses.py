"""What an answer of the service means: the JSON that it holds, or which error.

Which error a code means stands in :mod:`.error_codes`. The language of ``message`` varies, so nothing is read out of
it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, TypeVar

from airflow_dingtalk_calendar.api.answers import Odd
from airflow_dingtalk_calendar.api.call import Call
from airflow_dingtalk_calendar.client.error_codes import (
    INVALID_REQUEST,
    IP_BAN_SECONDS,
    LEGACY_CODES,
    REGION_HINT,
    SERVICE_FAILURE,
    STATUS_CODES,
    ErrorCode,
    find_meaning,
    spell_code,
)
from airflow_dingtalk_calendar.connection.secret import hide_strings
from airflow_dingtalk_calendar.exceptions import (
    InvalidRequestError,
    RequestError,
    ThrottledError,
    UnexpectedAnswerError,
)

T = TypeVar("T")
DAY_SECONDS = 86400.0
# More than is shown, so that a secret that the cut would halve is found whole, and redacted.
MAX_TEXT_READ = 4000
MAX_DIGITS = 300  # of a whole number, more than any that means something has
# What interfaces elsewhere write as the code of a success.
SUCCESS_CODES = ("", "0", "200", "ok", "success")


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer: status, headers (lower-case names) and the whole body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)


def read_response(answer: Response, *secrets: str, action: str = "") -> Any:
    """Return the JSON that a good answer holds (None for an empty body); raise what a bad one means.

    :param secrets: blotted out of the error's texts, in case the answer echoes the request.
    :param action: DingTalk's name of what was asked for, which decides what a person can do about a refusal.
    :raises RequestError: one of its classes, by the tables above.
    """
    payload, error = _interpret_response(answer, secrets, action)
    if error:
        raise error  # here, where no variable holds the body: some tracebacks show variables
    return payload


def _interpret_response(answer: Response, secrets: tuple[str, ...], action: str) -> tuple[Any, RequestError | None]:
    try:
        payload = _parse_json(answer.content) if answer.content.strip() or answer.status >= 300 else None
    except (ValueError, RecursionError):
        return None, _not_json_error(answer)
    # The gateway client of the official SDK reads each key in both spellings (Code and code), so both are sent.
    fields = {key.lower(): value for key, value in payload.items()} if isinstance(payload, dict) else {}
    if answer.status < 300 and not _is_error_payload(fields):
        return payload, None
    return None, _build_error(answer, fields, partial(_clean_text, secrets=secrets), action)


def _parse_json(content: bytes) -> Any:
    """Read JSON; a number that JSON does not have, or that no computer calculates with, is none at all (null)."""
    return _JSON_DECODER.decode(content.decode(json.detect_encoding(content), "surrogatepass"))  # as json.loads does


def _finite_number(text: str) -> float | None:
    number = float(text) if len(text) > MAX_DIGITS or not text.lstrip("-").isdecimal() else int(text)
    return number if math.isfinite(number) else None


# json.loads would make one for each answer.
_JSON_DECODER = json.JSONDecoder(parse_float=_finite_number, parse_int=_finite_number, parse_constant=_finite_number)


def interpret_answer(call: Call[T], answer: Response, *secrets: str) -> T | Odd[T]:
    """Read an answer as the call's result, or as a success whose body surprises.

    :raises RequestError: with status, request id and the name of the action.
    """
    try:
        found = call.parse(_hide_token(call, read_response(answer, *secrets, action=call.action)))
        return replace(found, text=_clean_text(found.text, secrets)) if isinstance(found, Odd) else found
    except RequestError as error:
        raise error.with_details(
            action=call.action,
            hint=_page_token_hint(call, error) or error.hint,
            status_code=error.status_code or answer.status,
            request_id=error.request_id or request_id(answer),
        ) from error.__cause__


def _hide_token(call: Call[Any], payload: Any) -> Any:
    """Make secrets of all texts where a token was asked for, which is what calls without a token do."""
    return hide_strings(payload) if call.credential == "none" else payload


# What a list may be refused for beside its parameters; page "pagination" advises to begin again.
PAGE_TOKEN_HINTS = {
    "nextToken": "If the page token was refused: start over from the first page.",
    "syncToken": "If the sync token was refused: list everything again, without it.",
}


def _page_token_hint(call: Call[Any], error: RequestError) -> str:
    """Return a hint for a refused call that continues an earlier one."""
    hints = [hint for name, hint in PAGE_TOKEN_HINTS.items() if name in call.params]
    return " ".join(hints) if isinstance(error, InvalidRequestError) else ""


def _is_error_payload(fields: Mapping[str, Any]) -> bool:
    """Whether a 200 is none: with a code and a message, as unknown paths and legacy APIs answer, or as the edge does
    when it bans an address.
    """
    banned = _scalar_text(fields.get("status")) == "1111" and "punish" in fields
    if banned or _scalar_text(fields.get("errcode", 0)).strip() != "0":
        return True
    code = _scalar_text(fields.get("code")).strip()
    return code.lower() not in SUCCESS_CODES and ("message" in fields or find_meaning(code) is not None)


def _not_json_error(answer: Response) -> RequestError:
    """Say what an answer that is not JSON means; its text is not shown, it may be anything."""
    status = answer.status
    if 300 <= status < 400:
        hint = "Redirects are not followed, so that the token goes nowhere else: check the connection's host."
        return UnexpectedAnswerError("answered with a redirect.", status_code=status, hint=hint)
    if status == 403:
        hint = "An HTML page with this status is how DingTalk bans an address that called too often."
        return ThrottledError(
            "answered with a page instead of JSON.", status_code=status, retry_after=IP_BAN_SECONDS, hint=hint
        )
    if status == 429 or status == 408 or status >= 500:
        meaning = STATUS_CODES.get(status, SERVICE_FAILURE)
        wait = _wait_seconds(answer, meaning)
        return meaning.error("answered with a page instead of JSON.", status_code=status, retry_after=wait)
    hint = "Check the connection's host, and what stands between the workers and DingTalk."
    return UnexpectedAnswerError(
        "answered with something that is not JSON.", status_code=status, retryable=status < 300, hint=hint
    )


def _build_error(answer: Response, fields: Mapping[str, Any], text: Callable[[Any], str], action: str) -> RequestError:
    sent = fields.get("code") or fields.get("sub_code") or fields.get("errcode") or fields.get("status") or ""
    code = spell_code(text(sent).strip())
    meaning = _find_code(answer.status, code, fields)
    scopes = tuple(map(text, _required_scopes(fields.get("accessdenieddetail"))))
    return meaning.error(
        text(fields.get("message") or fields.get("sub_msg") or fields.get("errmsg") or ""),
        status_code=answer.status,
        code=code,
        request_id=text(fields.get("requestid") or fields.get("request_id") or request_id(answer)),
        required_scopes=scopes,
        retry_after=_wait_seconds(answer, meaning),
        hint=" ".join(filter(None, (meaning.hint_for(action), f"Missing: {', '.join(scopes)}." if scopes else ""))),
    )


def _find_code(status: int, code: str, fields: Mapping[str, Any]) -> ErrorCode:
    if "punish" in fields:
        return ErrorCode(ThrottledError, "DingTalk bans this address for having called too often.", IP_BAN_SECONDS)
    if status < 300:
        legacy = LEGACY_CODES.get(code) or LEGACY_CODES.get(_scalar_text(fields.get("errcode")))
        return legacy or find_meaning(code) or _unknown_api(code)
    return find_meaning(code) or STATUS_CODES.get(status) or (SERVICE_FAILURE if status >= 500 else INVALID_REQUEST)


def _unknown_api(code: str) -> ErrorCode:
    hint = f"There is no such API at this host. {REGION_HINT}" if code == "404" else ""
    return ErrorCode(UnexpectedAnswerError, hint)


def _wait_seconds(answer: Response, meaning: ErrorCode) -> float | None:
    """Seconds to wait: what the answer says, but not less than what its code says."""
    asked = _parse_retry_after(answer.headers)
    return meaning.wait if asked is None else max(asked, meaning.wait or 0.0)


def _parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Read ``Retry-After``: seconds, or a date, which counts from the answer's own ``Date``."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal() and value.isascii():
        return min(float(value[:9]), DAY_SECONDS)
    try:
        later = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):
        return None
    return min(max(later.total_seconds(), 0.0), DAY_SECONDS)


def request_id(answer: Response) -> str:
    """Read the id under which DingTalk's developer console explains the request."""
    return _clean_text(answer.headers.get("x-acs-request-id", ""))


def _required_scopes(detail: Any) -> list[Any]:
    named = {str(key).lower(): value for key, value in detail.items()} if isinstance(detail, dict) else {}
    scopes = named.get("requiredscopes")
    return scopes[:20] if isinstance(scopes, list) else []


def _scalar_text(value: Any) -> str:
    """Read a word or a number; writing out anything else is no use, and can fail if it is nested deeply."""
    return str(value) if isinstance(value, (str, int, float)) else ""


def _clean_text(value: Any, secrets: tuple[str, ...] = ()) -> str:
    """Make the service's words fit for one line of a log."""
    text = _scalar_text(value)[:MAX_TEXT_READ]
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return "".join(char if char.isprintable() else " " for char in text[:300])
