"""The same calls made in other ways: each as its own documentation shows, and no worse."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

from benchmarks.emulated import LIN, Service

PATCH = {
    "summary": "Planning",
    "start": {"dateTime": "2027-03-02T10:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "end": {"dateTime": "2027-03-02T11:00:00+08:00", "timeZone": "Asia/Shanghai"},
    "reminders": [{"method": "dingtalk", "minutes": 15}],
}
Way = Callable[[str], Any]  # patches the event of this id, and returns it
AsyncWay = Callable[[str], Awaitable[Any]]


def path(event_id: str) -> str:
    """Return the path of an event."""
    return f"/v1.0/calendar/users/{LIN}/calendars/primary/events/{event_id}"


class Sdk:
    """DingTalk's SDK, with a client that is made once, as its users do."""

    def __init__(self, service: Service) -> None:
        from alibabacloud_dingtalk.calendar_1_0 import models
        from alibabacloud_dingtalk.calendar_1_0.client import Client
        from alibabacloud_tea_openapi.models import Config
        from alibabacloud_tea_util.models import RuntimeOptions

        self._models = models
        self._client = Client(Config(protocol="http", endpoint=service.netloc))
        self._runtime, self._token = RuntimeOptions(), service.token()

    def patch(self, event_id: str) -> Any:
        """Patch an event."""
        return self._client.patch_event_with_options(*self._patch(event_id)).body

    async def apatch(self, event_id: str) -> Any:
        """Patch an event, from a coroutine."""
        return (await self._client.patch_event_with_options_async(*self._patch(event_id))).body

    def _patch(self, event_id: str) -> tuple[Any, ...]:
        headers = self._models.PatchEventHeaders(x_acs_dingtalk_access_token=self._token)
        return LIN, "primary", event_id, sdk_patch(event_id, PATCH), headers, self._runtime

    def list(self) -> list[Any]:
        """Collect all events: the loop over pages that everybody has to write."""
        events: list[Any] = []
        request, headers = self._models.ListEventsRequest(max_results=100), self._models.ListEventsHeaders()
        headers.x_acs_dingtalk_access_token = self._token
        while True:
            body = self._client.list_events_with_options(LIN, "primary", request, headers, self._runtime).body
            events += body.events
            if not body.next_token:
                return events
            request.next_token = body.next_token


def sdk_patch(event_id: str, patch: dict[str, Any]) -> Any:
    """Return a patch as the SDK's model."""
    from alibabacloud_dingtalk.calendar_1_0 import models

    return models.PatchEventRequest(
        id=event_id,
        summary=patch["summary"],
        start=models.PatchEventRequestStart(date_time=patch["start"]["dateTime"], time_zone=patch["start"]["timeZone"]),
        end=models.PatchEventRequestEnd(date_time=patch["end"]["dateTime"], time_zone=patch["end"]["timeZone"]),
        reminders=[
            models.PatchEventRequestReminders(method=one["method"], minutes=one["minutes"])
            for one in patch["reminders"]
        ],
    )


def bare_httpx(service: Service) -> Way:
    """Patch with one httpx.Client."""
    import httpx

    client = httpx.Client(base_url=service.url, trust_env=False)
    headers = {"x-acs-dingtalk-access-token": service.token()}

    def patch(event_id: str) -> Any:
        return client.put(path(event_id), json={**PATCH, "id": event_id}, headers=headers).raise_for_status().json()

    return patch


def async_httpx(service: Service) -> AsyncWay:
    """Patch with one httpx.AsyncClient."""
    import httpx

    client = httpx.AsyncClient(base_url=service.url, trust_env=False)
    headers = {"x-acs-dingtalk-access-token": service.token()}

    async def patch(event_id: str) -> Any:
        body = {**PATCH, "id": event_id}
        return (await client.put(path(event_id), json=body, headers=headers)).raise_for_status().json()

    return patch


def floor(service: Service) -> Way:
    """Patch with Python's http.client over one connection: the least that it takes."""
    client = http.client.HTTPConnection(service.netloc)
    headers = {"x-acs-dingtalk-access-token": service.token(), "content-type": "application/json"}

    def patch(event_id: str) -> Any:
        client.request("PUT", path(event_id), json.dumps({**PATCH, "id": event_id}), headers)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {body!r}")
        return json.loads(body)

    return patch


def http_operator(service: Service) -> Way:
    """Patch by Airflow's HttpOperator; somebody has put the token there."""
    from airflow.providers.http.operators.http import HttpOperator

    os.environ["AIRFLOW_CONN_HTTP_DEFAULT"] = json.dumps({"conn_type": "http", "host": service.url})
    headers = {"x-acs-dingtalk-access-token": service.token(), "content-type": "application/json"}

    def patch(event_id: str) -> Any:
        operator = HttpOperator(  # noqa: AIR001
            task_id="patch",
            method="PUT",
            endpoint=path(event_id),
            data=json.dumps({**PATCH, "id": event_id}),
            headers=headers,
            response_filter=lambda response: response.json(),
        )
        return operator.execute({})  # type: ignore[typeddict-item]

    return patch


def our_operator(service: Service) -> Way:
    """Patch by our operator, with everything that it does in a task but what Airflow itself does around it."""
    from airflow_dingtalk_calendar.operators.event import DingTalkCalendarPatchEventOperator

    service.connect()
    ids = {"dag_id": "d", "task_id": "t", "run_id": "r", "map_index": -1, "max_tries": 0, "try_number": 1}

    def patch(event_id: str) -> Any:
        ti = SimpleNamespace(**ids, xcom_push=lambda key, value: None)
        operator = DingTalkCalendarPatchEventOperator(task_id="t", union_id=LIN, event_id=event_id, patch=PATCH)
        return operator.execute({"ti": ti})  # type: ignore[typeddict-item]

    return patch
