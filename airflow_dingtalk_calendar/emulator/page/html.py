"""HTML as values: whatever is not HTML already gets escaped."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape


class HtmlText(str):
    """Text that is HTML already."""

    __slots__ = ()


def html_tag(name: str, *inner: str, kind: str = "", **attributes: str) -> HtmlText:
    """Return an element; whatever in it is not HTML already gets escaped."""
    given = {"class": kind, **attributes} if kind else attributes
    opening = "".join(f' {key}="{escape(text)}"' for key, text in given.items())
    return HtmlText(f"<{name}{opening}>{_join_escaped(inner)}</{name}>")


def _join_escaped(parts: Iterable[str]) -> HtmlText:
    return HtmlText("".join(part if isinstance(part, HtmlText) else escape(part) for part in parts))
