"""`table`: profile fields looked up in tables of points, weighted; a missing field is worth 0 and listed.

The weights of the fields sum to 100. The row keeps the result, so that only a change of the profile opens the dossier.
"""

from collections.abc import Iterator, Mapping

from pydantic import Field, model_validator

from streams.columns import Column, identity
from streams.dossier import PROFILE_FIELDS, Dossier, FieldContent
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, unknown
from streams.words import Said, Words, both, spaced


class FieldSpec(Spec):
    """What one profile field is worth."""

    weight: float = Field(gt=0, le=100, description="share of the dimension, in percent")
    values: dict[str, float] | None = Field(default=None, description="content -> points 0-100; `other` is for every other content")
    each: float | None = Field(default=None, gt=0, description="points for each entry of a list field")
    at_most: float = Field(default=100, ge=0, le=100, description="the most points the field can give")

    @model_validator(mode="after")
    def _one_way(self) -> "FieldSpec":
        if (self.values is None) == (self.each is None):
            raise ValueError("must have either values (content -> points) or each (points per entry of a list)")
        if wrong := [f"{content} {points:g}" for content, points in (self.values or {}).items() if not 0 <= points <= 100]:
            raise ValueError(f"points must be 0 to 100, got {', '.join(wrong)}")
        return self

    def best(self) -> str:
        """What the field must say to be worth most."""
        if self.values is None:
            return f"{self.each:g} points for each"
        most = max(self.values.values())
        return f"most for {both([spaced(content) for content, points in self.values.items() if points == most])}"

    def points(self, content: FieldContent) -> float:
        """0 to 100 points for what the field says."""
        if content is None:
            return 0.0
        if self.each is not None:
            return min(self.each * len(content), self.at_most) if isinstance(content, list) else 0.0
        text = str(content).lower() if isinstance(content, bool) else str(content)
        assert self.values is not None, "validated: values or each"
        return min(self.values.get(text, self.values.get("other", 0.0)), self.at_most)


class TableSpec(Spec):
    """Profile fields and what they are worth."""

    table: dict[str, FieldSpec] = Field(min_length=1)

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """References: the profile's fields. The weights sum to 100."""
        for field in self.table:
            if field not in PROFILE_FIELDS and not field.startswith("custom."):
                yield f"table.{field}", unknown("profile field", field, PROFILE_FIELDS) + "; your own fields are named custom.<name>"
        if abs((total := sum(field.weight for field in self.table.values())) - 100) > 1e-9:
            yield "table", f"weights must sum to 100, got {total:g}"

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """The fields by weight; what is not known is worth nothing."""
        fields = [f"{spaced(field)} {spec.weight:g} % ({spec.best()})" for field, spec in self.table.items()]
        return [Said("is", f"from the profile: {', '.join(fields)}; an unknown field is worth 0")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Table":  # noqa: ARG002
        """The dimension that works on rows."""
        return Table(name, self)


class Table:
    """The compiled dimension."""

    topics = ("profiles",)
    own_measures: tuple[Measure, ...] = ()

    def __init__(self, name: str, spec: TableSpec) -> None:
        self.name, self._fields = name, spec.table
        self._kept = f"dimensions.{name}.kept"
        self._missing = {field: Line(f"{field} missing", 0.0) for field in spec.table}
        self.columns = [Column(self._kept, "<f8", identity(["table", spec.model_dump(mode="json")]))]

    def at(self, row: Row, at_ms: int) -> float:  # noqa: ARG002
        """0 to 100; it changes with the profile alone."""
        return float(row[self._kept])

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:  # noqa: ARG002
        """It stays until the profile changes."""
        return Span(self.at(row, to_ms), self.at(row, to_ms))

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Look the fields up again."""
        known = ((spec, dossier.profile.get(field)) for field, spec in self._fields.items())
        row[self._kept] = sum(spec.weight / 100 * spec.points(held.content) for spec, held in known if held is not None)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line per field; a missing one says so."""
        return self._looked_up(dossier)

    def _looked_up(self, dossier: Dossier) -> list[Line]:
        lines = []
        for field, spec in self._fields.items():
            known = dossier.profile.get(field)
            if known is None or known.content is None:
                lines.append(self._missing[field])
            else:
                lines.append(Line(field, spec.weight / 100 * spec.points(known.content), last_ms=known.at_ms))
        return lines
