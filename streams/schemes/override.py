"""What a scheme says of overrides: whether people may put another tier over the decided one, and under which conditions.

A scheme that says nothing of them allows none. The stage itself is `streams/overrides.py`. Source: facts 002-33.
"""

from pydantic import Field

from streams.kinds import Spec
from streams.units import PositiveDurationMs
from streams.words import Said, Words, length


class OverrideSpec(Spec):
    """The conditions of an override."""

    at_most: PositiveDurationMs = Field(description="how long after the command an override may expire at most; it always expires")
    approver_required: bool = Field(default=True, description="whether somebody else than who asks must have approved it (four eyes)")
    beats_risk: bool = Field(default=False, description="whether it holds against the ceiling of an open risk; else the ceiling beats it")

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What people may do."""
        approved = ", if somebody else has approved it" if self.approver_required else ""
        stronger = "it beats an open risk" if self.beats_risk else "an open risk beats it"
        return [Said("follows", f"people may override the tier for at most {length(self.at_most)}{approved}; {stronger}")]
