"""The operator that finds events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from airflow_dingtalk_calendar.exceptions import InvalidInputError, read_all
from airflow_dingtalk_calendar.models.arguments import flag_arguments, integer_argument, list_argument
from airflow_dingtalk_calendar.operators.base import CalendarOperator
from airflow_dingtalk_calendar.operators.large_results import check_xcom_size, find_place, write_lines

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.api import Call, Event, Json


WindowInput = dt.datetime | dt.date | str


class DingTalkCalendarListEventsOperator(CalendarOperator):
    """Find events in one person's calendar (DingTalk's ListEvents or ListEventsView).

    All pages are read, 100 events a page; each costs one metered call. An event that is on two pages, because the list
    has shifted meanwhile, is there once, as it was changed last (``updateTime``). DingTalk itself filters by time and
    by ``series_master_id`` (not with ``expand``); all other filters are applied here and save no calls.

    The log says how many bytes the result has. A warning says so above 1 MB, which is much for XCom: ask for ``fields``
    and fewer attendees, or have them written ``to_file``.

    XCom: ``return_value`` is the list of events, as DingTalk sent them, so that one task
    can be mapped over what another makes of it::

        events = DingTalkCalendarListEventsOperator(task_id="find", union_id=LIN, summary_contains="Stand-up", ...)

        @task
        def plan(events):  # of a series, past times are listed too
            return [{"event_id": e["id"], "patch": {"summary": "Daily"}} for e in events if not is_instance(e)]

        DingTalkCalendarPatchEventOperator.partial(task_id="rename", union_id=LIN).expand_kwargs(plan(events.output))

    .. seealso:: For a DAG that finds events and changes them, see the guide :doc:`/howto/many`.

    Shared parameters: see :class:`~airflow_dingtalk_calendar.operators.base.CalendarOperator`.

    :param union_id: unionId of the person whose calendar it is. (templated)
    :param time_min: start of the time range: a datetime, or ISO 8601 text with or without UTC offset; a day means
        its midnight. Required with ``expand``. (templated)
    :param time_max: its end, likewise; at most a year later. Required with ``expand``. (templated)
    :param summary_contains: only events whose title has this text, in capitals or not. (templated)
    :param search: only events that have this text, in capitals or not, in the title, the description, the place or a
        room, or in the name of the organizer or of an attendee who is listed. (templated)
    :param organizer_id: only events that this person (unionId) organizes. (templated)
    :param series_master_id: only instances of this series. (templated)
    :param show_deleted: cancelled events too; not with ``expand``. (templated)
    :param expand: each occurrence of a series as an event of its own, future ones too; without it, a series is its
        master event and the instances that DingTalk has stored. (templated)
    :param fields: the fields to return, in snake_case or camelCase; ``id`` is always there. Default: all. (templated)
    :param max_attendees: how many attendees of each event to return, 1-100; by default, DingTalk returns 100.
        (templated)
    :param to_file: write the events there, one in a line as JSON, in place of what is there, and return the path: a URL
        for Airflow's object storage (``s3://conn_id@bucket/events.jsonl``), or a path on a disk that all workers share.
        (templated)
    :param max_events: more events than this are an error, so that a forgotten filter fills no database. A task can be
        mapped over as many as Airflow's ``[core] max_map_length`` allows (1024 unless set). (templated)
    :param timezone: IANA zone for times that have no offset; default: the connection's. (templated)
    :raises AirflowFailException: for non-retryable errors: a wrong argument, credential or permission, too many
        events.
    :raises RequestError: for transient errors; Airflow's ``retries`` take over.
    """

    template_fields: Sequence[str] = (
        *CalendarOperator.template_fields,
        "time_min",
        "time_max",
        "summary_contains",
        "search",
        "fields",
        "max_attendees",
        "to_file",
        "organizer_id",
        "series_master_id",
        "show_deleted",
        "expand",
        "max_events",
        "timezone",
    )

    def __init__(
        self,
        *,
        union_id: str,
        calendar_id: str = "primary",
        time_min: WindowInput | None = None,
        time_max: WindowInput | None = None,
        summary_contains: str | None = None,
        search: str | None = None,
        organizer_id: str | None = None,
        series_master_id: str | None = None,
        show_deleted: bool | str = False,
        expand: bool | str = False,
        fields: Sequence[str] | str | None = None,
        max_attendees: int | str | None = None,
        to_file: str | None = None,
        max_events: int | str = 1000,
        timezone: str | None = None,
        max_calls: int | str | None = None,
        dingtalk_conn_id: str = "dingtalk_default",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.union_id = union_id
        self.calendar_id = calendar_id
        self.time_min = time_min
        self.time_max = time_max
        self.summary_contains = summary_contains
        self.organizer_id = organizer_id
        self.series_master_id = series_master_id
        self.show_deleted = show_deleted
        self.expand = expand
        self.search = search
        self.fields = fields
        self.max_attendees = max_attendees
        self.to_file = to_file
        self.max_events = max_events
        self.timezone = timezone
        self.max_calls = max_calls
        self.dingtalk_conn_id = dingtalk_conn_id

    def execute(self, context: Context) -> list[dict[str, Any]] | str:
        """Read all pages and return the events that the filters let through, or where they are written."""
        from airflow_dingtalk_calendar.models.copies import newest_bodies
        from airflow_dingtalk_calendar.models.counts import counted
        from airflow_dingtalk_calendar.models.event_selection import select_fields

        with self._open_hook(context):
            _, most, call, wanted, names, place, _ = read_all(
                self._check_ids,
                lambda: integer_argument("max_events", self.max_events),
                self._list_call,
                self._event_filter,
                self._parse_fields,
                lambda: None if self.to_file is None else find_place("to_file", self.to_file),
                self._limit_calls,
            )
            listed: list[Event] = []
            calls, matching = 0, 0
            for calls, page in enumerate(self.hook.pages(call), start=1):  # noqa: B007  # counted for the log
                listed += page["events"]
                matching += sum(map(wanted, page["events"]))
                if matching > most:  # or fewer: the list may have shifted, so that an event is on two pages
                    _check_event_count(len(list(filter(wanted, newest_bodies(listed)))), most)
            events = list(filter(wanted, newest_bodies(listed)))
            self.log.info("Found %s in %s.", counted(len(events), "event"), counted(calls, "call"))
            return self._hand_over([select_fields(event, names) for event in events] if names else events, place)

    def _hand_over(self, events: list[dict[str, Any]], place: Any) -> list[dict[str, Any]] | str:
        """Return the events, or the path of the file that they are written to."""
        from airflow_dingtalk_calendar.models.counts import counted

        if place is not None:
            path = write_lines(place, events)
            self.log.info("Wrote %s to %s.", counted(len(events), "event"), path)
            return path
        size = check_xcom_size(self.log, "XCom return_value", events, "return less: fields, max_attendees, to_file")
        self.log.info("The result has %d bytes.", size)
        return events

    def _parse_fields(self) -> list[str] | None:
        from airflow_dingtalk_calendar.models.event_selection import parse_answer_fields

        return None if self.fields is None else parse_answer_fields("fields", list_argument("fields", self.fields))

    def _parse_max_attendees(self) -> int | None:
        return None if self.max_attendees is None else integer_argument("max_attendees", self.max_attendees)

    def _list_call(self) -> Call[Json]:
        from airflow_dingtalk_calendar import api

        choices, most, (first, last) = read_all(
            lambda: flag_arguments(show_deleted=self.show_deleted, expand=self.expand),
            self._parse_max_attendees,
            lambda: self._window(self.hook.get_conn().zone_for(self.timezone)),
        )
        if not choices["expand"]:
            return api.list_events(
                self.union_id,
                calendar_id=self.calendar_id,
                time_min=first,
                time_max=last,
                show_deleted=choices["show_deleted"] or None,
                max_attendees=most,
                series_master_id=_filter_text("series_master_id", self.series_master_id),
            )
        self._check_expansion(show_deleted=choices["show_deleted"])
        return api.list_events_view(
            self.union_id, calendar_id=self.calendar_id, time_min=first, time_max=last, max_attendees=most
        )

    def _check_expansion(self, *, show_deleted: bool) -> None:
        """Refuse what ListEventsView needs and lacks, or does not have."""
        missing = [name for name in ("time_min", "time_max") if getattr(self, name) is None]
        problems = [(name, "is required with expand") for name in missing]
        if show_deleted:
            problems.append(("show_deleted", "cannot be combined with expand"))
        if problems:
            raise InvalidInputError(*problems)

    def _window(self, zone: str | None) -> list[str | None]:
        """Read both ends of the time range, once its time zone is known to be valid."""
        from airflow_dingtalk_calendar.models.types import read_argument
        from airflow_dingtalk_calendar.models.zones import parse_zone

        known = None if zone is None else read_argument("timezone", parse_zone, zone)
        names = ("time_min", "time_max")
        return read_all(*(partial(_window_time, name, getattr(self, name), known) for name in names))

    def _event_filter(self) -> Callable[[Event], bool]:
        filters = list(self._local_filters())
        return lambda event: all(is_wanted(event) for is_wanted in filters)

    def _local_filters(self) -> Iterator[Callable[[Event], bool]]:
        from airflow_dingtalk_calendar.models.event_selection import has_text
        from airflow_dingtalk_calendar.models.json_values import get_member, text_or_empty

        part = _filter_text("summary_contains", self.summary_contains)
        searched = _filter_text("search", self.search)
        organizer = _filter_text("organizer_id", self.organizer_id)
        series = _filter_text("series_master_id", self.series_master_id)
        if part is not None:
            yield lambda event: part.casefold() in text_or_empty(event.get("summary")).casefold()
        if searched is not None:
            yield lambda event: has_text(event, searched)
        if organizer is not None:
            yield lambda event: get_member(event, "organizer", "id") == organizer
        if series is not None and flag_arguments(expand=self.expand)["expand"]:  # else DingTalk filters
            yield lambda event: event.get("seriesMasterId") == series


def _filter_text(name: str, value: str | None) -> str | None:
    """Refuse a filter that came out blank, which would let everything through."""
    from airflow_dingtalk_calendar import api

    return None if value is None else api.check_id(name, value)


def _window_time(name: str, value: WindowInput | None, zone: str | None) -> str | None:
    from airflow_dingtalk_calendar.models import datetimes

    try:
        if value is None:
            return None
        midnight = _day_start(value)
        if zone is not None and datetimes.parse_datetime(midnight).tzinfo is None:
            return datetimes.format_event_time(midnight, zone)
        return datetimes.format_instant(midnight)
    except ValueError as error:
        raise InvalidInputError((name, str(error))) from None


def _day_start(value: WindowInput) -> Any:
    """Begin a day, as ``{{ ds }}`` gives it; anything else stays as it is."""
    if isinstance(value, str) and len(value.strip()) == len("2027-03-02"):
        return f"{value.strip()}T00:00:00"
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        return dt.datetime.combine(value, dt.time())
    return value


def _check_event_count(number: int, most: int) -> None:
    if number > most:
        remedy = "narrow the time or the filters, or raise max_events"
        bound = "a task is mapped over at most [core] max_map_length of them, 1024 unless set"
        raise InvalidInputError(("max_events", f"there are more than {most} events: {remedy}; {bound}"))
