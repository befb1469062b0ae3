"""Prometheus' rule files, written from the table of alerts, at a scale of time: at 60, what takes an hour takes a minute.

Rules: only spans of time are scaled, never shares or counts, so that a rule that was tried in minutes is the rule that runs.
"""

import re
from typing import Any

from ops.alerts.table import ALERTS, RECORDED, Alert

RUNBOOKS = "https://tierstream.example/docs/operations.md"
"""Where the runbooks are read: a section for each alert, under its name. An example; `--runbooks` says where yours are."""

_SPAN = re.compile(r"@(=?)(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_GROUPS = "tierstream-recorded", "tierstream-alerts"


def at_scale(text: str, scale: float) -> str:
    """The text with its spans of time as Prometheus reads them: `@5m` a duration, `@=60s` a number of seconds."""

    def shown(span: re.Match[str]) -> str:
        seconds = int(span[2]) * _SECONDS[span[3]] / scale
        return f"{seconds:g}" if span[1] else f"{span[2]}{span[3]}" if scale == 1 else f"{round(1000 * seconds)}ms"

    return _SPAN.sub(shown, text)


def recording_rules(scale: float = 1) -> dict[str, Any]:
    """The file of recorded series."""
    rules = [{"record": each.name, "expr": at_scale(each.expression, scale)} for each in RECORDED]
    return {"groups": [{"name": _GROUPS[0], "interval": at_scale("@15s", scale), "rules": rules}]}


def alerting_rules(scale: float = 1, runbooks: str = RUNBOOKS) -> dict[str, Any]:
    """The file of alerts."""
    rules = [_alert(each, scale, runbooks) for each in ALERTS]
    return {"groups": [{"name": _GROUPS[1], "interval": at_scale("@15s", scale), "rules": rules}]}


def _alert(alert: Alert, scale: float, runbooks: str) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": at_scale(alert.expression, scale),
        "for": at_scale(alert.lasting, scale),
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.detail, "runbook_url": f"{runbooks}#{alert.name.lower()}"},
    }
