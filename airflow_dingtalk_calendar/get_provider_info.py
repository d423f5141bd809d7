"""What Airflow learns about this provider; loaded in each of its processes."""

from __future__ import annotations

from typing import Any

from airflow_dingtalk_calendar.connection import form

PACKAGE = "airflow_dingtalk_calendar"
OPERATORS = ("attendee", "event", "event_lifecycle", "event_list", "meeting_room", "plan")
TRIGGERS = ("changes", "event")
GUIDES = (
    "approve",
    "assets",
    "conflicts",
    "extend",
    "import",
    "many",
    "move",
    "react",
    "rename",
    "rooms",
    "series",
    "undo",
    "wait",
    "workdays",
)
NAME = "DingTalk Calendar"
ASSET_URIS = [{"schemes": ["dingtalk"], "handler": f"{PACKAGE}.assets.calendar.normalize_uri"}]


def get_provider_info() -> dict[str, Any]:
    """Return the provider metadata (Airflow's ``provider_info.schema.json``)."""
    return {
        # Must be the distribution's name to the letter: another one breaks every provider of the installation.
        "package-name": "airflow-dingtalk-calendar",
        "name": NAME,
        "description": "Event updates in the DingTalk calendar as ordinary, schedulable tasks.",
        "integrations": [
            {
                "integration-name": NAME,
                "external-doc-url": "https://open.dingtalk.com/document/development/calendar-overview",
                "how-to-guide": [f"/docs/howto/{name}.md" for name in GUIDES],
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": NAME, "python-modules": [f"{PACKAGE}.hooks.calendar"]}],
        "operators": [
            {"integration-name": NAME, "python-modules": [f"{PACKAGE}.operators.{name}" for name in OPERATORS]}
        ],
        "sensors": [{"integration-name": NAME, "python-modules": [f"{PACKAGE}.sensors.event"]}],
        "triggers": [{"integration-name": NAME, "python-modules": [f"{PACKAGE}.triggers.{name}" for name in TRIGGERS]}],
        # Airflow 2.11 calls assets datasets.
        "asset-uris": ASSET_URIS,
        "dataset-uris": ASSET_URIS,
        "extra-links": [f"{PACKAGE}.operators.event_link.EventPageLink"],
        "connection-types": [
            {
                "connection-type": "dingtalk",
                "hook-class-name": f"{PACKAGE}.hooks.calendar.DingTalkCalendarHook",
                "hook-name": "DingTalk",
                "conn-fields": form.FORM_FIELDS,
                "ui-field-behaviour": form.FIELD_BEHAVIOUR,
            }
        ],
    }
