"""What we override or rely on inside Faust, mode and aiokafka is still there and still used as we think.

A failure here means that a pinned version moved: read the upstream change, then the override, then this test, in this order.
"""

import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any

import faust
import mode
import pytest
from aiokafka.consumer.consumer import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.agents import Agent, AgentManager
from faust.app.base import App, BootStrategy
from faust.app.router import Router
from faust.assignor.partition_assignor import PartitionAssignor
from faust.cli.agents import agents as agents_command
from faust.cli.base import find_app, prepare_app
from faust.cli.tables import tables as tables_command
from faust.stores.base import SerializedStore, Store
from faust.tables.base import Collection
from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.topics import Topic
from faust.transport.conductor import Conductor
from faust.transport.consumer import Consumer, ThreadDelegateConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import StoreT
from faust.web.drivers.aiohttp import Web
from faust.worker import Worker

from agents.app import TierApp
from agents.lane_agent import Inputs, LaneAgent
from agents.lane_table import LaneStore, LaneTable
from agents.transport import MemberConsumer, MemberThread, MemberTransport
from agents.web import AccountRouter, ListeningWeb
from agents.worker import WorkerProcess


@pytest.mark.parametrize(("package", "version"), [("faust-streaming", "0.15.3"), ("mode-streaming", "0.7.1"), ("aiokafka", "0.14.0")])
def test_the_three_are_pinned_together(package: str, version: str) -> None:
    assert importlib.metadata.version(package) == version


def parameters(function: Callable[..., Any]) -> list[str]:
    return [name for name in inspect.signature(function).parameters if name != "self"]


OVERRIDDEN = [
    (MemberThread, driver.AIOKafkaConsumerThread, "on_partitions_assigned", ["assigned", "generation_id"]),
    (MemberConsumer, driver.Consumer, "_new_consumer_thread", []),
    (MemberConsumer, driver.Consumer, "perform_seek", []),
    (MemberConsumer, driver.Consumer, "commit", ["topics", "start_new_transaction"]),
    (MemberConsumer, driver.Consumer, "verify_event_path", ["now", "tp"]),
    (Inputs, Topic, "get_topic_name", []),
    (Inputs, Topic, "send", None),
    (Inputs, Topic, "send_soon", None),
    (LaneAgent, Agent, "info", []),
    (LaneAgent, Agent, "on_start", []),
    (LaneAgent, Agent, "on_stop", []),
    (LaneAgent, Agent, "on_partitions_revoked", ["revoked"]),
    (LaneAgent, Agent, "on_partitions_assigned", ["assigned"]),
    (LaneAgent, Agent, "actor_tracebacks", []),
    (LaneTable, Collection, "info", []),
    (LaneTable, Collection, "_changelog_topic_name", []),
    (LaneTable, Collection, "send_changelog", None),
    (LaneTable, faust.Table, "on_key_set", None),
    (LaneTable, faust.Table, "on_key_del", None),
    (LaneTable, faust.Table, "on_clear", None),
    (LaneStore, Store, "persisted_offset", ["tp"]),
    (LaneStore, Store, "on_recovery_completed", ["active_tps", "standby_tps"]),
    (LaneStore, Store, "_decode_value", ["value"]),
    (LaneStore, SerializedStore, "_get", ["key"]),
    (LaneStore, SerializedStore, "_contains", ["key"]),
    (LaneStore, SerializedStore, "_iteritems", None),
    (LaneStore, SerializedStore, "_size", []),
    (LaneStore, SerializedStore, "_set", None),
    (LaneStore, SerializedStore, "_del", None),
    (LaneStore, SerializedStore, "_clear", None),
    (LaneStore, SerializedStore, "apply_changelog_batch", None),
    (LaneStore, SerializedStore, "_iterkeys", None),
    (LaneStore, SerializedStore, "_itervalues", None),
    (LaneStore, StoreT, "reset_state", []),
    (LaneStore, StoreT, "backup_partition", None),
    (LaneStore, StoreT, "restore_backup", None),
    (TierApp, App, "_new_transport", []),
    (TierApp, App, "_new_web", []),
    (TierApp, App, "_create_directories", []),
    (TierApp, mode.Service, "_crash", ["reason"]),
    (TierApp, App, "on_stop", []),
    (AccountRouter, Router, "key_store", ["table_name", "key"]),
    (AccountRouter, Router, "route_req", ["table_name", "key", "web", "request"]),
    (AccountRouter, Router, "_route_req", ["dest_url", "web", "request"]),
    (ListeningWeb, Web, "_new_transport_tcp", []),
    (WorkerProcess, mode.Worker, "_schedule_shutdown", None),
    (WorkerProcess, Worker, "_setproctitle", None),
]


