"""The common job in stock Faust: an agent and a table in memory with its changelog, at least once."""

import sys

import faust
from job import entered, event_reader, folded, told

work = told()
event_of = event_reader(work["schema"])
app = faust.App(
    work["application"],
    broker=f"kafka://{work['bootstrap']}",
    store="memory://",
    datadir=work["directory"],
    topic_partitions=work["partitions"],
    topic_replication_factor=1,
    consumer_auto_offset_reset="earliest",
    key_serializer="raw",
    value_serializer="raw",
)
source = app.topic(work["input"], key_type=bytes, value_type=bytes, partitions=work["partitions"])
target = app.topic(work["output"], key_type=bytes, value_type=bytes, partitions=work["partitions"])
accounts = app.Table("accounts", default=lambda: None, partitions=work["partitions"], key_type=str, value_type=list)


@app.agent(source)
async def fold(stream):
    async for payload in stream:
        event = event_of(payload)
        who = event["account_id"]
        account = list(accounts[who] or entered())
        changes = folded(account, event)
        accounts[who] = account
        for change in changes:
            await target.send(key=who.encode(), value=change)


if __name__ == "__main__":
    sys.argv = ["faust_job", "worker", "-l", "error", "--without-web"]
    app.main()
