"""Who takes part in an event."""

from __future__ import annotations

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.api.attendees import ResponseStatus
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.documented import document_methods
from airflow_dingtalk_calendar.models.json_values import Json


@document_methods(api)
class AttendeeMethods(DingTalkBaseHook):
    """Methods for the people invited to an event."""

    def add_attendees(
        self,
        union_id: str,
        event_id: str,
        attendees: list[Json],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        push_notification: bool | None = None,
        chat_notification: bool | None = None,
    ) -> None:
        return self.run(
            api.add_attendees(
                union_id,
                event_id,
                attendees,
                client_token=client_token,
                calendar_id=calendar_id,
                push_notification=push_notification,
                chat_notification=chat_notification,
            )
        )

    async def aadd_attendees(
        self,
        union_id: str,
        event_id: str,
        attendees: list[Json],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
        push_notification: bool | None = None,
        chat_notification: bool | None = None,
    ) -> None:
        return await self.arun(
            api.add_attendees(
                union_id,
                event_id,
                attendees,
                client_token=client_token,
                calendar_id=calendar_id,
                push_notification=push_notification,
                chat_notification=chat_notification,
            )
        )

    def remove_attendees(
        self,
        union_id: str,
        event_id: str,
        attendees: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return self.run(
            api.remove_attendees(union_id, event_id, attendees, client_token=client_token, calendar_id=calendar_id)
        )

    async def aremove_attendees(
        self,
        union_id: str,
        event_id: str,
        attendees: list[str],
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return await self.arun(
            api.remove_attendees(union_id, event_id, attendees, client_token=client_token, calendar_id=calendar_id)
        )

    def list_attendees(
        self,
        union_id: str,
        event_id: str,
        *,
        calendar_id: str = "primary",
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return self.run(
            api.list_attendees(
                union_id, event_id, calendar_id=calendar_id, max_results=max_results, next_token=next_token
            )
        )

    async def alist_attendees(
        self,
        union_id: str,
        event_id: str,
        *,
        calendar_id: str = "primary",
        max_results: int | None = None,
        next_token: str | None = None,
    ) -> Json:
        return await self.arun(
            api.list_attendees(
                union_id, event_id, calendar_id=calendar_id, max_results=max_results, next_token=next_token
            )
        )

    def respond_event(
        self,
        union_id: str,
        event_id: str,
        response_status: ResponseStatus,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return self.run(
            api.respond_event(union_id, event_id, response_status, client_token=client_token, calendar_id=calendar_id)
        )

    async def arespond_event(
        self,
        union_id: str,
        event_id: str,
        response_status: ResponseStatus,
        *,
        client_token: str | None = None,
        calendar_id: str = "primary",
    ) -> None:
        return await self.arun(
            api.respond_event(union_id, event_id, response_status, client_token=client_token, calendar_id=calendar_id)
        )
