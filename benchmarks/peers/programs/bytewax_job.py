"""The common job in Bytewax: one worker; with `recovery`, its state is kept in snapshots once a second."""

from datetime import timedelta
from pathlib import Path

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSink, KafkaSinkMessage, KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main
from job import entered, event_reader, folded, told

work = told()
event_of = event_reader(work["schema"])


def keyed(message):
    event = event_of(message.value)
    return event["account_id"], event


def step(account, event):
    account = entered() if account is None else account
    key = event["account_id"].encode()
    return account, [KafkaSinkMessage(key, change) for change in folded(account, event)]


flow = Dataflow("tiers")
brokers = [work["bootstrap"]]
options = {"group.id": work["application"], "fetch.queue.backoff.ms": "5"}
stream = op.input("interactions", flow, KafkaSource(brokers, [work["input"]], batch_size=10_000, add_config=options))
stream = op.map("decode", stream, keyed)
stream = op.stateful_flat_map("fold", stream, step)
stream = op.map("changes", stream, lambda pair: pair[1])
op.output("out", stream, KafkaSink(brokers, work["output"], add_config={"linger.ms": "5", "compression.type": "lz4"}))

if work["recovery"]:
    snapshots = Path(work["directory"]) / "snapshots"
    snapshots.mkdir()
    init_db_dir(snapshots, 1)
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=1), recovery_config=RecoveryConfig(str(snapshots)))
else:
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=10))
