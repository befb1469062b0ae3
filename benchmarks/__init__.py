"""The engine's figures, measured on a real Kafka: `make bench`, or `python -m benchmarks`.

    workload    the same work for whoever is measured: skewed interactions, crafted transitions
    catalogue   which figures there are, with their bars
    stand       broker and load on one core, the measured process on another; what it used, read from outside
    throughput, latency, restore, first_transition, stages, ticks, orders       one figure each: `measured(...)` gives its runs
    figures     medians with spread, and the conditions under which they were taken
    report, pictures        docs/benchmarks.md

Rules: every figure is the median of at least five runs and shows its smallest and largest; the same seed gives the same work; a
result is checked (all records folded, audit clean) before it counts. Peers (the same work done by another engine) get a package of
their own here, `peers/`: a peer is a command that reads `interactions` from a stand and writes transitions, so that stand,
workload, figures and report serve it as they are.
"""
