"""Which hosts the app secret and the token may go to."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from airflow_dingtalk_calendar.connection.secret import Secret
from airflow_dingtalk_calendar.exceptions import InvalidConnectionError

# DingTalk's own hosts of a region, by the base URL of its API: wss-open-connection.dingtalk.com, in the samples.
_REGION_DOMAINS = {"api.dingtalk.com": ".dingtalk.com", "api.dingtalk.io": ".dingtalk.io"}


def parse_base_url(
    text: str, field: str, *, scheme: str | None = None, port: int | None = None, allow_http: bool = False
) -> str:
    """Bring a host into the form ``https://name[:port]``; plain http only to this machine.

    :param field: the connection's field, for errors.
    :raises InvalidConnectionError: for anything but a host: one with a user, path or trick could leak the secret.
    """
    text = Secret(text)  # a password that somebody writes into it must not show in a traceback
    if problem := _find_host_problem(text, scheme, allow_http):
        refuse_field(field, problem)
    parts = _split_url(text, scheme)
    # Airflow's form has a field of its own for the port.
    place = parts.port or port
    name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{name}" + (f":{place}" if place else "")


def region_host(host: str) -> str:
    """Return the API's host of the region that one of DingTalk's hosts is of; another host as it is."""
    for api_host, domain in _REGION_DOMAINS.items():
        if f".{host}".endswith(domain):
            return api_host
    return host


def is_local_url(url: str) -> bool:
    """Whether a base URL leads to this machine."""
    return is_loopback(urlsplit(url).hostname or "")


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def find_endpoint_problem(endpoint: str, base_url: str) -> str:
    """Say why a WebSocket must not be opened at an address that the service has named; blank if it may.

    It may be opened at DingTalk's hosts of the connection's region, at the connection's own host, and, for an emulator
    on this machine, at this machine; without TLS only where the connection itself is without.
    """
    base, parts = urlsplit(base_url), _split_endpoint(endpoint)
    if parts is None:
        return "is not the address of a host"
    if parts.scheme != "wss" and (parts.scheme, base.scheme) != ("ws", "http"):
        return "does not begin with wss://"
    if parts.username is not None or parts.fragment:
        return "has a user or a fragment"
    here = _is_same_service(parts.hostname or "", base.hostname or "")
    return "" if here else "is at another host than the connection's region has"


def _split_endpoint(endpoint: str) -> SplitResult | None:
    """Split an address; None if it is none."""
    try:
        parts = urlsplit(endpoint)
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return None
    return parts if sound and _is_plain(endpoint) else None


def _is_plain(text: str) -> bool:
    """Whether an address has no characters that programs read differently."""
    return text.isascii() and text.isprintable() and not {" ", "\\", "%"} & set(text)


def _is_same_service(host: str, base: str) -> bool:
    domain = _REGION_DOMAINS.get(base)
    return host == base or (is_loopback(host) and is_loopback(base)) or (domain is not None and host.endswith(domain))


def _split_url(text: str, scheme: str | None) -> SplitResult:
    return urlsplit(text if "://" in text else f"{scheme or 'https'}://{text}")


def _find_host_problem(text: str, scheme: str | None, allow_http: bool) -> str:
    """Say what is wrong with a host; blank if nothing is."""
    try:
        parts = _split_url(text, scheme)
        text = text if "://" in text else f"{scheme or ''}{text}"
        sound = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        sound = False
    if not sound or not _is_plain(text):
        return "is not a host name, like https://api.dingtalk.com"
    if parts.scheme not in ("https", "http"):
        return "must begin with https://"
    if parts.username is not None or parts.path.strip("/") or parts.query or parts.fragment:
        return "must be a host only, like https://api.dingtalk.com: no path, user or query"
    if parts.scheme == "http" and not allow_http and not is_loopback(parts.hostname or ""):
        return "must begin with https://: plain http would show the secret (extra.allow_http allows it)"
    return ""


def refuse_field(field: str, problem: str) -> NoReturn:
    """Refuse a field of the connection.

    :raises InvalidConnectionError: always.
    """
    raise InvalidConnectionError((f"connection.{field}", problem))