@pytest.mark.parametrize(("ours", "theirs", "name", "signature"), OVERRIDDEN, ids=lambda part: getattr(part, "__name__", None) or str(part))
def test_what_we_override_exists_with_our_signature(ours: type, theirs: type, name: str, signature: list[str] | None) -> None:
    upstream, override = getattr(theirs, name), getattr(ours, name)
    assert issubclass(ours, theirs)
    assert override is not upstream
    assert inspect.iscoroutinefunction(override) == inspect.iscoroutinefunction(upstream)
    if signature is not None:
        assert parameters(upstream) == signature
        assert parameters(override) == signature


@pytest.mark.parametrize(
    "ours", [MemberThread, MemberConsumer, Inputs, LaneAgent, LaneTable, LaneStore, TierApp, AccountRouter, ListeningWeb, WorkerProcess]
)
def test_every_override_is_in_the_list_above(ours: type) -> None:
    listed = {name for a, _, name, _ in OVERRIDDEN if a is ours}
    upstream = {name for base in ours.__mro__[1:] if base.__module__.startswith(("faust.", "mode.")) for name in vars(base)}
    written = {name for name, member in vars(ours).items() if inspect.isfunction(member) and member.__module__ == ours.__module__}
    assert {name for name in written & upstream if not name.startswith("__")} == listed


RELIED_UPON = [
    # transport: who calls the overrides
    (driver.Transport, "Consumer: ClassVar", "the transport builds its Consumer class"),
    (ThreadDelegateConsumer.__init__, "self._thread = self._new_consumer_thread()", "the consumer builds its thread with the hook"),
    (driver.ConsumerRebalanceListener.on_partitions_assigned, "self._thread.on_partitions_assigned(", "aiokafka tells the thread first"),
    (driver.ConsumerRebalanceListener.on_partitions_assigned, "app.consumer_generation_id = generation", "the generation first"),
    (driver.AIOKafkaConsumerThread._create_worker_consumer, "group_instance_id=conf.consumer_group_instance_id", "static membership"),
    (driver.AIOKafkaConsumerThread._create_worker_consumer, "self.app.assignor", "Faust's assignor is used where there are changelogs"),
    (driver.AIOKafkaConsumerThread._create_worker_consumer, "enable_auto_commit=False", "aiokafka commits nothing by itself"),
    (driver.AIOKafkaConsumerThread.topic_partitions, "_metadata_snapshot.get(topic)", "None means: not told yet"),
    (driver.AIOKafkaConsumerThread._fetch_records, "fetch_context()", "an empty poll counts as activity for max_poll_interval"),
    (Recovery.on_recovery_completed, "consumer.perform_seek()", "Faust would seek to the group's offsets"),
    (Consumer.getmany, "self.perform_seek()", "here too"),
    (Agent.on_stop, "self._stop_supervisor()", "what our on_stop replaces is actor tasks"),
    # aiokafka: the order of a rebalance
    (GroupCoordinator.ensure_active_group, "await self._on_join_prepare(prev_assignment)", "lanes pause before the member rejoins"),
    (GroupCoordinator._on_join_prepare, "listener.on_partitions_revoked(revoked)", "... by this call"),
    (GroupCoordinator._on_join_complete, "assign_from_subscribed(", "assigned before the listener is told: there is something to pause"),
    (GroupCoordinator._heartbeat_routine, "self._max_poll_interval", "an idle member leaves the group: the interval is set to a day"),
    # app: the order in which a rebalance reaches agent, table and signals
    (App._on_partitions_revoked, "self.on_partitions_revoked.send", "the signal on which lanes pause"),
    (App._on_partitions_assigned, "self.agents.on_rebalance", "lost and new lanes"),
    (App._on_partitions_assigned, "self.on_partitions_assigned.send", "the signal on which kept lanes go on"),
    (App._on_partitions_assigned, "await self.crash(exc)", "an error in our callbacks ends the process"),
    (App._on_partitions_revoked, "await self.crash(exc)", "here too"),
    (App._update_assignment, "revoked = self._assignment - assigned", "the manager is passed differences"),
    (AgentManager.on_rebalance, "agent.on_partitions_revoked", "lost before new"),
    (AgentManager._collect_agents_for_update, "self._by_topic[topic]", "agents are found by their topics"),
    (Agent.get_topic_names, "channel.topics", "... all topics of the channel"),
    (App.agent, "self.conf.Agent(", "the decorator builds our agent"),
    (App.agent, "help=fun.__doc__", "`faust agents` shows the fold's own words"),
    (App.Table, "self.conf.Table(", "the table is ours"),
    (App.consumer.fget, "_new_consumer()", "the consumer comes from the transport"),
    (App.transport.fget, "self._new_transport()", "the transport is built by the hook"),
    (App._stop_consumer, "consumer.assignment()", "on_stop's part that must come after the lanes"),
    (BootStrategy.server, "self.agents()", "agents start before the conductor subscribes"),
    (App.on_first_start, "self._create_directories()", "nothing else touches the disk"),
    # table and recovery
    (Collection._new_changelog_topic, "self._changelog_topic_name()", "the changelog's name comes from the hook"),
    (Recovery._add, "table.persisted_offset(tp)", "recovery asks the store how far it is"),
    (Recovery.need_recovery, "remaining", "... and reads nothing when nothing remains"),
    (Recovery._restart_recovery.fun, "conf.recovery_consistency_check", "an offset past the end is an error unless switched off"),
    (Recovery.on_recovery_completed, "table.on_recovery_completed(", "Faust is ready when the store says so"),
    (TableManager.add, "self._changelogs[table.changelog_topic.get_topic_name()]", "changelogs are known by name"),
    (Topic.declare, "topic_allow_declare", "Faust makes no topic"),
    (driver.Consumer.create_topic, "topic_allow_declare", "here neither"),
    (Conductor._update_indices, "channel.topics", "several topics of one channel are all subscribed"),
    # routing and web
    (PartitionAssignor.table_metadata, "changelog_distribution", "who has which changelog partition"),
    (App.table_route, "self.router.route_req(", "the route goes through our router"),
    (App.table_route, "except SameNode", "... which says when the owner is here"),
    (App._new_web, "web_drivers", "what our _new_web replaces"),
    (Web._create_site, "self._new_transport(", "the site is built by the hook"),
    # worker
    (mode.Worker._on_sigterm, "self._schedule_shutdown(signal.SIGTERM)", "SIGTERM and SIGINT pass the deadline"),
    (mode.Worker._on_sigint, "self._schedule_shutdown(signal.SIGINT)", "SIGINT too"),
    (mode.Worker.default_on_first_start, "if self.override_logging", "logging stays ours"),
    (mode.Worker.execute_from_commandline, "exiting(", "it always ends in SystemExit"),
    (mode.Service.crash, "_crash(reason)", "a crash anywhere reaches the app's _crash"),
    # the command line
    (agents_command._maybe_topic, "agent.channel.get_topic_name()", "`faust agents` shows the inputs"),
    (tables_command.run, "table.help", "`faust tables` shows the help"),
    (find_app, 'attr_name: str = "app"', "`-A agents.faust_main` asks for `app`"),
    (prepare_app, "app.finalize()", "the application is finalized for us"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "words", "why"), RELIED_UPON, ids=[why for _, _, why in RELIED_UPON])
