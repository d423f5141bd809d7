"""One table says of each field of an event all that comparison, diffs, clearing and watchers know of it."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from airflow_dingtalk_calendar.exceptions import InvalidInputError, InvalidPatchError
from airflow_dingtalk_calendar.models.comparison import compare_fields, is_unchanged, not_applied
from airflow_dingtalk_calendar.models.components import Component
from airflow_dingtalk_calendar.models.event_field import EventField, FieldTable
from airflow_dingtalk_calendar.models.event_patch import EventPatch
from airflow_dingtalk_calendar.models.field_comparers import compare_member
from airflow_dingtalk_calendar.models.field_describers import describe_member
from airflow_dingtalk_calendar.models.field_fingerprints import one_member
from airflow_dingtalk_calendar.models.fields import FIELDS, find_field
from airflow_dingtalk_calendar.models.json_text import load_json
from airflow_dingtalk_calendar.models.new_event import NewEvent
from airflow_dingtalk_calendar.models.types import Text
from airflow_dingtalk_calendar.plans.diff import diff_lines
from airflow_dingtalk_calendar.watch.changes import find_changes, initial_position, parse_filter
from tests.conftest import event
from tests.markdown import Page
from tests.models.test_judgements import FOUND, NOT_SENT, OTHER

ROOT = Path(__file__).parent.parents[1]
PATCHED = sorted(FIELDS.patched)
MOOD = EventField(
    "eventMood",
    "event_mood",
    reader=load_json,
    cleared={"word": ""},
    comparer=compare_member("word"),
    describer=describe_member("word"),
    normal_form=one_member("word"),
    watched="optional",
)


def fingerprint_of(event: dict[str, Any], wire: str) -> str | None:
    """Return a field's fingerprint; None where the event does not show it."""
    field = find_field(wire)
    return field.fingerprint(event) if field.is_shown_in(event) else None


class Mood(Component):
    """A made-up object that DingTalk might add."""

    word: Annotated[Text, Field(max_length=20)]


class MoodyPatch(EventPatch):
    """A patch that may have it."""

    _CAUTIONS: ClassVar[Any] = ()

    event_mood: Mood | None = None


@pytest.fixture
def moody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add one row to the table, and nothing else anywhere."""
    for name, value in vars(FieldTable(*FIELDS.rows, MOOD)).items():
        monkeypatch.setattr(FIELDS, name, value)


def body_of(**arguments: Any) -> dict[str, Any]:
    """Return the body of a patch that may have a mood."""
    return MoodyPatch.parse(arguments.pop("patch", {}), **arguments).to_body("E")


def moody_event(word: str) -> dict[str, Any]:
    """Return an event as the service would show it."""
    return event(eventMood={"word": word, "since": "2027"})


@pytest.mark.usefixtures("moody")
def test_a_new_field_is_compared_and_described() -> None:
    """A field with a row is compared as the row says, and described so in a plan."""
    body = body_of(patch={"event_mood": {"word": "calm"}})
    assert is_unchanged(body, moody_event("calm"))
    assert not_applied(body, moody_event("busy")) == ["eventMood"]
    assert not_applied(body, event()) == ["eventMood"]  # documented in the answer, so that an event without it lacks it
    assert diff_lines(body, moody_event("busy")) == ["eventMood: busy -> calm"]


@pytest.mark.usefixtures("moody")
def test_a_new_field_is_read_and_cleared() -> None:
    """A field with a row is read from JSON text, emptied by name, and suggested where a name is misspelt."""
    assert body_of(patch={"event_mood": '{"word": "calm"}'})["eventMood"] == {"word": "calm"}
    assert body_of(patch={"event_mood": {"word": " "}}, clear=["event_mood"])["eventMood"] == {"word": ""}
    with pytest.raises(InvalidPatchError, match="did you mean eventMood"):
        body_of(patch={"summary": "x"}, clear=["event_moot"])


@pytest.mark.usefixtures("moody")
def test_a_new_field_is_watched() -> None:
    """A watcher of a field with a row notices that it changes, and no other watcher does."""
    before, after = moody_event("calm"), moody_event("busy")
    for fields, expected in ((["event_mood"], [("event_mood",)]), (["summary"], [])):
        watch = parse_filter(fields)
        position = initial_position("e", None, watch.snapshots([before]), 0)
        changes, _ = find_changes(watch, position, list(watch.snapshots([after])), complete=False)
        assert [change.fields for change in changes] == expected
    with pytest.raises(InvalidInputError, match="event_mood"):
        parse_filter(["mood"])


@pytest.mark.usefixtures("moody")
def test_a_new_field_has_a_fingerprint() -> None:
    """A field with a row has a fingerprint, which changes with what the row says and with nothing else."""
    calm = fingerprint_of(moody_event("calm"), "eventMood")
    assert calm == fingerprint_of({"eventMood": {"word": "calm", "since": "2028"}}, "eventMood")
    assert calm != fingerprint_of(moody_event("busy"), "eventMood")


@pytest.mark.usefixtures("moody")
def test_a_new_field_is_in_the_documentation() -> None:
    """The table of the documentation has a line for each row."""
    assert "| `event_mood` | `eventMood` | yes | yes | yes | if named |" in field_table().splitlines()


def test_without_a_row_nothing_is_known() -> None:
    """Without the row, the same field is compared where the event shows it, and neither cleared nor watched."""
    body = body_of(patch={"event_mood": {"word": "calm"}})
    assert compare_fields(body, event()) == {"eventMood": "unknown"}
    assert fingerprint_of(event(), "eventMood") is None
    with pytest.raises(InvalidPatchError, match="cannot clear eventMood"):
        body_of(patch={"summary": "x"}, clear=["event_mood"])
    with pytest.raises(InvalidInputError):
        parse_filter(["event_mood"])


def test_every_field_of_a_patch_has_a_row() -> None:
    """The table has the fields of the model, and what DingTalk's answer has beside them."""
    aliases = {field.alias for field in EventPatch.model_fields.values()} - NOT_SENT
    assert FIELDS.patched.keys() == aliases
    assert {field.alias for field in NewEvent.model_fields.values()} - NOT_SENT - {"eventConfig"} == aliases
    assert [row.name for row in FIELDS.rows if not row.patched] == ["meeting_rooms", "organizer", "responses"]
    assert len({row.name for row in FIELDS.rows}) == len(FIELDS.rows)


