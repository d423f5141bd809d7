"""What is known of one field of an event, and how the rows of the table of fields are looked up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from airflow_dingtalk_calendar.models.field_comparers import Comparer, SameValue, compare_value
from airflow_dingtalk_calendar.models.field_describers import Describer, describe_value
from airflow_dingtalk_calendar.models.field_fingerprints import NormalForm, hash_value, whole_value
from airflow_dingtalk_calendar.models.json_values import Body, get_member, mappings_in

# By PatchEvent's page: documented in its answer, so that an event without the field lacks it; not documented, so that
# it may be left out; or a switch of the request, which no event has.
Shown = Literal["always", "perhaps", "never"]
Watched = Literal["default", "optional"]


@dataclass(frozen=True, slots=True)
class EventField:
    """What is known of one field.

    :ivar wire: its name in DingTalk's requests and answers.
    :ivar name: what a watcher calls it.
    :ivar reader: reads text in brackets that a template made for it (text and path); None: that is meant as it is.
    :ivar members: of an object, or of each object in a list, what a request may have; none: all of it.
    :ivar cleared: the value that empties it; None: it cannot be emptied.
    :ivar shown: whether an event shows it.
    :ivar comparer: whether an event has what a body asks for.
    :ivar suffices: what is enough for who waits for it, where that is less than being the same.
    :ivar describer: what would change, for a person.
    :ivar normal_form: what its fingerprint is made of.
    :ivar watched: whether a watcher checks it by default, or if asked; None: it cannot.
    :ivar patched: whether a patch can have it; else it is of the answer only, or a part of another field.
    """

    wire: str
    name: str
    reader: Callable[[str, str], Any] | None = None
    members: tuple[str, ...] = ()
    cleared: Any = None
    shown: Shown = "always"
    comparer: Comparer = compare_value
    suffices: SameValue | None = None
    describer: Describer = describe_value
    normal_form: NormalForm = whole_value
    watched: Watched | None = None
    patched: bool = True

    def is_shown_in(self, event: Body) -> bool:
        """Whether an event shows the value of this field, or that it is empty."""
        return self.shown == "always" or (self.shown == "perhaps" and self.wire in event)

    def writable_value(self, event: Body) -> Any:
        """Return what an event has in this field as a request can write it; None for nothing."""
        value = event.get(self.wire)
        if isinstance(value, list):
            return [self._writable_members(one) for one in mappings_in(value)] or None
        return self._writable_members(value) or None

    def _writable_members(self, value: Any) -> Any:
        if not self.members:
            return value
        return {name: value[name] for name in self.members if get_member(value, name) not in (None, "")}

    def fingerprint(self, event: Body) -> str:
        """Return the short hash of what an event has in this field."""
        return hash_value(self.normal_form, event.get(self.wire))


class FieldTable:
    """The rows, and where they are looked up.

    :ivar patched: by the API's name, those that a patch can have.
    :ivar watched: by a watcher's name, those that it can check.
    :ivar cleared: by the API's name, the values that empty them.
    """

    def __init__(self, *rows: EventField) -> None:
        self.rows = rows
        self.patched = {row.wire: row for row in rows if row.patched}
        self.watched = {row.name: row for row in rows if row.watched}
        self.cleared = {row.wire: row.cleared for row in rows if row.cleared is not None}
