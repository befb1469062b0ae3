"""`prediction`: the latest score of a model, 0 to 100, or a fallback while there is none."""

from collections.abc import Iterator, Mapping

from pydantic import Field

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec
from streams.measures.latest import Latest, LatestSpec
from streams.words import Said, Words


class PredictionSpec(Spec):
    """The latest score of a model."""

    prediction: str = Field(min_length=1, description="the model's name in `predictions`")
    fallback: float = Field(ge=0, le=100, description="what the dimension is worth while the model has said nothing")

    def problems(self, names: Names) -> Iterator[Problem]:  # noqa: ARG002
        """None: a model's name is its own."""
        return iter(())

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """Whose word is taken, and what while there is none."""
        return [Said("is", f"the latest score of the model {self.prediction}; {self.fallback:g} while it has said nothing")]

    def compile(self, name: str, measures: Mapping[str, Measure]) -> "Predicted":  # noqa: ARG002
        """The dimension that works on rows."""
        return Predicted(name, self)


class Predicted:
    """The compiled dimension; it owns the measure that keeps the model's latest score."""

    topics: tuple[str, ...] = ()

    def __init__(self, name: str, spec: PredictionSpec) -> None:
        self.name, self._fallback = name, spec.fallback
        latest = LatestSpec.model_validate({"from": "predictions", "latest": "score", "where": {"model": spec.prediction}})
        self._score = Latest(f"{name}.score", latest)
        self.own_measures: tuple[Measure, ...] = (self._score,)
        self.columns: list[Column] = []
        self._unsaid = Line("fallback", spec.fallback)

    def at(self, row: Row, at_ms: int) -> float:
        """0 to 100."""
        return self._score.at(row, at_ms) if self._score.known(row) else self._fallback

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:  # noqa: ARG002
        """It stays until the model speaks again."""
        return Span(self.at(row, to_ms), self.at(row, to_ms))

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Nothing here comes from the dossier."""

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:  # noqa: ARG002
        """One line: the model's score or the fallback."""
        if not self._score.known(row):
            return [self._unsaid]
        return [Line("score", self._score.at(row, at_ms), last_ms=self._score.said_ms(row))]
