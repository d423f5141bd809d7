"""Where a person sees the event of a task: a link on Airflow's page of it, or an address for DingTalk's app.

Airflow shows links that are http or https only. DingTalk documents no page of an event on the web; what the calendar
view calls ``dingtalkDetailUrl`` is one, or an address of the app's own kind, of which nothing is documented.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from airflow.providers.common.compat.sdk import BaseOperatorLink

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_dingtalk_calendar.connection.settings import ConnectionSettings

PAGE_KEY = "event_page"
LINK_KEY = "event_link"


class EventPageLink(BaseOperatorLink):
    """A link to the page of a task's event; where there is none, Airflow shows none."""

    name = "Event"

    @property
    def xcom_key(self) -> str:
        """The XCom that Airflow 3 shows the link from, which the task has pushed."""
        return PAGE_KEY

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address: of the operator that has run, or, in Airflow 2's web server, from XCom."""
        page = getattr(operator, "_event_page", None)
        if page is None:
            from airflow.providers.common.compat.sdk import XCom

            page = XCom.get_value(key=PAGE_KEY, ti_key=ti_key)
        return str(page or "")


class ShowsEvent:
    """A task that says where its event can be seen. A base to be named last."""

    log: Any
    _event_page: str = ""

    def _show_event(self, context: Context, settings: ConnectionSettings, event_id: str | None, event: Any) -> None:
        """Push the address of the event's page, and the app's own of it, where there are any."""
        detail = detail_url(event)
        page = emulator_page(settings, event_id) or (detail if _is_web(detail) else "")
        if page:
            vars(self)["_event_page"] = page
            context["ti"].xcom_push(key=PAGE_KEY, value=page)
        if detail and not _is_web(detail):
            context["ti"].xcom_push(key=LINK_KEY, value=detail)
            self.log.info("In DingTalk's app: %s (DingTalk does not document links of this kind.)", detail)


def emulator_page(settings: ConnectionSettings, event_id: str | None) -> str:
    """Write the address of an event on the emulator's page; blank where DingTalk itself is called."""
    from airflow_dingtalk_calendar.connection.hosts import is_local_url

    place = settings.page_url or (settings.base_url if is_local_url(settings.base_url) else "")
    return f"{place}/#event-{quote(event_id, safe='')}" if place and event_id else ""


def detail_url(event: Any) -> str:
    """Return the address that DingTalk's calendar view gives an event; blank where there is none."""
    from airflow_dingtalk_calendar.models.json_values import get_member, text_or_empty

    return text_or_empty(get_member(event, "extendedProperties", "privateProperties", "dingtalkDetailUrl"))


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)
