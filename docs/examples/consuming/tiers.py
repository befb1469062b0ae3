"""aiokafka and fastavro: every account's current tiers as a table in memory, rebuilt at each start from the compacted `account-tiers`.

The last record of a key counts; a tombstone (no value) is an erased account. Prints the table when it has read what was there, and ends.

    python tiers.py
"""

import asyncio
import json
from typing import Any

import records
from aiokafka import AIOKafkaConsumer


async def current() -> dict[str, Any]:
    """Account -> scheme -> tier, as of now."""
    consumer = AIOKafkaConsumer(
        records.topic("account-tiers"),
        bootstrap_servers=records.KAFKA,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    tiers: dict[str, Any] = {}
    async with consumer:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                for message in batch:
                    account = message.key.decode()
                    if message.value is None:
                        tiers.pop(account, None)
                    else:
                        standings = records.record(message.value)["standings"]
                        tiers[account] = {standing["scheme"]: standing["tier"] for standing in standings}
    return tiers


if __name__ == "__main__":
    print(json.dumps(asyncio.run(current()), ensure_ascii=False, sort_keys=True))
