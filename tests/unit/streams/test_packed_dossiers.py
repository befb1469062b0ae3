"""Dossiers in one piece of memory: what was kept last is what is there, and of what is gone nothing is left."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.packed_dossiers import Dossiers

ACCOUNTS = 4
NUMBERS = st.integers(0, ACCOUNTS - 1)
TEXTS = st.integers(1, 400).flatmap(lambda size: st.sampled_from([b"x" * size, b"y" * size]))
STEPS = st.one_of(
    st.tuples(st.just("put"), NUMBERS, TEXTS),
    st.tuples(st.just("put all"), st.lists(st.tuples(NUMBERS, TEXTS), max_size=5)),
    st.tuples(st.just("drop"), NUMBERS),
    st.tuples(st.just("restored")),
    st.tuples(st.just("grow")),
)


def put_all(dossiers: Dossiers, entries: list[tuple[int, bytes]]) -> None:
    payloads = [b"\1" + encoded for _, encoded in entries]
    ends = np.cumsum([len(payload) for payload in payloads], dtype=np.int64)
    dossiers.put_all(np.array([number for number, _ in entries], np.int64), np.frombuffer(b"".join(payloads), np.uint8), ends)


@settings(max_examples=60)
@given(st.lists(STEPS, max_size=30))
def test_what_was_kept_last_is_there_however_memory_moved(steps: list[tuple[object, ...]]) -> None:
    dossiers, model, room = Dossiers(ACCOUNTS), dict[int, bytes](), ACCOUNTS
    for step in steps:
        match step:
            case "put", int(number), bytes(encoded):
                dossiers.put(number, encoded)
                model[number] = encoded
            case "put all", list(entries):
                put_all(dossiers, entries)
                model.update(entries)
            case "drop", int(number):
                dossiers.drop(number)
                model.pop(number, None)
            case ("restored",):
                dossiers.restored()
            case _:
                room += 3
                dossiers.grow(room)
        assert [dossiers.get(number) for number in range(ACCOUNTS)] == [model.get(number) for number in range(ACCOUNTS)]
        assert len(dossiers) == len(model)
        assert np.count_nonzero(dossiers._packed.memory) == sum(map(len, model.values())), "nothing is left of what is gone"


def test_a_dossier_that_grows_and_shrinks_takes_no_memory_for_good() -> None:
    dossiers = Dossiers(2)
    dossiers.put(0, b"another" * 100)
    for turn in range(500):
        dossiers.put(1, b"z" * (1 + 97 * turn % 4_001))
    assert len(dossiers._packed.memory) < 4 * 4_001
    assert dossiers.get(0) == b"another" * 100
