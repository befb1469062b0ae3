"""What resets a quiet clock, and what substance it must have: an update that nobody was part of only resets a clock.

An interaction has substance if it fits in one of the ways that the policy names. With `contact: another` the order of arrival matters:
what counts is somebody else than the one who counted last.
"""

from typing import Literal

from pydantic import Field, model_validator

from schemas.records import Actor, Event
from streams.ids import id64
from streams.kinds import Spec
from streams.words import either, spaced

NOBODY = 0
"""The contact of an interaction that names none."""


class SubstanceSpec(Spec):
    """One way in which an interaction has substance: all that is said must fit."""

    kinds: list[str] | None = Field(default=None, min_length=1, description="it is of one of these kinds")
    dwell_seconds: float | None = Field(default=None, gt=0, description="it took at least so long")
    contact: Literal["named", "another"] | None = Field(
        default=None, description="named: it was with somebody; another: with somebody else than the one that counted last"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "SubstanceSpec":
        if self.kinds is None and self.dwell_seconds is None and self.contact is None:
            raise ValueError("must have kinds, dwell_seconds or contact")
        return self

    def phrase(self) -> str:
        """`meeting or call of at least 60 s with somebody`."""
        said = [either([spaced(kind).lower() for kind in self.kinds])] if self.kinds else []
        said += [f"of at least {self.dwell_seconds:g} s"] if self.dwell_seconds is not None else []
        said += [{"named": "with somebody", "another": "with somebody else than last"}[self.contact]] if self.contact else []
        return " ".join(said)

    def fits(self, record: Event, contact: int, last_contact: int) -> bool:
        """Whether an interaction has this substance; contacts by 64 bits of their ids, 0: nobody."""
        return (
            (self.kinds is None or getattr(record, "kind", None) in self.kinds)
            and (self.dwell_seconds is None or (getattr(record, "dwell_seconds", None) or 0.0) >= self.dwell_seconds)
            and (self.contact is None or contact != NOBODY)
            and (self.contact != "another" or contact != last_contact)
        )


class ResetSpec(Spec):
    """Which interactions reset the clock: all that are named must fit."""

    actor: Actor | None = None
    kind: str | None = None
    substance: list[SubstanceSpec] = Field(default=[], description="and it must have substance in one of these ways, if any is said")

    def phrase(self) -> str:
        """`an interaction of the customer`, `an interaction (call of at least 60 s, or meeting) of the owner`: what resets the clock."""
        what = [spaced(self.kind).lower()] if self.kind else []
        ways = "; or ".join(way.phrase() for way in self.substance)
        said = "an interaction" + (f" ({', '.join([*what, *([ways] if ways else [])])})" if what or ways else "")
        return f"{said} of the {self.actor.lower()}" if self.actor else said


def contact_of(record: Event) -> int:
    """64 bits of the contact's id."""
    contact = getattr(record, "contact_id", None)
    return NOBODY if contact is None else max(id64(contact), 1)
