"""How many accounts stand in each tier: counted over the packed rows in compiled code, so that nothing has to keep a count right."""

from collections import Counter

import numpy as np

from schemas.compiling import compiled
from streams.account_index import NO_KEY, Begins
from streams.accounts import Accounts
from streams.hashing import Bytes
from streams.masked_rows import Words
from streams.packed_rows import Packed, load_row
from streams.policy.compiled import CompiledPolicy


def population(accounts: Accounts, policy: CompiledPolicy) -> Counter[tuple[str, str]]:
    """Accounts by (scheme, published tier); every tier of the policy is there."""
    found: Counter[tuple[str, str]] = Counter()
    memory, row = accounts.memory(), np.zeros(len(policy.layout.start), np.int64)
    for scheme in policy.schemes:
        name, tiers = scheme.column("published"), scheme.ladder.tiers
        counts = np.zeros(len(tiers), np.int64)
        bits = 8 * policy.layout.dtype[name].itemsize
        _count(memory.rows, memory.key_begin, memory.keys, accounts.numbers, row, policy.layout.offset(name), bits, counts)
        found.update({(scheme.name, tier): number for tier, number in zip(tiers, counts.tolist(), strict=True)})
    return found


@compiled
def _count(rows: Packed, key_begin: Begins, keys: Bytes, numbers: int, row: Words, offset: int, bits: int, counts: Words) -> None:
    """Count the accounts by a small number of `bits` bits at byte `offset` of the row, which may be part of a word."""
    word, shift = offset // 8, 8 * (offset % 8)
    mask = np.int64(-1) if bits == 64 else (np.int64(1) << bits) - 1
    for number in range(numbers):
        if keys[key_begin[number]] != NO_KEY:
            load_row(rows, number, row)
            counts[(row[word] >> shift) & mask] += 1
