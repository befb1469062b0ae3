"""Tierstream beside other engines: the same small job, from the same topic, in the same run (`make bench ARGS=peers`).

    load        the records, the same for everybody: one of each account first, then skewed traffic
    oracle      what must come out, recomputed in plain Python from the topic
    engine      what an engine is to the comparison: prepare, start, read its changes, stop
    tierstream, kafka_streams, bytewax, quix, stock_faust       one engine each, its settings with reasons
    programs/   what the peers run: the job, written as each engine's own documentation would have it
    environments, artifacts     where a peer's packages and jars come from, pinned
    observing   a consumer downstream that notes when it could read which change
    progress    from these to events a second
    comparing   the rounds: every engine once in each, on one core, checked, in turn

The job: each interaction adds points to its account's score, which halves every seven days; three tiers, entered at 60 and 80,
left below 55 and 75; every change of tier is published with its number in the account's chain. Time first: what decay took by the
instant of an event is decided before the event counts. Scores are compared as integer micro-points. The state is kept safely
(changelog, snapshots) where the engine's mode has it so.
"""
