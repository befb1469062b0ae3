"""The engine's figures, measured on a real Kafka: `make bench`, or `python -m benchmarks`.

    workload    the same work for whoever is measured: skewed interactions, crafted transitions
    plans, catalogue, comparisons, starting     what a figure is, and which there are, with their bars
    stand       broker and load on one core, the measured process on another; what it used, read from outside
    fold_order  how far workers have come, by what they wrote
    throughput, latency, restore, activation, first_transition, stages, ticks, replay, orders       one figure each, `measured(...)`
    pairs, variants         what a promise costs: with it and without it, in pairs
    growth, spreading       by accounts and hot accounts; by partitions and workers
    peers/      the same job on other engines, from the same topic in the same run
    gate/       is this checkout slower than the base that was accepted? `make gate`
    figures     medians with spread, and the conditions under which they were taken
    report, pictures        docs/benchmarks.md

Rules: every figure is the median of at least five runs and shows its smallest and largest; the same seed gives the same work; a
result is checked (all records folded, audit clean, outputs as an oracle has them) before it counts.
"""
