"""Which hosts the app secret and the token may go to."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from airflow_dingtalk_calendar.exceptions import InvalidConnectionError


def parse_base_url(
    text: str, field: str, *, scheme: str | None = None, port: int | None = None, allow_http: bool = False
) -> str:
    """Bring a host into the form ``https://name[:port]``; plain http only to this machine.

    :param field: the connection's field, for errors.
    :raises InvalidConnectionError: for anything but a host: one with a user, path or trick could leak the secret.
    """
    parts = _split_url(text if "://" in text else f"{scheme or 'https'}://{text}", field)
    if parts.scheme not in ("https", "http"):
        refuse_field(field, "must begin with https://")
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        refuse_field(field, "must be a host only, like https://api.dingtalk.com: no path, user or query")
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname or ""):
        refuse_field(field, "must begin with https://: plain http would show the secret (extra.allow_http allows it)")
    place = parts.port or port
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{place}" if place else "")


def is_local_url(url: str) -> bool:
    """Whether a base URL leads to this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split_url(url: str, field: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "%" in url:
        refuse_field(field, "is not a host name, like https://api.dingtalk.com")
    return parts


def refuse_field(field: str, problem: str) -> NoReturn:
    """Refuse a field of the connection.

    :raises InvalidConnectionError: always.
    """
    raise InvalidConnectionError((f"connection.{field}", problem))
