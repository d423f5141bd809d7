"""The options in the ``extra`` of a connection, read one by one, so that all that is wrong is named at once."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

from airflow_dingtalk_calendar.connection.hosts import parse_base_url, refuse_field
from airflow_dingtalk_calendar.connection.secret import Secret, hide_strings
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError, read_all

Parsers = Mapping[str, Callable[[Any, str], Any]]

# What each type of app needs besides key and secret.
AUTH_TYPES = {
    "app": (),
    "unified": ("corp_id",),
    "corp_app": ("corp_id", "suite_ticket_variable"),
    "user": ("user_grant_variable",),
}


def parse_options(text: str | None) -> dict[str, Any]:
    """Read the options that are given, by name.

    :raises InvalidConnectionError: naming each wrong option and its remedy, never a value.
    """
    extra = _load_extra(text)
    given = {name: extra[name] for name in OPTION_PARSERS if not _is_blank(extra.get(name))}
    parsers: Parsers = {**OPTION_PARSERS, "legacy_host": partial(_host_option, allow_http=may_allow_http(text))}
    checks = [*_find_unknown(extra), *_find_needed(extra, given)]
    values = read_all(
        *(partial(parsers[name], value, name) for name, value in given.items()),
        *(partial(refuse_field, field, problem) for field, problem in checks),
    )
    return {name: value for name, value in zip(given, values, strict=True) if name != "allow_http"}


def may_allow_http(text: str | None) -> bool:
    """Whether plain http is allowed, or may be meant to be: a host is not refused for an option that cannot be read."""
    try:
        extra = _load_extra(text)
        value = extra.get("allow_http")
        return "allow_http" in _nearest_names(extra) or (not _is_blank(value) and _flag_option(value, "allow_http"))
    except InvalidConnectionError:
        return True


def _load_extra(text: str | None) -> dict[str, Any]:
    try:
        extra = hide_strings(json.loads(text)) if text else {}
    except ValueError:
        extra = None
    if not isinstance(extra, dict):
        refuse_field("extra", "must be a JSON object")
    return extra


def _is_blank(value: Any) -> bool:
    """Whether an option counts as absent: the form sends an empty text for a field that is not filled in."""
    return value is None or (isinstance(value, str) and not value.strip())


def _find_unknown(extra: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for near in _nearest_names(extra):
        known = f"did you mean {near}?" if near else f"known: {', '.join(OPTION_PARSERS)}"
        yield "extra", f"has an unknown option; {known}"


def _find_needed(extra: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Find what the type of app needs and nothing gives; a misspelt name is reported as such."""
    auth_type = str(given.get("auth_type", "app")).strip()
    for name in AUTH_TYPES.get(auth_type, ()):
        if name not in given and name not in _nearest_names(extra):
            yield f"extra.{name}", f"is needed for auth_type {auth_type}"


def _nearest_names(extra: Mapping[str, Any]) -> list[str]:
    """Return the known name nearest to each unknown one; blank where none is near."""
    unknown = (name for name in extra if name not in OPTION_PARSERS)
    return ["".join(get_close_matches(name, OPTION_PARSERS, n=1)) for name in unknown]


def _text_option(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value.isprintable():
        refuse_field(f"extra.{name}", "must be text")
    return str(value.strip())


def _auth_type_option(value: Any, name: str) -> str:
    text = _text_option(value, name)
    if text not in AUTH_TYPES:
        refuse_field(f"extra.{name}", f"must be one of {', '.join(AUTH_TYPES)}")
    return text


def _host_option(value: Any, name: str, *, allow_http: bool = False) -> str:
    return parse_base_url(_text_option(value, name), f"extra.{name}", allow_http=allow_http)


def _proxy_option(value: Any, name: str) -> str:
    scheme = _proxy_scheme(value)
    if not scheme:
        refuse_field(f"extra.{name}", "must be the URL of a proxy, like http://proxy.example.com:8080")
    if scheme.startswith("socks") and find_spec("socksio") is None:
        refuse_field(f"extra.{name}", "is a SOCKS proxy, for which the workers need httpx[socks]")
    return Secret(value).strip()


def _proxy_scheme(value: Any) -> str:
    """Return the scheme of a proxy's URL; blank if it is none. The parts of the URL stay here, one is a password."""
    try:
        parts = urlsplit(value.strip() if isinstance(value, str) and value.isprintable() else "")
        known = parts.scheme in ("http", "https", "socks5", "socks5h") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return ""
    return parts.scheme if known else ""


def _flag_option(value: Any, name: str) -> bool:
    word = str(value).strip().lower()
    if word not in ("true", "false"):
        refuse_field(f"extra.{name}", "must be true or false")
    return word == "true"


def _number_option(least: float, most: float) -> Callable[[Any, str], float]:
    def read(value: Any, name: str) -> float:
        try:
            number = float("nan") if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = float("nan")
        if not least <= number <= most:
            refuse_field(f"extra.{name}", f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _count_option(value: Any, name: str) -> int:
    return int(_number_option(1, 20)(value, name))


def _verify_option(value: Any, name: str) -> bool | str:
    return _flag_option(value, name) if str(value).strip().lower() in ("true", "false") else _text_option(value, name)


def _timezone_option(value: Any, name: str) -> str:
    from airflow_dingtalk_calendar.models.zones import parse_zone  # pydantic: not at import

    try:
        return parse_zone(_text_option(value, name))
    except ValueError as error:
        raise InvalidConnectionError((f"connection.extra.{name}", str(error))) from None


def _variable_option(value: Any, name: str) -> str:
    """Name a Variable whose content Airflow masks, which it decides by the name."""
    text = _text_option(value, name)
    if not any(word in text.lower() for word in ("token", "secret")):
        refuse_field(f"extra.{name}", "must name a Variable with token or secret in its name, so that Airflow masks it")
    return text


OPTION_PARSERS: Parsers = {
    "auth_type": _auth_type_option,
    "corp_id": _text_option,
    "suite_ticket_variable": _variable_option,
    "user_grant_variable": _variable_option,
    "legacy_host": _host_option,
    "timezone": _timezone_option,
    "timeout": _number_option(0.1, 600),
    "max_qps": _number_option(0.01, 1000),
    "max_attempts": _count_option,
    "proxy": _proxy_option,
    "verify": _verify_option,
    "page_url": partial(_host_option, allow_http=True),
    "allow_http": _flag_option,
}
