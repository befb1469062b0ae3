"""The oracle: recomputes from the input log alone what a worker must have left behind, and names every difference.

It shares no code with `streams` or `schemas`: it reads the Avro schemas and the policy's YAML itself and does the arithmetic
another way (closed forms, exact searches). So a fault has to be made twice to go unseen.

    wire        payloads: records, or the reason why a worker must refuse them
    grading     one account: measures, dimensions, score, tiers
    commands    what people order: overrides, owners
    recomputing a partition: the order of records, dead letters, transitions, state
    leftovers   what the changelog says, decoded by its own layout records
    judging     the comparison, as named anomalies
    reading     everything a broker has, read_committed
"""
