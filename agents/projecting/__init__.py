"""The Redis projection: what the engine publishes, as keys that SDR tools read in a millisecond. `docs/consuming.md` lists the keys.

`source` reads a partition of the three topics in an order that Redis can trust, `entries` says of each record what is to be written,
`apply.lua` writes it if it is news, `store` is Redis, `projection` is one partition's work, `process` runs it under Faust's membership.
"""
