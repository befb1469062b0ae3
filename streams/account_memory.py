"""The arrays of a partition's accounts, as compiled code takes them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streams.account_index import Begins, Table
from streams.hashing import Bytes
from streams.packed_rows import Packed


class Memory(NamedTuple):
    """What compiled code works on. Good until a row is asked for, or an account enters, in Python.

    `rows` for `load_row` and `keep_row` of `streams/packed_rows.py`; the other columns have the entry of account n at n.
    `touched_list[: touched_count[0]]` are the accounts touched, in order of first touch.
    """

    rows: Packed
    deadlines: NDArray[np.int64]
    touched: NDArray[np.uint8]
    touched_list: NDArray[np.int32]
    touched_count: NDArray[np.int64]
    table: Table
    key_begin: Begins
    keys: Bytes
