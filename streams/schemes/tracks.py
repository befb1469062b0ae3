"""`tracks`: one ladder of tiers, and for each track of the policy a model of its own to reach them by.

Grading happens inside the track: the same account has another tier in another one, and a change of track grades anew, on the same
ladder with the same sequence. Inside a track only the tier counts, so the ladder goes by its place. Source: facts 000-05, 003-03.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from streams.columns import Column
from streams.dossier import Dossier
from streams.kinds import Line, Measure, Names, Problem, Row, Span, Spec, unknown
from streams.parts import Parts
from streams.schemes.bands import BandsModel
from streams.schemes.matrix import MatrixModel
from streams.schemes.model import Model, ModelledSpec, Rungs, places
from streams.schemes.rating import Rating
from streams.schemes.rubric import RubricModel
from streams.schemes.weighted import WeightedModel
from streams.tracks import Tracks
from streams.units import micro
from streams.words import Said, Words


class TrackSpec(Spec):
    """How accounts of one track reach the tiers: one of these."""

    rubric: RubricModel | None = None
    bands: BandsModel | None = None
    matrix: MatrixModel | None = None
    weighted: WeightedModel | None = None

    @model_validator(mode="after")
    def _is_one(self) -> "TrackSpec":
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError(f"must have one of {', '.join(type(self).model_fields)}")
        return self

    def model(self) -> tuple[str, Model]:
        """The model, and what it is called."""
        name = next(iter(self.model_fields_set))
        model: Model = getattr(self, name)
        return name, model


class TracksModel(Model):
    """A model for each track."""

    tracks: dict[str, TrackSpec] = Field(min_length=1, description="track -> rubric, bands, matrix or weighted")

    def model_problems(self, names: Names, tiers: Sequence[str]) -> Iterator[Problem]:
        """References: every track of the policy has a model, and what the models say."""
        yield from (("tracks", f"track {track} has no model") for track in names.tracks if track not in self.tracks)
        for track, spec in self.tracks.items():
            if track not in names.tracks:
                yield f"tracks.{track}", unknown("track", track, names.tracks) + " (the policy's section `tracks` names them)"
            name, model = spec.model()
            yield from ((f"tracks.{track}.{name}.{path}", what) for path, what in model.model_problems(names, tiers))

    def model_said(self, words: Words) -> list[Said]:
        """What each track says."""
        named = [(track, spec.model()[1].model_said(words)) for track, spec in self.tracks.items()]
        return [each._replace(text=f"in track {track}: {each.text}") for track, said in named for each in said]

    def rungs(self, tiers: Sequence[str]) -> Rungs:
        """Tiers by their place."""
        return places(tiers)

    def rated(self, place: str, tiers: Sequence[str], parts: Parts) -> "Tracked":
        """The rating that works on rows."""
        assert parts.tracks is not None, "validated: the policy has the tracks"
        models = [self.tracks[track].model()[1] for track in parts.tracks.names]
        ratings = [model.rated(f"{place}.{track}", tiers, parts) for track, model in zip(parts.tracks.names, models, strict=True)]
        begins = [[rung.enter_micro for rung in model.rungs(tiers).each] for model in models]
        return Tracked(parts.tracks, ratings, begins)


class TracksSpec(ModelledSpec, TracksModel):
    """A ladder that each track reaches in its own way."""

    kind: Literal["tracks"]


class Tracked:
    """The compiled rating: that of the account's track, put as a place on the ladder."""

    own_measures: tuple[Measure, ...] = ()

    def __init__(self, tracks: Tracks, ratings: list[Rating], begins: list[list[int]]) -> None:
        self._tracks, self._ratings, self._begins = tracks, ratings, begins
        self.columns: list[Column] = [column for rating in ratings for column in rating.columns]
        self.topics: tuple[str, ...] = ("profiles",)

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Every track is kept up, so that a change of track finds its own as it is."""
        for rating in self._ratings:
            rating.recall(row, dossier)

    def _own(self, row: Row) -> Rating:
        return self._ratings[self._tracks.number(row)]

    def _placed(self, row: Row, number: float) -> float:
        return float(sum(micro(number) >= begin for begin in self._begins[self._tracks.number(row)]))

    def at(self, row: Row, at_ms: int) -> float:
        """The place of the tier."""
        return self._placed(row, self._own(row).at(row, at_ms))

    def span(self, row: Row, from_ms: int, to_ms: int) -> Span:
        """The places that may be reached; the track stays."""
        low, high = self._own(row).span(row, from_ms, to_ms)
        return Span(self._placed(row, low), self._placed(row, high))

    def steps(self, row: Row, from_ms: int) -> list[int] | None:
        """When the rating of the track may change."""
        return self._own(row).steps(row, from_ms)

    def points(self, row: Row, at_ms: int) -> float:
        """What the track shows."""
        return self._own(row).points(row, at_ms)

    def lines(self, row: Row, dossier: Dossier, at_ms: int) -> list[Line]:
        """What the track's model gave."""
        return self._own(row).lines(row, dossier, at_ms)

    def says(self, row: Row, at_ms: int) -> str:
        """The track, and what its model says."""
        return f"track {self._tracks.names[self._tracks.number(row)]}: {self._own(row).says(row, at_ms)}"
