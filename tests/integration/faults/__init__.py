"""Faults on a real broker, under load, each judged by the oracle: exact equality, nothing less."""
