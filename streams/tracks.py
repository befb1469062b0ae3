"""Tracks: what kind of customer an account is, by ordered rules on its profile; schemes of kind `tracks` grade inside its track.

Classify first (how to sell), grade then (how much to invest). The first rule that fits wins, else the default; a track that people
have written into the profile wins over the rules. The row keeps the number of the track, so that only a record of the profile changes
it. Source: facts 000-01..05, 003-03.
"""

from collections.abc import Iterator

from pydantic import Field

from streams.columns import Column, identity
from streams.conditions import Conditions, LimitsSpec, When, when_problems, when_said
from streams.dossier import Dossier
from streams.kinds import Names, Problem, Row, Spec
from streams.parts import Parts
from streams.profile_fields import content_of
from streams.words import Said, Words


class TrackRule(Spec):
    """One track, and who is in it."""

    track: str = Field(min_length=1, max_length=64)
    when: When | None = Field(default=None, description="conditions on the profile; without any, people alone put accounts into this track")


class TracksSection(Spec):
    """The policy's tracks."""

    rules: list[TrackRule] = Field(min_length=1, max_length=32, description="in order: the first one that fits wins")
    default: str = Field(min_length=1, max_length=64, description="the track of accounts that no rule fits")
    profile_wins: bool = Field(default=True, description="whether `track` in the profile, where it names a track, wins over the rules")

    def names(self) -> tuple[str, ...]:
        """Every track; the default has number 0, as every account has before its profile is known."""
        return tuple(dict.fromkeys([self.default, *(rule.track for rule in self.rules)]))

    def said(self, words: Words) -> list[Said]:
        """Who is in which track."""
        rules = [f"{rule.track} for {when_said(rule.when, words)}" for rule in self.rules if rule.when]
        people = "; a track in the profile wins" if self.profile_wins else ""
        return [Said("is", f"the track, by the first that fits: {'; '.join([*rules, f'else {self.default}'])}{people}")]

    def problems(self, names: Names) -> Iterator[Problem]:
        """References: profile fields. What time moves is no track."""
        for place, rule in enumerate(self.rules):
            when = rule.when or {}
            yield from ((f"rules.{place}.{path}", what) for path, what in when_problems(when, names))
            for name, spec in when.items():
                if name in names.measures or name in names.dimensions:
                    yield f"rules.{place}.when.{name}", "tracks are chosen by the profile alone: name a profile field"
                elif content_of(name) == "date" and isinstance(spec, LimitsSpec):
                    yield f"rules.{place}.when.{name}", "changes by itself with time, and a track must not"


class Tracks:
    """The compiled tracks."""

    def __init__(self, spec: TracksSection, parts: Parts) -> None:
        self.names, self._profile_wins = spec.names(), spec.profile_wins
        self._rules = [
            (self.names.index(rule.track), Conditions(rule.when, f"tracks.{place}", parts))
            for place, rule in enumerate(spec.rules)
            if rule.when is not None
        ]
        self._kept = "tracks.number"
        meaning = identity(["tracks", spec.model_dump(mode="json"), parts.locale.exchange.meaning])
        self.columns = [Column(self._kept, "<u1", meaning), *(column for _, when in self._rules for column in when.columns)]

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Choose the track again."""
        for _, conditions in self._rules:
            conditions.recall(row, dossier)
        said = dossier.known("track") if self._profile_wins else None
        chosen = next((number for number, conditions in self._rules if conditions.holds(row, 0)), 0)
        row[self._kept] = self.names.index(said) if isinstance(said, str) and said in self.names else chosen

    def number(self, row: Row) -> int:
        """The account's track."""
        return int(row[self._kept])
