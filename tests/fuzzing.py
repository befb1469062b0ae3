"""Coverage-guided fuzzing of everything that reads what others wrote: payloads of every topic, lines of JSON, lines of CSV.

`python -m tests.fuzzing --seconds 300` (needs `pip install --editable '.[fuzz]'`; `make soak` runs it). The first byte of an input
chooses the reader, the rest is read. A refusal is fine; any other error is a crash, which is printed and kept in a file of its own.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from random import Random

import atheris

Reader = Callable[[bytes], None]
MOST_BYTES = 600


def readers() -> list[Reader]:
    """Every reader. What numba compiles is imported before, since it cannot be instrumented, then what is Python."""
    import_module("streams.partition")
    with atheris.instrument_imports(include=["schemas", "agents"]):
        from agents.json_lines import logged_event
        from agents.order_files import read_orders
        from agents.order_lines import Reading
        from schemas.errors import RecordRejected
        from schemas.topics import INPUTS
        from tests.mutations import CODEC, csv_lines

    def payload_of(topic: str) -> Reader:
        def read(noise: bytes) -> None:
            try:
                CODEC.decode(topic, noise)
            except RecordRejected:
                return

        return read

    def line(noise: bytes) -> None:
        try:
            logged_event(noise)
        except RecordRejected:
            return

    header = csv_lines(0, Random(0))
    path = Path(tempfile.mkdtemp(prefix="fuzzing")) / "orders.csv"

    def orders(noise: bytes) -> None:
        path.write_bytes(header + noise)
        read_orders(path, Reading({}), lambda _: None)

    return [*map(payload_of, INPUTS), folding(), columns(), line, orders]


def folding() -> Reader:
    """A payload folded into accounts that stay, as a lane would."""
    from streams.batches import RecordBatch
    from streams.cycle import fold_cycle
    from streams.intake import RawRecord
    from streams.partition import Partition
    from tests.builders import NOON
    from tests.folding import shipped
    from tests.mutations import CODEC

    partition = Partition(0, None, "fuzzing", shipped("sabc-live"))
    topics = [*partition.policy.inputs, "ticks"]

    def read(noise: bytes) -> None:
        topic, key = topics[noise[0] % len(topics)] if noise else topics[0], noise[11:15]
        raw = RawRecord(topic, 0, len(noise), NOON, key, noise[1:])
        folded = fold_cycle(partition, RecordBatch.of([raw]), CODEC, mode="LIVE", decided_at_ms=NOON)
        assert len(folded.dead) + folded.fates.total() == 1

    return read


def columns() -> Reader:
    """A payload of `interactions` as columns: what is fit is what the codec reads."""
    from schemas import catalogue
    from schemas.interaction_columns import InteractionDecoder
    from tests.columns import rows, taken
    from tests.mutations import CODEC

    decoder = InteractionDecoder(catalogue.shipped())

    def read(noise: bytes) -> None:
        (row,) = rows(decoder, [noise])
        assert row is None or row == taken(CODEC, noise)

    return read


def seeds(count: int) -> list[bytes]:
    """Inputs to begin with: sound and mutated ones for each reader."""
    from schemas.topics import INPUTS
    from tests.builders import NOON
    from tests.mutations import CODEC, csv_lines, json_line, sound

    chance, topics = Random(1), tuple(INPUTS)
    found = [bytes([place]) + CODEC.encode(sound(topic, chance, NOON)) for place, topic in enumerate(topics) for _ in range(count)]
    first = CODEC.encode(sound("interactions", chance, NOON))
    found += [bytes([len(topics), 0]) + first, bytes([len(topics) + 1]) + first]
    found += [bytes([len(topics) + 2]) + json_line(topics, chance) for _ in range(count)]
    return found + [bytes([len(topics) + 3]) + csv_lines(1, chance).split(b"\n")[1] for _ in range(count)]


def main() -> None:
    """Until a crash, or so many seconds."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=300)
    asked = options.parse_args()
    every = readers()

    def one(noise: bytes) -> None:
        if noise:
            every[noise[0] % len(every)](noise[1:])

    corpus = Path(tempfile.mkdtemp(prefix="fuzzing-corpus"))
    for number, seed in enumerate(seeds(20)):
        (corpus / str(number)).write_bytes(seed)
    limits = [f"-max_total_time={asked.seconds}", f"-max_len={MOST_BYTES}", "-timeout=20", "-rss_limit_mb=4096"]
    atheris.Setup([sys.argv[0], *limits, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
