"""Laws of layouts: what a row's bytes mean is known by an id, and rows move between layouts by identity."""

import numpy as np

from streams.carrying import carry_row, plan, scratch
from streams.columns import Column, Layout, identity, laid_out, template
from tests.folding import measured, shipped

OLD = [Column("a", "<i8", "1"), Column("b", "<u1", "1"), Column("c", "<f8", "1", (3,)), Column("d", "<f8", "30-day sum")]
NEW = [
    Column("e", "<i4", "1", start=7),
    Column("c", "<f8", "1", (3,)),
    Column("b", "<u1", "1"),
    Column("d", "<f8", "20-day sum", start=9),
    Column("a", "<i4", "1"),
]


def test_a_layout_comes_back_from_its_description_with_the_same_id() -> None:
    layout = laid_out(OLD)
    again = Layout.decode(layout.encoded)
    assert (again.layout_id, again.dtype, again.encoded) == (layout.layout_id, layout.dtype, layout.encoded)


def test_any_change_of_meaning_or_place_changes_the_id() -> None:
    ids = {laid_out(columns).layout_id for columns in (OLD, OLD[::-1], NEW, [*OLD[:3], Column("d", "<f8", "31-day sum")])}
    assert len(ids) == 4


def test_columns_are_aligned_and_do_not_overlap() -> None:
    for layout in (laid_out(OLD), laid_out(NEW), shipped("demo").layout):
        end = 0
        for column in layout.description.columns:
            assert column.offset >= end
            assert column.offset % np.dtype(column.type).itemsize == 0
            end = column.offset + np.dtype((column.type, column.shape)).itemsize
        assert end <= layout.description.row_bytes
        assert layout.description.row_bytes % 8 == 0


def test_a_row_moves_to_another_layout_by_name_type_shape_and_identity() -> None:
    beside = [
        Column(name, kind, "1") for name, kind in (("account.records", "<u4"), ("account.clock_ms", "<i8"), ("account.deadline_ms", "<i8"))
    ]
    old = laid_out([*OLD, *beside])
    new = laid_out([*beside, *NEW])
    new = new.starting(template(new, NEW))
    source, row = np.zeros(1, old.dtype), scratch(old, new)
    source["account.records"], source["a"], source["b"], source["c"], source["d"] = 1, 5, 6, (1.0, 2.0, 3.0), 30.0
    row.before_bytes[:] = source.view(np.uint8)
    assert not carry_row(plan(old, new, (), (), ()), row, new.start, 0)
    target = row.after.view(new.dtype)
    assert (target["b"][0], target["c"][0].tolist(), target["account.records"][0]) == (6, [1.0, 2.0, 3.0], 1)
    assert (target["a"][0], target["d"][0], target["e"][0]) == (0, 9.0, 7)


def test_an_identity_is_the_content_and_not_the_order_of_keys() -> None:
    assert identity({"a": 1, "b": 2}) == identity({"b": 2, "a": 1})
    assert identity({"a": 1}) != identity({"a": 2})


def test_another_half_life_is_another_measure_and_another_policy_digest() -> None:
    def of(half_life: str) -> tuple[str, str]:
        policy = measured({"from": "interactions", "points": {"VISIT": 1}, "half_life": half_life})
        return policy.digest, next(column.identity for column in policy.columns if column.name == "measures.m.total")

    assert of("30d") == of("720h")
    assert all(one != other for one, other in zip(of("30d"), of("20d"), strict=True))
