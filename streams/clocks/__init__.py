"""The kinds of clock: what silence or delay leads to. A policy names a kind by the key of its entry."""

from streams.kinds import Spec

CLOCK_KINDS: dict[str, type[Spec]] = {}
"""Name -> spec of the kind. None yet: a policy that asks for a clock is refused rather than silently not obeyed."""
