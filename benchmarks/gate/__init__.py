"""Has this checkout become slower than the base that was accepted? `make gate`, or `python -m benchmarks.gate`.

    base        which commit is the base (benchmarks/gate.json); it is checked out beside this one for as long as it takes
    work        makes the records
    lane        one run: a partition folds the records in memory, and says what an event cost
    running     starts these two as fresh processes: work in the base, lane in both, in pairs
    judging     what the pairs say: pure

Rules: both fold the same bytes, written with the base's schemas, because a newer codec reads what an older one wrote and not the other way
round. Each tree has its own policy `sabc-live` and its own compiled code. What counts is processor time, so a busy machine disturbs it
little; the two halves of a pair follow each other in an order that changes from pair to pair, so that what drifts takes no side; and only
an interval that lies above the limit as a whole is a failure, so that noise is none.
"""
