"""XXH64 in compiled code is XXH64."""

import random

import numpy as np
import pytest
import xxhash

from streams.hashing import xxh64
from streams.ids import id64

SIZES = [*range(70), 96, 97, 255, 1000]


@pytest.mark.parametrize("seed", [0, 1, 7, 2**63, 2**64 - 1])
def test_it_gives_what_the_library_gives(seed: int) -> None:
    some = random.Random(seed)
    with np.errstate(over="ignore"):  # uncompiled, numpy warns of what the method lives on
        for size in SIZES:
            before, held = some.randbytes(some.randrange(9)), some.randbytes(size)
            buffer = np.frombuffer(before + held + some.randbytes(5), np.uint8)
            assert int(xxh64(buffer, len(before), size, np.uint64(seed))) == xxhash.xxh64_intdigest(held, seed)


def test_an_id_is_the_same_in_python_and_in_compiled_code() -> None:
    text = "客户-0042"
    buffer = np.frombuffer(text.encode(), np.uint8)
    with np.errstate(over="ignore"):
        assert int(xxh64(buffer, 0, buffer.size, np.uint64(3))) == id64(text, 3)
