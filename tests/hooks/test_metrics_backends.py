"""What reaches the backends of Airflow's metrics has the names and tags that the queries in docs/costs.md use."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from airflow_dingtalk_calendar.client.call_counter import CountedRequest
from airflow_dingtalk_calendar.hooks import metrics
from tests.markdown import ROOT

COSTS = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
TAGS = {"dag_id": "d", "task_id": "t", "action": "PatchEvent"}
REQUEST = CountedRequest("PatchEvent", 0.25, metered=True, repeated=False, throttled=False, unknown=False)
# Airflow sets its metrics up when a task begins; a process that is none gets them so (since 3.2).
SEND = f"""
from contextlib import suppress
with suppress(ImportError):
    import airflow.sdk.serde
from airflow_dingtalk_calendar.client.call_counter import CountedRequest
from airflow_dingtalk_calendar.hooks.metrics import make_counter
make_counter().report({REQUEST!r})
"""


def test_dogstatsd_gets_what_the_query_asks_for(tmp_path: Path) -> None:
    """The counter and the timer reach the agent, with their names and tags, as the page sets Airflow up."""
    pytest.importorskip("datadog", reason="needs the package datadog")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as agent:
        agent.bind(("127.0.0.1", 0))
        agent.settimeout(5)
        settings = {"STATSD_ON": "True", "STATSD_DATADOG_ENABLED": "True", "STATSD_HOST": "127.0.0.1"}
        settings |= {"STATSD_PORT": str(agent.getsockname()[1]), "TIMER_UNIT_CONSISTENCY": "True"}
        environment = {**os.environ, **{f"AIRFLOW__METRICS__{name}": value for name, value in settings.items()}}
        environment |= {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW_CTX_DAG_ID": "d", "AIRFLOW_CTX_TASK_ID": "t"}
        subprocess.run([sys.executable, "-c", SEND], env=environment, check=True, capture_output=True)
        received = ""
        while "dingtalk.duration" not in received:
            received += agent.recv(65536).decode()
    lines = dict(line.split("|#") for line in received.splitlines() if "dingtalk" in line)
    assert list(lines) == ["airflow.dingtalk.calls:1|c", "airflow.dingtalk.duration:250.0|ms"]
    assert [dict(tag.split(":") for tag in tags.split(",")) for tags in lines.values()] == [TAGS, TAGS]
    name, tag = re.findall(r"sum:([\w.]+)\{\*\} by \{(\w+)\}", COSTS)[0]
    assert f"{name}:1|c" in lines
    assert tag in TAGS


def test_opentelemetry_gets_what_the_query_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The counter only goes up, which Prometheus calls a total, and has the tags as attributes; the timer has, too."""
    logger = pytest.importorskip("airflow.sdk._shared.observability.metrics.otel_logger", reason="needs Airflow 3.2")
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    monkeypatch.setattr(metrics, "Stats", logger.SafeOtelLogger(MeterProvider([reader])))
    for name in ("dag_id", "task_id"):
        monkeypatch.setenv(f"AIRFLOW_CTX_{name.upper()}", TAGS[name])
    metrics.emit_metrics(metrics.task_tags(), REQUEST)
    data: Any = reader.get_metrics_data()
    found = {one.name: one for of in data.resource_metrics for scope in of.scope_metrics for one in scope.metrics}
    calls, duration = found["airflow.dingtalk.calls"], found["airflow.dingtalk.duration"]
    assert calls.data.is_monotonic
    assert [(point.value, dict(point.attributes)) for point in calls.data.data_points] == [(1, TAGS)]
    # A gauge on Airflow 3.2, a histogram after it.
    times = [(getattr(point, "sum", getattr(point, "value", None)), point) for point in duration.data.data_points]
    assert [(milliseconds, dict(point.attributes)) for milliseconds, point in times] == [(250.0, TAGS)]
    tag, name = re.findall(r"sum by \((\w+)\) \(increase\((\w+)\[", COSTS)[0]
    assert name == f"{calls.name.replace('.', '_')}_total"
    assert tag in TAGS
