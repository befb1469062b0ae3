"""The views that every process of ours has on its web server: whether it lives, whether it is ready, and what it has counted.

/metrics      Prometheus text
/livez        200 while the process turns
/readyz       200 when every partition that is its own is worked on; the body says which is not
"""

import asyncio
from collections.abc import Callable
from typing import Any

from agents import readiness

_PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"


def register_views(app: Any, exposition: Callable[[], bytes]) -> None:
    """`exposition`: what has been counted, as it is now; asked in a thread of its own."""

    @app.page("/metrics")
    async def prometheus(view: Any, _request: Any) -> Any:
        """What has been counted, as it is now."""
        return view.bytes(await asyncio.to_thread(exposition), headers={"Content-Type": _PROMETHEUS_TEXT})

    @app.page("/livez")
    async def livez(view: Any, _request: Any) -> Any:
        """The event loop turns; the watchdog looks after the threads."""
        return view.json({"alive": True})

    @app.page("/readyz")
    async def readyz(view: Any, _request: Any) -> Any:
        """Whether this process does all the work that is its own. Brokers or a Redis that are away are in the metrics."""
        report = readiness.report(app)
        return view.json(report, status=200 if report["ready"] else 503)
