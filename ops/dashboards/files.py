"""The dashboards as the files that Grafana reads: one page of JSON each, the same for the same code."""

import json
from collections.abc import Callable
from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder

from ops.dashboards.business import business, business_rows
from ops.dashboards.panels import Panel
from ops.dashboards.sre import sre, sre_rows

FOLDER = Path(__file__).parents[1] / "grafana" / "dashboards"
_BOARDS: dict[str, tuple[Callable[[], dashboard.Dashboard], Callable[[], dict[str, list[Panel]]]]] = {
    "sre.json": (sre, sre_rows),
    "business.json": (business, business_rows),
}


def pages() -> dict[Path, str]:
    """What stands in which file."""
    return {FOLDER / name: _page(_filled(made(), rows())) for name, (made, rows) in _BOARDS.items()}


def write() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, page in pages().items():
        path.write_text(page, encoding="utf-8")


def _filled(made: dashboard.Dashboard, rows: dict[str, list[Panel]]) -> dashboard.Dashboard:
    """The dashboard with its panels, numbered in the order in which they are read."""
    number = 0
    for title, panels in rows.items():
        number += 1
        made.with_row(dashboard.Row(title).id(number))
        for panel in panels:
            number += 1
            made.with_panel(panel.id(number))
    return made


def _page(made: dashboard.Dashboard) -> str:
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
