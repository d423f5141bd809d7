"""Lists of events."""

from __future__ import annotations

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import TimeInput
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.documented import document_methods
from airflow_dingtalk_calendar.models.json_values import Json


@document_methods(api)
class EventListMethods(DingTalkBaseHook):
    """Methods that list events, page by page."""

    def list_events(
        self,
        union_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput | None = None,
        time_max: TimeInput | None = None,
        show_deleted: bool | None = None,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
        sync_token: str | None = None,
        series_master_id: str | None = None,
    ) -> Json:
        return self.run(
            api.list_events(
                union_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                show_deleted=show_deleted,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
                sync_token=sync_token,
                series_master_id=series_master_id,
            )
        )

    async def alist_events(
        self,
        union_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput | None = None,
        time_max: TimeInput | None = None,
        show_deleted: bool | None = None,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
        sync_token: str | None = None,
        series_master_id: str | None = None,
    ) -> Json:
        return await self.arun(
            api.list_events(
                union_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                show_deleted=show_deleted,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
                sync_token=sync_token,
                series_master_id=series_master_id,
            )
        )

    def list_events_view(
        self,
        union_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput,
        time_max: TimeInput,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return self.run(
            api.list_events_view(
                union_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
            )
        )

    async def alist_events_view(
        self,
        union_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput,
        time_max: TimeInput,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return await self.arun(
            api.list_events_view(
                union_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
            )
        )

    def list_instances(
        self,
        union_id: str,
        series_master_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput | None = None,
        time_max: TimeInput | None = None,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return self.run(
            api.list_instances(
                union_id,
                series_master_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
            )
        )

    async def alist_instances(
        self,
        union_id: str,
        series_master_id: str,
        *,
        calendar_id: str = "primary",
        time_min: TimeInput | None = None,
        time_max: TimeInput | None = None,
        max_results: int | None = None,
        max_attendees: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return await self.arun(
            api.list_instances(
                union_id,
                series_master_id,
                calendar_id=calendar_id,
                time_min=time_min,
                time_max=time_max,
                max_results=max_results,
                max_attendees=max_attendees,
                next_token=next_token,
            )
        )
