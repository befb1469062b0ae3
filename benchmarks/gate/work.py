"""Makes the records that both trees fold, with the schemas of the tree on PYTHONPATH: `work.py FILE ACCOUNTS RECORDS`.

Knows of that tree only its `benchmarks.workload`. The file holds two lists of (topic, key, payload): those before, which every account is
known after and all compiled code is loaded, and those that count.
"""

import sys
from itertools import chain, islice
from pathlib import Path

import msgspec

from benchmarks.workload import SPANS_MS, interactions, one_each, profiles

START_AT_MS = 1_760_000_000_000
FIRST_EVENTS = 2_000
LOADING = 5_000


def main(file: Path, accounts: int, records: int) -> None:
    """Write the file."""
    loading = min(LOADING, records)
    events = interactions(accounts, loading + records, START_AT_MS, SPANS_MS["sabc-live"])
    known = chain(one_each(min(accounts, FIRST_EVENTS), START_AT_MS), profiles(accounts, START_AT_MS))
    before = [each[:3] for each in chain(known, islice(events, loading))]
    file.write_bytes(msgspec.msgpack.encode((before, [each[:3] for each in events])))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
