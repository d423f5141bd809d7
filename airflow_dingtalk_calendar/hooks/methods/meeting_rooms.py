"""Meeting rooms, and when they and people are busy."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import TimeInput
from airflow_dingtalk_calendar.api.free_times import DAY_HOURS
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.documented import document_methods
from airflow_dingtalk_calendar.models.json_values import Json


@document_methods(api)
class MeetingRoomMethods(DingTalkBaseHook):
    """Methods for meeting rooms and schedules."""

    def list_meeting_rooms(
        self, union_id: str, *, max_results: int | None = None, next_token: str | None = None
    ) -> Json:
        return self.run(api.list_meeting_rooms(union_id, max_results=max_results, next_token=next_token))

    async def alist_meeting_rooms(
        self, union_id: str, *, max_results: int | None = None, next_token: str | None = None
    ) -> Json:
        return await self.arun(api.list_meeting_rooms(union_id, max_results=max_results, next_token=next_token))

    def add_meeting_rooms(
        self,
        union_id: str,
        event_id: str,
        room_ids: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return self.run(
            api.add_meeting_rooms(union_id, event_id, room_ids, client_token=client_token, calendar_id=calendar_id)
        )

    async def aadd_meeting_rooms(
        self,
        union_id: str,
        event_id: str,
        room_ids: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return await self.arun(
            api.add_meeting_rooms(union_id, event_id, room_ids, client_token=client_token, calendar_id=calendar_id)
        )

    def remove_meeting_rooms(
        self,
        union_id: str,
        event_id: str,
        room_ids: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return self.run(
            api.remove_meeting_rooms(union_id, event_id, room_ids, client_token=client_token, calendar_id=calendar_id)
        )

    async def aremove_meeting_rooms(
        self,
        union_id: str,
        event_id: str,
        room_ids: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return await self.arun(
            api.remove_meeting_rooms(union_id, event_id, room_ids, client_token=client_token, calendar_id=calendar_id)
        )

    def get_schedule(
        self, union_id: str, user_ids: list[str], *, start_time: TimeInput, end_time: TimeInput
    ) -> list[Json]:
        return self.run(api.get_schedule(union_id, user_ids, start_time=start_time, end_time=end_time))

    async def aget_schedule(
        self, union_id: str, user_ids: list[str], *, start_time: TimeInput, end_time: TimeInput
    ) -> list[Json]:
        return await self.arun(api.get_schedule(union_id, user_ids, start_time=start_time, end_time=end_time))

    def get_meeting_rooms_schedule(
        self, union_id: str, room_ids: list[str], *, start_time: TimeInput, end_time: TimeInput
    ) -> list[Json]:
        return self.run(api.get_meeting_rooms_schedule(union_id, room_ids, start_time=start_time, end_time=end_time))

    async def aget_meeting_rooms_schedule(
        self, union_id: str, room_ids: list[str], *, start_time: TimeInput, end_time: TimeInput
    ) -> list[Json]:
        return await self.arun(
            api.get_meeting_rooms_schedule(union_id, room_ids, start_time=start_time, end_time=end_time)
        )

    def find_free_times(
        self,
        union_id: str,
        user_ids: list[str],
        *,
        start_time: TimeInput,
        end_time: TimeInput,
        duration: dt.timedelta | float | str,
        room_ids: Sequence[str] = (),
        timezone: str | None = None,
        hours: tuple[str, str] = DAY_HOURS,
        is_workday: Callable[[dt.date], bool] | None = None,
        step: dt.timedelta | float | str = 1800,
        limit: int = 10,
    ) -> Json:
        zone = self.get_conn().zone_for(timezone)
        return self.follow(
            api.find_free_times(
                union_id,
                user_ids,
                start_time=start_time,
                end_time=end_time,
                duration=duration,
                room_ids=room_ids,
                timezone=zone,
                hours=hours,
                is_workday=is_workday,
                step=step,
                limit=limit,
            )
        )

    async def afind_free_times(
        self,
        union_id: str,
        user_ids: list[str],
        *,
        start_time: TimeInput,
        end_time: TimeInput,
        duration: dt.timedelta | float | str,
        room_ids: Sequence[str] = (),
        timezone: str | None = None,
        hours: tuple[str, str] = DAY_HOURS,
        is_workday: Callable[[dt.date], bool] | None = None,
        step: dt.timedelta | float | str = 1800,
        limit: int = 10,
    ) -> Json:
        zone = (await self.aget_conn()).zone_for(timezone)
        return await self.afollow(
            api.find_free_times(
                union_id,
                user_ids,
                start_time=start_time,
                end_time=end_time,
                duration=duration,
                room_ids=room_ids,
                timezone=zone,
                hours=hours,
                is_workday=is_workday,
                step=step,
                limit=limit,
            )
        )
