"""The projection as a Faust application of its own, with a group of its own: a fault of Redis never touches scoring.

Faust says which partitions are ours; what is read and written goes past it, as in scoring (`agents/app.py`).
"""

from socket import socket
from typing import Any

from agents.app import TierApp, faust_settings
from agents.lane_agent import Inputs
from agents.projecting import metrics
from agents.projecting.projections import Projections
from agents.projecting.source import TOPICS
from agents.settings import Settings
from agents.views import register_views

AGENT = "projecting"


def create_projection_app(settings: Settings, projections: Projections, listener: socket | None) -> TierApp:
    """The application of one projecting process. `listener`: the bound socket of its views."""
    app = TierApp(settings.projection_group, **faust_settings(settings, listener))
    app.lanes, app.listener = projections, listener
    read = Inputs(app, topics=[settings.topic_name(topic) for topic in TOPICS], key_type=bytes, value_type=bytes)
    app.agent(read, name=AGENT, lanes=projections, settings=settings)(projecting)
    register_views(app, lambda: metrics.exposition(projections.projected))
    return app


async def projecting(_published: Any) -> None:
    """What the engine publishes becomes keys of Redis; done by the projections, not by Faust's event path."""
