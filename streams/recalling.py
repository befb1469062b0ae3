"""What rows keep of their dossiers, so that only a record of the profile, a risk or an order of a person opens one.

Its columns say by which definition it was made. A row that goes over to another layout together with those columns has what it would be
given again, so its dossier is left closed.
"""

from collections.abc import Callable, Iterable
from functools import partial

from streams import gates, overrides
from streams.columns import Layout
from streams.dossier import Dossier
from streams.kinds import Row
from streams.policy.compiled import CompiledPolicy

Recall = Callable[[Row, Dossier], None]
"""Brings a part of what a row keeps of its dossier up to it."""


def recall_kept(policy: CompiledPolicy, row: Row, dossier: Dossier) -> None:
    """Bring all of it up to the dossier."""
    policy.recall(row, dossier)
    gates.recall_ceilings(policy.schemes, row, dossier)
    overrides.recall(policy.schemes, row, dossier)


def lacking(policy: CompiledPolicy, source: Layout) -> list[Recall]:
    """The parts of it that rows of another layout do not bring along."""
    theirs = {(column.name, column.type, column.shape, column.identity) for column in source.description.columns}
    ours = policy.layout.description.columns
    made_otherwise = {column.name for column in ours if (column.name, column.type, column.shape, column.identity) not in theirs}

    def lacks(columns: Iterable[str]) -> bool:
        return not made_otherwise.isdisjoint(columns)

    overridable = [scheme for scheme in policy.schemes if scheme.override is not None]
    parts: list[tuple[bool, Recall]] = [
        (lacks(column.name for each in policy.recalling for column in each.columns), policy.recall),
        (lacks(each.column("ceiling") for each in policy.schemes if each.ceilings), partial(gates.recall_ceilings, policy.schemes)),
        (
            lacks(each.column(part) for each in overridable for part in ("override", "override_until_ms")),
            partial(overrides.recall, policy.schemes),
        ),
    ]
    return [recall for is_lacking, recall in parts if is_lacking]