def test_the_table_of_the_documentation() -> None:
    """The page of patches has the table as it is written from the package's own."""
    assert f"\n{field_table()}\n" in Page("docs/reference/models.md").text


@pytest.mark.parametrize("name", [name for name in PATCHED if name not in ("extra", "onlineMeetingInfo")])
def test_a_fingerprint_of_each_field(name: str) -> None:
    """Of each field that an event shows there is a fingerprint, which another value does not have."""
    mark = fingerprint_of(FOUND, name)
    assert mark is not None
    assert fingerprint_of(dict(reversed(FOUND.items())), name) == mark
    assert fingerprint_of({**FOUND, name: OTHER[name]}, name) not in (None, mark)


def test_another_video_meeting_has_another_fingerprint() -> None:
    """Of a video meeting the fingerprint is that of its conference, since a new one has the same type."""
    one, other = ({"onlineMeetingInfo": {"type": "dingtalk", "conferenceId": name}} for name in ("1", "2"))
    assert fingerprint_of(one, "onlineMeetingInfo") != fingerprint_of(other, "onlineMeetingInfo")


@pytest.mark.parametrize("name", ["extra", "freeBusyStatus", "cardInstances", "categories", "newField"])
def test_no_fingerprint_of_what_is_not_shown(name: str) -> None:
    """An event that does not show a field has no fingerprint of it; the switches of a request never have one."""
    assert fingerprint_of(event(), name) is None
    shown = fingerprint_of({**event(), name: [{"categoryId": "1", "outTrackId": "1"}]}, name)
    assert (shown is None) == (name == "extra")


@pytest.mark.parametrize("name", ["attendees", "reminders", "uiConfigs", "cardInstances", "categories"])
@given(data=st.data())
def test_the_order_of_a_list_does_not_count(name: str, data: st.DataObject) -> None:
    """The fingerprint of a list is the same in any order."""
    shuffled = data.draw(st.permutations(FOUND[name]))
    assert fingerprint_of({name: shuffled}, name) == fingerprint_of(FOUND, name)


@pytest.mark.parametrize("name", PATCHED)
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["date", "dateTime", "text", "id", "uiName"]), inner)
        ),
    )
)
def test_a_value_of_any_shape_has_a_fingerprint(name: str, value: Any) -> None:
    """A fingerprint of what the service returned never fails."""
    assert name == "extra" or len(fingerprint_of({name: value}, name) or "") == 6


def field_table() -> str:
    """Write the documentation's table, as its page is written."""
    spec = spec_from_file_location("field_table", ROOT / "docs" / "field_table.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.field_table())
