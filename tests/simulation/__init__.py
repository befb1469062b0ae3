"""Runs of the real lane on a log in memory, under a virtual clock and faults that a seed decides: `python -m tests.simulation --help`."""
