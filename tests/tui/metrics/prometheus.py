"""The Prometheus that the set-up for the tests unpacks, or one that is installed."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.tools import tool

ROOT = Path(__file__).parents[3]
FILES = ROOT / "tui/metrics"
_PLACES = f"{ROOT}/.venv/prometheus/usr/bin:/usr/bin:/usr/local/bin"


def prometheus(name: str = "prometheus") -> str:
    """Where the program prometheus or promtool is."""
    return tool(name, _PLACES)


def promtool(*words: str | Path, text: str = "") -> str:
    """What promtool says; it must find nothing wrong."""
    done = subprocess.run([prometheus("promtool"), *map(str, words)], input=text, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def expressions() -> Iterator[str]:
    """All that the dashboard and the alert rules ask, with Grafana's variables filled in."""
    dashboard: dict[str, Any] = json.loads((FILES / "ringtop.json").read_text())
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
    yield from re.findall(r"^ +expr: (.*)$", (FILES / "alerts.yml").read_text(), re.MULTILINE)


def metrics_of(expression: str) -> set[str]:
    """The metrics that an expression names."""
    return set(re.findall(r"\bringtop_\w+", expression))
