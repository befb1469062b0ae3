"""The one place that wires: settings, a policy and a clock become a Faust application.

Nothing happens at import and nothing is connected here; the worker starts what this builds. The form: scoring is a Faust agent
whose actors are lanes, accounts are a Faust table that those lanes write, and `faust agents` and `faust tables` say so.
"""

import asyncio
import logging
import threading
from socket import socket
from typing import Any

import faust

from agents import web
from agents.clocks import Clock
from agents.credentials import credentials
from agents.dying import ExitCode, leave
from agents.lagging import Lagging, asked_of
from agents.lane_agent import REBALANCE_TIMEOUT_S, Inputs, LaneAgent
from agents.lane_table import LaneTable
from agents.lanes import Lanes
from agents.settings import Settings
from agents.transport import MemberTransport
from schemas.errors import OperatorError
from streams.cycle import fold_cycle
from streams.policy import CompiledPolicy

_log = logging.getLogger("tierstream.worker")
_CRASH_GRACE_S = 10.0
_DAY_S = 86_400.0
_ANY_PORT = 6066  # Faust takes no 0; nothing listens where there is no listener
_ACCOUNTS_HELP = "One row per account: its measures, tiers and sequences. Read only; written by the lanes of agent scoring."


class TierApp(faust.App):
    """A Faust application whose transport is a member only and which never lingers after a crash."""

    lanes: Lanes
    lagging: Lagging
    settings: Settings
    listener: socket | None = None

    @property
    def settled(self) -> bool:
        """Whether the group has said which partitions are ours and is not changing it."""
        return all(agent.settled for agent in self.agents.values())

    def _new_transport(self) -> MemberTransport:
        """Replaces `App._new_transport`: the transport of a group member."""
        return MemberTransport(self.conf.broker_consumer, self)

    def _new_web(self) -> web.ListeningWeb:
        """Replaces `App._new_web`: the web server on the socket that the worker has bound."""
        return web.ListeningWeb(self)

    def _create_directories(self) -> None:
        """Replaces `App._create_directories`: nothing is kept on disk."""

    def _crash(self, reason: BaseException) -> None:
        """Extends `App._crash`, after which Faust may linger for ever: the process leaves in any case, and not with 0."""
        if isinstance(reason, OperatorError):
            leave(ExitCode.WRONG_USE, str(reason))
        line = f"worker: {type(reason).__name__}: {reason}"
        timer = threading.Timer(_CRASH_GRACE_S, leave, (ExitCode.ENDED_ITSELF, line))
        timer.daemon = True
        timer.start()
        super()._crash(reason)

    async def on_stop(self) -> None:
        """Extends `App.on_stop`: the lanes end before the member leaves the group, so that nobody is fenced at work."""
        await asyncio.to_thread(self.lanes.stop)
        await super().on_stop()


def create_app(
    settings: Settings,
    policy: CompiledPolicy,
    clock: Clock,
    *,
    quarantined: frozenset[tuple[str, int, int]] = frozenset(),
    listener: socket | None = None,
) -> TierApp:
    """The application of one worker. `listener`: the bound socket of the web views; None where nothing is served."""
    lanes = Lanes(settings, policy, clock, quarantined)
    app = TierApp(f"{settings.topic_prefix}{settings.application_id}", **faust_settings(settings, listener))
    app.lanes, app.listener, app.settings = lanes, listener, settings
    app.lagging = Lagging(lanes, clock, asked_of(settings))
    inputs = Inputs(app, topics=[settings.topic_name(topic) for topic in policy.folded], key_type=bytes, value_type=bytes)
    app.agent(inputs, name="scoring", lanes=lanes, settings=settings)(fold_cycle)
    accounts = app.Table(
        "accounts",
        changelog=settings.topic_name("accounts-changelog"),
        store="lanes://scoring",
        key_type=bytes,
        value_type=bytes,
        partitions=settings.partitions,
        help=_ACCOUNTS_HELP,
    )
    web.register(app, accounts)
    return app


def faust_settings(settings: Settings, listener: socket | None) -> dict[str, Any]:
    """What Faust is told, for whatever kind of application. `listener`: as in `create_app`."""
    port = listener.getsockname()[1] if listener else settings.web_port or _ANY_PORT
    return {
        "broker": [f"kafka://{server.strip()}" for server in settings.bootstrap_servers.split(",")],
        "broker_credentials": credentials(settings.kafka),
        "broker_session_timeout": settings.session_timeout_s,
        "broker_heartbeat_interval": settings.heartbeat_interval_s,
        "broker_rebalance_timeout": REBALANCE_TIMEOUT_S,
        # Above the longest answer, that to a join; no more, for nothing is folded while a member waits for an answer that never comes.
        "broker_request_timeout": max(REBALANCE_TIMEOUT_S + 10.0, settings.session_timeout_s),
        "broker_max_poll_interval": _DAY_S,  # a member polls nothing while it restores: the watchdog sees a stuck worker, not the group
        "consumer_auto_offset_reset": "earliest",  # aiokafka wants a position for what it never fetches
        "consumer_group_instance_id": settings.group_instance_id,
        "topic_partitions": settings.partitions,
        "topic_replication_factor": settings.replication_factor,
        "topic_allow_declare": False,  # topics are made by `tierstream topics create` alone
        "topic_disable_leader": True,
        "recovery_consistency_check": False,  # the store says "I have it all" with an offset past every end
        "stream_recovery_delay": 0.0,
        "stream_wait_empty": False,  # there are no streams
        "table_standby_replicas": 0,
        "store": "memory://",
        "autodiscover": False,
        "Agent": LaneAgent,
        "Table": LaneTable,
        "Router": web.AccountRouter,
        "web_host": settings.web_advertised_host or settings.web_host,
        "web_bind": settings.web_host,
        "web_port": port,
        "worker_redirect_stdouts": False,
    }
