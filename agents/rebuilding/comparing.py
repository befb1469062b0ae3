"""Which accounts stand elsewhere: two states of one partition, ladder by ladder, by the names of the tiers."""

from collections import Counter

from agents.activating import Movement
from streams.partition import Partition


def moved(before: Partition, after: Partition) -> Movement:
    """From where to where the accounts of `after` would go that `before` knows, in the ladders of both."""
    moves, movers = Counter[tuple[str, str, str]](), 0
    ladders = {scheme.name: scheme for scheme in before.policy.schemes}
    both = [(ladders[scheme.name], scheme) for scheme in after.policy.schemes if scheme.name in ladders]
    for key in after.accounts:
        known, number = before.accounts.find(key), after.accounts.find(key)
        if known is None or number is None:
            continue
        rows = before.accounts.row(known), after.accounts.row(number)
        ways = [
            (new.name, old.ladder.tiers[int(rows[0][old.column("published")])], new.ladder.tiers[int(rows[1][new.column("published")])])
            for old, new in both
        ]
        ways = [way for way in ways if way[1] != way[2]]
        moves.update(ways)
        movers += bool(ways)
    return Movement(moves, movers, len(after))
