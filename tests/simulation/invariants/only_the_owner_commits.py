"""A zombie publishes nothing: whoever commits is the last one to have taken the partition."""

from collections.abc import Iterator

from tests.simulation.evidence import Evidence


def broken(evidence: Evidence) -> Iterator[str]:
    enlisted = [(decided, author) for number, author, decided in evidence.world.enlisted if number == evidence.number]
    for place, transaction in enumerate(evidence.world.broker.decided):
        if transaction not in evidence.transactions:
            continue
        owner = next((author for decided, author in reversed(enlisted) if decided <= place), None)
        if transaction.author != owner:
            yield f"{transaction.author} committed although {owner} had taken the partition"
