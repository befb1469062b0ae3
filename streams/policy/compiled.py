"""The policy as the fold uses it: compiled measures, dimensions, weights, schemes, and the layout of a row."""

import hashlib
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from numpy.typing import NDArray

from schemas.topics import INPUTS
from streams.columns import Column, identity, laid_out, template
from streams.kinds import Calendar, Dimension, Measure
from streams.policy.model import PolicyDocument
from streams.schemes.score import UNBOUNDED, ScoreLadder
from streams.units import local_day_in, micro

RECENT_IDS = 16
"""Event ids remembered per account: a repeated one among the last 16 counts once."""

_ENGINE = identity("account columns, 1")

ACCOUNT_COLUMNS = [
    Column("account.born_topic", "<u1", _ENGINE),
    Column("account.born_offset", "<i8", _ENGINE),
    Column("account.clock_ms", "<i8", _ENGINE),
    Column("account.deadline_ms", "<i8", _ENGINE, start=UNBOUNDED),
    Column("account.records", "<u4", _ENGINE),
    Column("ids.recent", "<u8", _ENGINE, (RECENT_IDS,)),
    Column("ids.fill", "<u1", _ENGINE),
    Column("ids.next", "<u1", _ENGINE),
]
"""What every account has under every policy."""


class Scheme(NamedTuple):
    """A compiled scheme: its ladder, its gate, and the names of its columns."""

    name: str
    ladder: ScoreLadder
    announce_entry: bool
    ceilings: dict[str, int]
    columns: list[Column]
    column_of: dict[str, str]

    def column(self, part: str) -> str:
        """The row's column for a part of this scheme."""
        return self.column_of[part]


def _scheme_columns(name: str, ladder: ScoreLadder, meaning: str) -> list[Column]:
    low, high = ladder.band(0)
    wide = {"score_micro": 0, "low_micro": low, "high_micro": high, "effective_at_ms": 0}
    narrow = {"earned": 0, "seated": 0, "gated": 0, "published": 0, "ceiling": len(ladder.tiers) - 1}
    return [
        *(Column(f"schemes.{name}.{part}", "<i8", meaning, start=start) for part, start in wide.items()),
        Column(f"schemes.{name}.sequence", "<u4", meaning),
        *(Column(f"schemes.{name}.{part}", "<u1", meaning, start=start) for part, start in narrow.items()),
    ]


class CompiledPolicy:
    """One policy, ready to fold. `digest` is 64 bits in hex of everything it says."""

    def __init__(self, document: PolicyDocument) -> None:
        self.document = document
        self.name, self.version, self.reviewed_on = document.policy, document.version, document.reviewed_on
        content = document.model_dump(mode="json", exclude={"description"})
        self.digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:16]
        self.max_ahead_ms = document.max_ahead
        self._compile_scoring(document)
        self.schemes = self._compiled_schemes(document)
        self.inputs = self._named_inputs()
        self.columns = self._all_columns()
        self.layout = laid_out(self.columns)
        self.template = self._entry_template()

    def _compile_scoring(self, document: PolicyDocument) -> None:
        calendar = Calendar(document.timezone, local_day_in(ZoneInfo(document.timezone)))
        named: dict[str, Measure] = {name: spec.compile(name, calendar) for name, spec in document.measures.items()}
        self.dimensions: list[Dimension] = [document.dimensions[name].compile(name, named) for name in document.score]
        self.weights = list(document.score.values())
        self.worth_columns = [f"dimensions.{name}.micro" for name in document.score]
        self.measures = [*named.values(), *(measure for dimension in self.dimensions for measure in dimension.own_measures)]
        self.measures_of = {topic: [measure for measure in self.measures if measure.topic == topic] for topic in INPUTS}

    def _compiled_schemes(self, document: PolicyDocument) -> list[Scheme]:
        schemes = []
        for name, spec in document.schemes.items():
            ladder = spec.compile()
            meaning = identity([spec.model_dump(mode="json"), document.score])
            ceilings = {kind: ladder.tiers.index(risk.ceiling) for kind, risk in spec.risk.items()}
            columns = _scheme_columns(name, ladder, meaning)
            column_of = {column.name.removeprefix(f"schemes.{name}."): column.name for column in columns}
            schemes.append(Scheme(name, ladder, spec.announce_entry, ceilings, columns, column_of))
        return schemes

    def _named_inputs(self) -> tuple[str, ...]:
        """The input topics this policy reads, in merge rank order."""
        named = {measure.topic for measure in self.measures}
        named.update(topic for dimension in self.dimensions for topic in dimension.topics)
        if any(scheme.ceilings for scheme in self.schemes):
            named.add("risks")
        return tuple(topic for topic in INPUTS if topic in named)

    def _all_columns(self) -> list[Column]:
        dimension_columns = [Column(name, "<i8", identity(["micro", self.digest])) for name in self.worth_columns]
        parts: list[Any] = [*self.measures, *self.dimensions, *self.schemes]
        return [*ACCOUNT_COLUMNS, *dimension_columns, *(column for part in parts for column in part.columns)]

    def _entry_template(self) -> NDArray[Any]:
        """The row of an account of which nothing is known yet: its dimensions are worth what they are without a record."""
        entry = template(self.layout, self.columns)
        points = [dimension.at(entry[0], 0) for dimension in self.dimensions]
        for column, worth in zip(self.worth_columns, points, strict=True):
            entry[column] = micro(worth)
        score_micro = micro(sum(weight * worth for weight, worth in zip(self.weights, points, strict=True)))
        for scheme in self.schemes:
            entry[scheme.column("score_micro")] = score_micro
        return entry

    @property
    def scheme_names(self) -> tuple[str, ...]:
        """The ladders an account stands on."""
        return tuple(scheme.name for scheme in self.schemes)
