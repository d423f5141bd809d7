"""Users and their calendars."""

from __future__ import annotations

from collections.abc import Iterable

from airflow_dingtalk_calendar import api
from airflow_dingtalk_calendar.hooks.base import DingTalkBaseHook
from airflow_dingtalk_calendar.hooks.documented import document_methods
from airflow_dingtalk_calendar.models.json_values import Json


@document_methods(api)
class UserMethods(DingTalkBaseHook):
    """Methods for users and their calendars."""

    def list_calendars(self, union_id: str) -> list[Json]:
        return self.run(api.list_calendars(union_id))

    async def alist_calendars(self, union_id: str) -> list[Json]:
        return await self.arun(api.list_calendars(union_id))

    def get_user_by_staff_id(self, user_id: str) -> Json:
        return self.run(api.get_user_by_staff_id(user_id))

    async def aget_user_by_staff_id(self, user_id: str) -> Json:
        return await self.arun(api.get_user_by_staff_id(user_id))

    def resolve_staff_ids(self, user_ids: Iterable[str]) -> dict[str, str]:
        return self.follow(api.resolve_staff_ids(user_ids))

    async def aresolve_staff_ids(self, user_ids: Iterable[str]) -> dict[str, str]:
        return await self.afollow(api.resolve_staff_ids(user_ids))

    def get_me(self) -> Json:
        return self.run(api.get_me())

    async def aget_me(self) -> Json:
        return await self.arun(api.get_me())
