"""One projecting process: checks what it needs, then runs until it is told to stop. As a worker, but for what it does.

broker, topics, rights, Redis and the web port are looked at before anything starts: SettingsError, exit 2
SIGTERM or SIGINT: what is being written is finished, the member leaves the group, exit 0 within 10 s
Redis or the broker away while it runs: it waits and repeats
"""

import logging
import os
import threading

from agents import clients, garbage, logs, rights
from agents.clocks import wall_clock
from agents.identities import Identities
from agents.listening import listen
from agents.partition_log import LogError
from agents.projecting.app import create_projection_app
from agents.projecting.projections import Projections
from agents.projecting.source import TOPICS
from agents.projecting.store import Away, Store
from agents.reading import partitions_of
from agents.settings import Settings
from agents.vital_signs import Settles, Turns, no_thread_dies_alone
from agents.watchdog import Watchdog
from agents.worker import WorkerProcess, address, stop_at_once_on_signals, turn
from schemas.errors import SettingsError

_log = logging.getLogger("tierstream.projection")


def run_projection(settings: Settings, *, rebuild: bool) -> int:
    """Project in this process, to its end; returns the exit code. Raises SettingsError before anything has started."""
    logs.log_to_stderr()
    stop_at_once_on_signals()
    store = ready_store(settings, rebuild=rebuild)
    listener = listen(settings.web_host, settings.web_port)
    projections = Projections(settings, store, wall_clock)
    app = create_projection_app(settings, projections, listener)
    garbage.look_seldom()
    _log.info("projection starts pid=%d redis=%s prefix=%s %s", os.getpid(), store.address, store.prefix, address(app, listener))
    threading.excepthook = no_thread_dies_alone
    worker = WorkerProcess(app)
    signs = (Settles(lambda: app.settled, settings.watchdog_s), Turns(worker.loop, settings.watchdog_s))
    Watchdog(projections, settings.watchdog_s, signs=signs).start()
    return turn(worker)


def ready_store(settings: Settings, *, rebuild: bool) -> Store:
    """Redis, once everything that the projection needs is there. Raises SettingsError with all that is not."""
    store = Store(settings)
    clients.require_broker(settings)
    admin = clients.admin_client(settings)
    problems = [rights.sentence(right, settings) for right in rights.missing("project", settings, admin)]
    if problems := [*(problems or _unequal(settings)), *store.problems()]:
        raise SettingsError(problems)
    try:
        store.claim(settings.application_id)
        _know_topics(settings, store, Identities(admin), rebuild=rebuild)
    except (Away, LogError) as gone:
        raise SettingsError(f"Redis at {store.address} or a broker went away while they were looked at ({gone}): start again") from None
    return store


def _unequal(settings: Settings) -> list[str]:
    counts = {topic: partitions_of(settings, topic) for topic in TOPICS}
    return [
        f"topic {settings.topic_name(topic)} has {count} partitions, TIERSTREAM_PARTITIONS is {settings.partitions}: set it to {count}"
        for topic, count in counts.items()
        if count != settings.partitions
    ]


def _know_topics(settings: Settings, store: Store, identities: Identities, *, rebuild: bool) -> None:
    """Offsets mean records of these topics and no others. Of others Redis is emptied, if we are told to."""
    names = {settings.topic_name(topic): topic for topic in TOPICS}
    ids = {names[name]: topic_id for name, topic_id in identities.now(names).items()}
    known = store.topic_ids()
    if known not in ({}, ids):
        if not rebuild:
            raise SettingsError(
                f"Redis at {store.address} holds, under {store.prefix}:*, what other topics of the same names said: "
                "`tierstream project --rebuild` begins anew"
            )
        _log.warning("the topics were made again: every key of %s:* goes", store.prefix)
        store.wipe()
        store.claim(settings.application_id)
    elif rebuild:
        for number in range(settings.partitions):
            store.begin_again(number, TOPICS)
    store.keep_topic_ids(ids)
