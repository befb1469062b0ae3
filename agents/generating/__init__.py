"""Believable account lives, for demos, tests and benchmarks.

`lives` is pure (a seeded `random.Random` and the time are handed in), `poison` spoils a share of the records on purpose,
`producing` writes them to Kafka at a rate.
"""
