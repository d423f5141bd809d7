"""Events: read, create, patch and delete."""

from __future__ import annotations

from typing import Any

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.call import Event
from airflow_dingtalk_calendar.hooks import event_calls
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.documented import document_methods
from airflow_dingtalk_calendar.hooks.event_calls import CheckedEvent, create_event_call, patch_event_call
from airflow_dingtalk_calendar.models.json_values import Json


# What event_calls adds to a call of api (parsing, the connection's zone) is what the method does, so it comes first.
@document_methods(event_calls, api)
class EventMethods(DingTalkBaseHook):
    """Methods for single events."""

    def get_event(
        self, union_id: str, event_id: str, *, calendar_id: str = "primary", max_attendees: int | None = None
    ) -> Json:
        return self.run(api.get_event(union_id, event_id, calendar_id=calendar_id, max_attendees=max_attendees))

    async def aget_event(
        self, union_id: str, event_id: str, *, calendar_id: str = "primary", max_attendees: int | None = None
    ) -> Json:
        return await self.arun(api.get_event(union_id, event_id, calendar_id=calendar_id, max_attendees=max_attendees))

    def create_event(
        self,
        union_id: str,
        event: dict[str, Any] | str | CheckedEvent,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        unchecked_fields: dict[str, Any] | str | None = None,
    ) -> Event:
        return self.run(
            create_event_call(
                self.get_conn(),
                union_id,
                event,
                client_token=client_token,
                calendar_id=calendar_id,
                timezone=timezone,
                unchecked_fields=unchecked_fields,
            )
        )

    async def acreate_event(
        self,
        union_id: str,
        event: dict[str, Any] | str | CheckedEvent,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        unchecked_fields: dict[str, Any] | str | None = None,
    ) -> Event:
        return await self.arun(
            create_event_call(
                await self.aget_conn(),
                union_id,
                event,
                client_token=client_token,
                calendar_id=calendar_id,
                timezone=timezone,
                unchecked_fields=unchecked_fields,
            )
        )

    def patch_event(
        self,
        union_id: str,
        event_id: str,
        patch: dict[str, Any] | str | CheckedEvent,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        unchecked_fields: dict[str, Any] | str | None = None,
        repeat_meeting: bool = False,
    ) -> Event:
        return self.run(
            patch_event_call(
                self.get_conn(),
                union_id,
                event_id,
                patch,
                client_token=client_token,
                calendar_id=calendar_id,
                timezone=timezone,
                unchecked_fields=unchecked_fields,
                repeat_meeting=repeat_meeting,
            )
        )

    async def apatch_event(
        self,
        union_id: str,
        event_id: str,
        patch: dict[str, Any] | str | CheckedEvent,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        timezone: str | None = None,
        unchecked_fields: dict[str, Any] | str | None = None,
        repeat_meeting: bool = False,
    ) -> Event:
        return await self.arun(
            patch_event_call(
                await self.aget_conn(),
                union_id,
                event_id,
                patch,
                client_token=client_token,
                calendar_id=calendar_id,
                timezone=timezone,
                unchecked_fields=unchecked_fields,
                repeat_meeting=repeat_meeting,
            )
        )

    def delete_event(
        self,
        union_id: str,
        event_id: str,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        push_notification: bool | None = None,
    ) -> None:
        return self.run(
            api.delete_event(
                union_id,
                event_id,
                client_token=client_token,
                calendar_id=calendar_id,
                push_notification=push_notification,
            )
        )

    async def adelete_event(
        self,
        union_id: str,
        event_id: str,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        push_notification: bool | None = None,
    ) -> None:
        return await self.arun(
            api.delete_event(
                union_id,
                event_id,
                client_token=client_token,
                calendar_id=calendar_id,
                push_notification=push_notification,
            )
        )