def test_what_we_rely_on_is_still_done_there(place: Callable[..., Any], words: str, why: str) -> None:
    assert words in inspect.getsource(place), why


def test_lost_partitions_are_ended_before_new_ones_start_and_kept_ones_go_on_last() -> None:
    source = inspect.getsource(App._on_partitions_assigned)
    agents, tables, signal = (
        source.index(words) for words in ("agents.on_rebalance", "tables.on_rebalance", "on_partitions_assigned.send")
    )
    assert agents < tables < signal
    source = inspect.getsource(AgentManager.on_rebalance)
    assert source.index("agent.on_partitions_revoked") < source.index("agent.on_partitions_assigned")


def test_heartbeats_go_on_while_lanes_finish_their_transactions() -> None:
    source = inspect.getsource(GroupCoordinator.ensure_active_group)
    assert source.index("_on_join_prepare(prev_assignment)") < source.index("_stop_heartbeat_task()")


def test_the_member_can_pause_and_commit() -> None:
    assert parameters(AIOKafkaConsumer.pause) == ["partitions"]
    assert parameters(AIOKafkaConsumer.commit) == ["offsets"]
    assert parameters(driver.AIOKafkaConsumerThread.call_thread)[0] == "fun"
    assert MemberTransport.Consumer is MemberConsumer


SETTINGS = """
    broker_credentials broker_max_poll_interval broker_rebalance_timeout consumer_group_instance_id topic_allow_declare topic_disable_leader
    recovery_consistency_check stream_recovery_delay stream_wait_empty web_bind Router Agent Table
"""


@pytest.mark.parametrize("setting", SETTINGS.split())
def test_the_settings_that_we_set_exist(setting: str) -> None:
    assert hasattr(faust.Settings, setting)
