"""From one policy to the next: whether rows can go over, and what of them does.

Rules: what was not counted has no past, so every measure of the new policy must be one of the old, by what it means, or follow from the
profile, and the inputs must be the same; a ladder is the same if its name is, and so is a tier of it; a clock that is reset by the
same goes on, with the breaches whose tier is still warned.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streams import carrying
from streams.carrying import GONE, Plan, Scratch
from streams.clocks.common import Clock
from streams.clocks.dwelling import DwellClock
from streams.clocks.quiet import QuietClock
from streams.columns import Column, Layout
from streams.kinds import Measure
from streams.policy.compiled import CompiledPolicy, Scheme

_CARRIED = ("score_micro", "effective_at_ms", "since_ms", "stepped_ms", "sequence", "override_until_ms")
_TIERS = ("earned", "seated", "gated", "published", "override")
REBUILD = "it has no past here: `tierstream rebuild` makes another application from the inputs"


def is_layout_of(policy: CompiledPolicy, layout: Layout) -> bool:
    """Whether rows of this layout were decided under the policy, by whatever version of the engine."""
    marks = {(column.name, column.identity) for column in policy.columns if column.name in policy.worth_columns}
    return any((column.name, column.identity) in marks for column in layout.description.columns)


def incompatible(before: CompiledPolicy, after: CompiledPolicy) -> list[str]:
    """Why rows of the one policy cannot become rows of the other; nothing if they can."""
    known = {(column.name, column.type, column.shape, column.identity) for column in before.layout.description.columns}
    found = [
        f"measures.{measure.name}: is new or counts otherwise: {REBUILD}" for measure in after.measures if not _is_known(measure, known)
    ]
    new, old = (set(policy.folded) for policy in (after, before))
    found += [f"reads {topic}, which the policy in force does not: {REBUILD}" for topic in after.folded if topic not in old]
    found += [
        f"reads {topic} no more, which the policy in force does: keep something that reads it, or start under another application id"
        for topic in before.folded
        if topic not in new
    ]
    return found


def _is_known(measure: Measure, known: set[tuple[str, str, tuple[int, ...], str]]) -> bool:
    return all((column.name, column.type, column.shape, column.identity) in known for column in measure.columns)


class Ladder(NamedTuple):
    """A ladder that both policies have: its names of tiers before."""

    scheme: Scheme
    tiers: tuple[str, ...]


class Resumed(NamedTuple):
    """A clock that goes on though the policy says something else of it, and what it was before; None: there was none of its kind."""

    clock: QuietClock | DwellClock
    before: Clock | None

    @property
    def tiers(self) -> tuple[str, ...]:
        """The names of its tiers before."""
        return () if self.before is None else self.before.tiers


class Change:
    """One policy after another. `since_ms`: the instant from which the new one is true."""

    def __init__(self, before: CompiledPolicy, after: CompiledPolicy, since_ms: int) -> None:
        self.before, self.after, self.since_ms = before, after, since_ms
        old = {scheme.name: scheme for scheme in before.schemes}
        self.ladders = [Ladder(scheme, old[scheme.name].ladder.tiers) for scheme in after.schemes if scheme.name in old]
        self.tells_all = [(each.name, each.ladder.tiers) for each in before.schemes] != [
            (each.name, each.ladder.tiers) for each in after.schemes
        ]
        theirs = {(column.name, column.identity) for column in before.columns}
        running = {(type(clock), clock.name, clock.scheme): clock for clock in before.clocks}
        self.resumed = [
            Resumed(clock, running.get((type(clock), clock.name, clock.scheme)))
            for clock in after.clocks
            if isinstance(clock, QuietClock | DwellClock) and _goes_on(clock, theirs)
        ]
        gates = [(scheme.name, scheme.ladder.tiers, scheme.ceilings) for scheme in before.schemes]
        self.recalls = gates != [(scheme.name, scheme.ladder.tiers, scheme.ceilings) for scheme in after.schemes]
        self.begins = False

    @property
    def is_slow(self) -> bool:
        """Whether accounts need more than their row laid out anew before they are decided."""
        return self.recalls or self.begins

    def plan(self, source: Layout) -> Plan:
        """How a row of the policy before, in this layout, goes over. What it lacks is known from here on."""
        theirs = {(column.name, column.identity) for column in source.description.columns}
        self.begins = self.begins or any(not _unchanged(clock.columns, theirs) for clock in self.after.clocks)
        self.recalls = self.recalls or any(not _unchanged(each.columns, theirs) for each in self.after.recalling)
        same = [(name, name) for name in self.after.worth_columns]
        tiers = []
        for scheme, names in self.ladders:
            place = {name: tier for tier, name in enumerate(scheme.ladder.tiers)}
            table = np.full(256, GONE, np.uint8)
            table[: len(names)] = [place.get(name, GONE) for name in names]
            same += [(f"schemes.{scheme.name}.{part}", f"schemes.{scheme.name}.{part}") for part in _CARRIED]
            tiers += [(f"schemes.{scheme.name}.{part}", f"schemes.{scheme.name}.{part}", table) for part in _TIERS]
            if not self.recalls:
                same.append((f"schemes.{scheme.name}.ceiling", scheme.column("ceiling")))
        same += [(column.name, column.name) for clock, _ in self.resumed for column in clock.columns]
        return carrying.plan(source, self.after.layout, same, tiers, [scheme.column("pending_ms") for scheme in self.after.schemes])

    def scratch(self, source: Layout) -> Scratch:
        """Room for one row before and one after."""
        return carrying.scratch(source, self.after.layout)


def _unchanged(columns: Sequence[Column], known: set[tuple[str, str]]) -> bool:
    return all((column.name, column.identity) in known for column in columns)


def _goes_on(clock: QuietClock | DwellClock, known: set[tuple[str, str]]) -> bool:
    """Whether the clock says something else, and is reset by the same as before; what stays is in the dossier."""
    return not _unchanged(clock.columns, known) and (isinstance(clock, DwellClock) or _unchanged(clock.columns[:1], known))
