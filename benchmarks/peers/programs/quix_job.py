"""The common job in Quix Streams, exactly once: state in RocksDB with a changelog, a transaction for each checkpoint."""

from job import entered, event_reader, folded, told
from quixstreams import Application

work = told()
event_of = event_reader(work["schema"])
app = Application(
    broker_address=work["bootstrap"],
    consumer_group=work["application"],
    auto_offset_reset="earliest",
    processing_guarantee="exactly-once",
    state_dir=work["directory"],
    commit_interval=work["commit_s"],
    loglevel="WARNING",
    consumer_extra_config={"fetch.queue.backoff.ms": 5},
    producer_extra_config={"compression.type": "lz4"},
)


def step(payload, state):
    account = state.get("account") or entered()
    changes = folded(account, event_of(payload))
    state.set("account", account)
    return changes


source = app.topic(work["input"], value_deserializer="bytes", key_deserializer="str")
target = app.topic(work["output"], value_serializer="bytes", key_serializer="str")
app.dataframe(source).apply(step, stateful=True, expand=True).to_topic(target)
app.run()
