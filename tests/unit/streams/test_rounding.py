"""Laws of rounding by largest remainder."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.forward.accounting import Sums, apportion
from streams.rounding import apportioned
from streams.units import micro


@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=30))
def test_parts_sum_to_the_total_and_each_is_within_one_of_its_share(exact: list[float]) -> None:
    total = micro(sum(exact) / 1e6)
    parts = apportioned(total, exact)
    assert sum(parts) == total
    assert all(abs(part - share) <= 1.001 for part, share in zip(parts, exact, strict=True))


def test_the_largest_remainder_is_served_first_and_the_first_on_a_tie() -> None:
    assert apportioned(10, [3.3, 3.3, 3.4]) == [3, 3, 4]
    assert apportioned(2, [0.5, 0.5, 0.5, 0.5]) == [1, 1, 0, 0]


def test_what_is_no_rounding_is_a_broken_invariant() -> None:
    with pytest.raises(ValueError, match="cannot be rounded"):
        apportioned(10, [3.0, 3.0])


@given(st.lists(st.floats(-1e12, 1e12) | st.integers(-5, 5).map(lambda half: half / 2), min_size=1, max_size=12), st.integers(-15, 15))
def test_compiled_code_apportions_as_python_does_and_refuses_what_it_refuses(exact: list[float], off: int) -> None:
    room, total = np.zeros(len(exact), np.int64), round(math.fsum(exact)) + off
    sums = Sums(room.astype(np.uint8), room, room, room, np.array(exact), room.copy(), room.copy())
    fits = apportion(total, len(exact), sums)
    try:
        parts = apportioned(total, exact)
    except ValueError:
        assert not fits
    else:
        assert fits
        assert sums.parts.tolist() == parts
