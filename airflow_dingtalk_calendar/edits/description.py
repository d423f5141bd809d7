"""The edit that adds to a description, plain or rich."""

from __future__ import annotations

import html
import re
from typing import Any

from airflow_dingtalk_calendar.edits.base import Event, Patch, patch_if_needed, refuse_instance
from airflow_dingtalk_calendar.exceptions import InvalidInputError
from airflow_dingtalk_calendar.models.json_values import get_member

# What shows as the end of a line, so that lines are recognized in the markup that DingTalk's clients have made of them.
_END_OF_LINE = re.compile(r"<br\s*/?>|</(?:p|div|li|h[1-6]|tr|blockquote|pre)\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")


def append_description(event: Event, text: str, *, allow_instance: bool = False) -> Patch | None:
    """Add lines at the end of the description; None when they stand in it, so that they are never added twice.

    An event may have a rich text as well. Which of the two DingTalk's clients show, and whether a patch of one changes
    the other, is not documented (UNVERIFIED), so the lines are added to both, in the rich text as a paragraph. An event
    that has only a rich text gets them there alone.

    Shared parameters: see :func:`~airflow_dingtalk_calendar.edits.shift`.

    :param text: not blank; one line or several. It is no HTML: in a rich text it is escaped.
    """
    refuse_instance(event, allow_instance)
    if not isinstance(text, str) or not text.strip():
        raise InvalidInputError(("text", "must be text that is not blank"))
    added, plain = text.strip(), _text_of(event, "description")
    rich = _text_of(event, "richTextDescription", "text")
    patch: Patch = {}
    if (plain or not rich) and not _has_lines(plain, added):
        patch["description"] = f"{plain.rstrip()}\n{added}".lstrip("\n")
    if rich and not _has_lines(_plain_text(rich), added):
        patch["richTextDescription"] = {"text": f"{rich}{_paragraph(added)}"}
    return patch_if_needed(event, patch) if patch else None


def _text_of(event: Event, *path: str) -> str:
    found: Any = get_member(event, *path) or ""
    if not isinstance(found, str):
        raise InvalidInputError((f"event.{path[0]}", "must be text, as the service returns it"))
    return found


def _has_lines(whole: str, part: str) -> bool:
    """Whether a text ends with another one or has its lines, however blanks and line ends are written."""
    there, wanted = _lines_of(whole), _lines_of(part)
    ends = " ".join(there).endswith(" ".join(wanted))
    return ends or any(there[n : n + len(wanted)] == wanted for n in range(len(there)))


def _lines_of(text: str) -> list[str]:
    lines = (" ".join(line.split()) for line in text.splitlines())
    return [line for line in lines if line]


def _plain_text(rich: str) -> str:
    return html.unescape(_TAG.sub("", _END_OF_LINE.sub("\n", rich)))


def _paragraph(text: str) -> str:
    return f"<p>{'<br>'.join(html.escape(line) for line in text.splitlines())}</p>"
