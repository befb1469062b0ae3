"""`playbooks`: scheme -> tier -> how its accounts are treated. What becomes of them is in `streams/playbooks.py`.

Source: facts 002-10..12, 001-10..16, 000-16, 003-10, 003-12, 004-08.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, model_validator

from schemas.records import Playbook
from streams.kinds import Problem, Spec, unknown
from streams.words import Said, Words, both


class PlaybookSpec(Spec):
    """How the accounts of one tier are treated."""

    process: str | None = Field(default=None, max_length=64, description="the sales process that leads the account")
    team: list[str] = Field(default=[], max_length=16, description="the roles that work on it")
    channel: str | None = Field(default=None, max_length=64, description="by which channel it is touched")
    priority: Literal["low", "normal", "raised"] = Field(
        default="normal", description="raised: a green channel, for approvals, quotes and delivery"
    )
    milestones: list[str] = Field(default=[], max_length=32, description="what is to be reached, in order")
    tasks: list[str] = Field(default=[], max_length=32, description="what is to be done on entering the tier")
    guide: str | None = Field(default=None, max_length=512, description="where people read how")

    @model_validator(mode="after")
    def _says_something(self) -> "PlaybookSpec":
        if self == PlaybookSpec.model_construct():
            raise ValueError(f"must say at least one of {', '.join(type(self).model_fields)}")
        return self

    def record(self) -> Playbook:
        """As it is published."""
        return Playbook(**self.model_dump())

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """One sentence."""
        parts = [f"process {self.process}"] if self.process else []
        parts += [f"worked on by {both(self.team)}"] if self.team else []
        parts += [f"touched by {self.channel}"] if self.channel else []
        parts += [f"{self.priority} priority"] if self.priority != "normal" else []
        parts += [f"milestones {', '.join(self.milestones)}"] if self.milestones else []
        parts += [f"tasks {', '.join(self.tasks)}"] if self.tasks else []
        return [Said("follows", "; ".join(parts))]


def problems(specs: Mapping[str, Mapping[str, PlaybookSpec]], ladders: Mapping[str, frozenset[str]]) -> Iterable[Problem]:
    """References: schemes and their tiers. `ladders`: scheme -> tiers."""
    for scheme, tiers in specs.items():
        if scheme not in ladders:
            yield scheme, unknown("scheme", scheme, frozenset(ladders))
            continue
        yield from ((f"{scheme}.{tier}", unknown("tier", tier, ladders[scheme])) for tier in tiers if tier not in ladders[scheme])
