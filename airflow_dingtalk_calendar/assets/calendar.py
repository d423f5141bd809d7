"""A calendar as an Airflow asset: its URI, and what the events of such assets say.

``dingtalk://<host>/<unionId>/<calendar>``: the host is the API's of the region (``api.dingtalk.com``), or that of the
emulator; the unionId keeps its case, because two that differ in case only are two people.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, quote, unquote_to_bytes, urlsplit, urlunsplit

from airflow_dingtalk_calendar.connection.hosts import region_host

SCHEME = "dingtalk"
DEFAULT_PORTS = (None, 443)


def calendar_uri(union_id: str, calendar_id: str = "primary", host: str = "api.dingtalk.com") -> str:
    """Write the URI of a person's calendar.

    :param union_id: unionId of the person whose calendar it is.
    :param calendar_id: DingTalk documents only ``primary``.
    :param host: the host of the connection, or its base URL.
    """
    ids = "/".join(quote(name, safe="", errors="replace") for name in (union_id, calendar_id))
    return normalize_text(f"{SCHEME}://{host.rpartition('//')[2]}/{ids}")


def normalize_uri(parts: SplitResult) -> SplitResult:
    """Bring the URI of a calendar into the one form that it has; what is no calendar's stays as it is.

    One host for all hosts of a region, without user and default port; ``primary`` where no calendar is named; the same
    characters percent-encoded. Airflow calls this while it parses DAG files, so it never raises.
    """
    names = parts.path.strip("/").split("/")
    if not all(names) or len(names) > 2:
        return parts
    try:
        ids = [quote(unquote_to_bytes(name), safe="") for name in (*names, "primary")[:2]]
        return parts._replace(netloc=_normal_host(parts), path=f"/{'/'.join(ids)}")
    except ValueError:  # a port that is no number, text that is no Unicode
        return parts


def normalize_text(uri: str) -> str:
    """Bring the text of a URI into its one form."""
    try:
        return urlunsplit(normalize_uri(urlsplit(uri)))
    except ValueError:
        return uri


def changes_in(extra: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the changes that an asset event reports, whether it comes from a task or a watcher.

    :param extra: of the asset event.
    """
    stored = extra or {}
    reported = stored.get("payload", stored)  # Airflow wraps what a watcher reports
    return list(reported.get("changes", ())) if isinstance(reported, Mapping) else []


def _normal_host(parts: SplitResult) -> str:
    host, port = region_host(parts.hostname or ""), parts.port
    name = f"[{host}]" if ":" in host else host
    return name if port in DEFAULT_PORTS else f"{name}:{port}"
