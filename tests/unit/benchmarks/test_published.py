"""The backlog that the projection is measured with: records as a worker writes them."""

from benchmarks.published import units
from schemas.avro_reading import NestedReader
from schemas.codec import Codec
from schemas.pieces import Pieces


def test_each_account_moves_in_turn_and_every_ledger_sums_to_its_score() -> None:
    made = list(units("bench", 3, 10, 1_000))
    assert [(unit.transition.account_id[-1], unit.transition.sequence) for unit in made[:4]] == [("0", 1), ("1", 1), ("2", 1), ("0", 2)]
    for transition, tiers in made:
        (standing,) = tiers.standings
        assert sum(line.micro for line in transition.contributions) == transition.score_after_micro == standing.score_micro
        assert (standing.tier, standing.sequence, tiers.generation) == (transition.to_tier, transition.sequence, transition.generation)
        assert transition.from_tier != transition.to_tier


def test_compiled_code_reads_them_as_it_reads_a_worker_s() -> None:
    codec = Codec()
    for record in next(units("bench", 1, 1, 1_000)):
        assert list(NestedReader(type(record), codec).quickly(Pieces.of([codec.encode(record)]))) == [record]
