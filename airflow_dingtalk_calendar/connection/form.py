"""The connection form, as data: for Airflow 3 as provider metadata, for 2.11 as widgets.

Read in every Airflow process, so this module imports nothing. Airflow 3 shows the fields in this order: what many
people need, what other types of app need, what hardly anybody needs. Airflow redacts a field whose *name* contains a
sensitive word; none of these does but ``proxy``, whose URL may hold a password.
"""

from __future__ import annotations

from typing import Any

FORM_FIELDS: dict[str, dict[str, Any]] = {
    "timezone": {
        "label": "Time zone",
        "schema": {"type": ["string", "null"]},
        "description": "For event times that have no zone of their own. An IANA name, like Asia/Shanghai.",
    },
    "auth_type": {
        "label": "Type of app",
        "schema": {
            "type": ["string", "null"],
            "enum": ["app", "unified", "corp_app", "user"],
            "values_display": {
                "app": "app: internal",
                "unified": "unified: internal or third-party, by corp id",
                "corp_app": "corp_app: third-party enterprise, by suite ticket",
                "user": "user: third-party personal, acts as one person",
            },
        },
        "description": "Default: app. The next three fields are for the other types only.",
    },
    "corp_id": {
        "label": "Corp ID",
        "schema": {"type": ["string", "null"]},
        "description": "The organisation's corpId. For unified and corp_app.",
    },
    "suite_ticket_variable": {
        "label": "Variable with the suite ticket",
        "schema": {"type": ["string", "null"]},
        "description": "For corp_app. The Airflow Variable's name, which must contain token or secret.",
    },
    "user_grant_variable": {
        "label": "Variable with the user's grant",
        "schema": {"type": ["string", "null"]},
        "description": "For user. The Airflow Variable's name, which must contain token or secret.",
    },
    "timeout": {
        "label": "Time-out (seconds)",
        "schema": {"type": ["number", "null"], "minimum": 0.1, "maximum": 600},
        "description": "For each wait on the network. Default: 20.",
    },
    "max_qps": {
        "label": "Calls per second",
        "schema": {"type": ["number", "null"], "minimum": 0.01, "maximum": 1000},
        "description": "At most this many, per API and process; DingTalk allows 20 per app. Default: 20.",
    },
    "max_attempts": {
        "label": "Attempts per call",
        "schema": {"type": ["integer", "null"], "minimum": 1, "maximum": 20},
        "description": "Within one task try, for transient failures. Default: 4.",
    },
    "proxy": {
        "label": "Proxy",
        "schema": {"type": ["string", "null"]},
        "description": "URL of an HTTP proxy. Default: what HTTPS_PROXY says on the workers.",
    },
    "verify": {
        "label": "TLS verification",
        "schema": {"type": ["string", "null"]},
        "description": "true, false, or the path of a CA bundle on the workers. Default: true.",
    },
    "legacy_host": {
        "label": "Legacy API host",
        "schema": {"type": ["string", "null"]},
        "description": "For looking up staff ids. Default: https://oapi.dingtalk.io, or .com if the API host is.",
    },
    "page_url": {
        "label": "Emulator's page",
        "schema": {"type": ["string", "null"]},
        "description": "For an emulator only: where your browser finds it. Links to events lead there.",
    },
    "allow_http": {
        "label": "Allow plain http",
        "schema": {"type": ["boolean", "null"]},
        "description": "For an emulator on another machine only: plain http shows the app secret to the network.",
    },
}
FIELD_BEHAVIOUR: dict[str, Any] = {
    "hidden-fields": ["schema", "extra"],
    "relabeling": {
        "login": "App key (Client ID)",
        "password": "App secret (Client Secret)",  # pragma: allowlist secret
        "host": "API host",
    },
    "placeholders": {
        "host": "https://api.dingtalk.io, or https://api.dingtalk.com in China",
        # On Airflow 3.3.1 and 3.3.2 the test button refuses connections without a port (apache/airflow#73298).
        "port": "443 (only the test button of Airflow 3.3 needs it)",
        "login": "dingxxxxxxxxxxxxxxxx",
    },
}
_WIDGET_CLASSES = {
    "string": "StringField",
    "number": "FloatField",
    "integer": "IntegerField",
    "boolean": "BooleanField",
}


def form_widgets() -> dict[str, Any]:
    """Make the fields for Airflow 2.11, which does not read provider metadata for them."""
    import wtforms
    from flask_appbuilder.fieldwidgets import BS3TextFieldWidget
    from wtforms.validators import Optional

    def widget(spec: dict[str, Any]) -> Any:
        kind = spec["schema"]["type"][0]
        rendering = {} if kind == "boolean" else {"widget": BS3TextFieldWidget()}
        make = getattr(wtforms, _WIDGET_CLASSES[kind])
        return make(spec["label"], description=spec["description"], validators=[Optional()], **rendering)

    return {name: widget(spec) for name, spec in FORM_FIELDS.items()}


def field_behaviour() -> dict[str, Any]:
    """Spell the behaviour as Airflow 2.11 does, with underscores."""
    return {name.replace("-", "_"): value for name, value in FIELD_BEHAVIOUR.items()}
