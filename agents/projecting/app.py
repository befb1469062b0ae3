"""The projection as a Faust application of its own, with a group of its own: a fault of Redis never touches scoring.

Faust says which partitions are ours; what is read and written goes past it, as in scoring (`agents/app.py`).
"""

import asyncio
from socket import socket
from typing import Any

from agents import readiness
from agents.app import TierApp, faust_settings
from agents.lane_agent import Inputs
from agents.projecting import metrics
from agents.projecting.projections import Projections
from agents.projecting.source import TOPICS
from agents.settings import Settings

AGENT = "projecting"


def create_projection_app(settings: Settings, projections: Projections, listener: socket | None) -> TierApp:
    """The application of one projecting process. `listener`: the bound socket of its views."""
    app = TierApp(settings.projection_group, **faust_settings(settings, listener))
    app.lanes, app.listener = projections, listener
    read = Inputs(app, topics=[settings.topic_name(topic) for topic in TOPICS], key_type=bytes, value_type=bytes)
    app.agent(read, name=AGENT, lanes=projections, settings=settings)(projecting)
    _register(app, projections)
    return app


async def projecting(_published: Any) -> None:
    """What the engine publishes becomes keys of Redis; done by the projections, not by Faust's event path."""


def _register(app: TierApp, projections: Projections) -> None:
    @app.page("/metrics")
    async def prometheus(view: Any, _request: Any) -> Any:
        """What the projections have counted, as it is now."""
        body = await asyncio.to_thread(metrics.exposition, projections.projected)
        return view.bytes(body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    @app.page("/livez")
    async def livez(view: Any, _request: Any) -> Any:
        """The event loop turns; the watchdog looks after the projections."""
        return view.json({"alive": True})

    @app.page("/readyz")
    async def readyz(view: Any, _request: Any) -> Any:
        """Whether every partition that is ours is projected. A Redis that is away is in the metrics: a restart would not help."""
        report = readiness.report(app)
        return view.json(report, status=200 if report["ready"] else 503)
