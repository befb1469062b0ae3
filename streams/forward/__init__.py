"""The fast-forward: compiled code folds the records that decide nothing, and leaves every other one, untouched, to the fold in Python.

Most interactions change a number and no tier. Such a dull record is folded here: into a copy of its account's row, which replaces the
row only if afterwards score, lifts, ceilings and timers are all where no decision can change. The fold in Python (`streams/account.py`)
is what every rule is first written in; what is here must give the same bits, and the laws in `tests/properties` hold it to that.
"""
