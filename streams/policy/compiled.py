"""The policy as the fold uses it: compiled measures, dimensions, weights, schemes, and the layout of a row."""

import hashlib
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec
from numpy.typing import NDArray

from schemas.topics import INPUTS
from streams.calendars import Calendar
from streams.clocks.common import Clock
from streams.clocks.watch import Watch
from streams.columns import Column, identity, laid_out, template
from streams.dossier import Dossier
from streams.earned import Claim, band
from streams.kinds import Dimension, Locale, Measure, Row
from streams.lasting import LastingTrigger
from streams.measures import compiled
from streams.measures.profile import ProfileNumber
from streams.measures.rolling import Rolling
from streams.money import Exchange
from streams.parts import Parts
from streams.policy.model import PolicyDocument
from streams.schemes.ladder import Ladder
from streams.schemes.override import OverrideSpec
from streams.schemes.rating import Rating
from streams.tracks import Tracks
from streams.triggers import Trigger, TriggerSpec
from streams.units import UNBOUNDED, local_day_in, micro

RECENT_IDS = 16
"""Event ids remembered per account: a repeated one among the last 16 counts once."""

_ENGINE = identity("account columns, 1")

ACCOUNT_COLUMNS = [
    Column("account.born_topic", "<u1", _ENGINE),
    Column("account.born_offset", "<i8", _ENGINE),
    Column("account.clock_ms", "<i8", _ENGINE),
    Column("account.deadline_ms", "<i8", _ENGINE, start=UNBOUNDED),
    Column("account.records", "<u4", _ENGINE),
    Column("account.last_topic", "<u1", _ENGINE),
    Column("account.last_offset", "<i8", _ENGINE),
    Column("account.last_at_ms", "<i8", _ENGINE),
    Column("account.revision", "<u4", _ENGINE),
    Column("ids.recent", "<u8", _ENGINE, (RECENT_IDS,)),
    Column("ids.fill", "<u1", _ENGINE),
    Column("ids.next", "<u1", _ENGINE),
]
"""What every account has under every policy."""


class Scheme(NamedTuple):
    """A compiled scheme: its ladder, its gate, and the names of its columns. `rating` None: it goes by the policy's score."""

    name: str
    ladder: Ladder
    rating: Rating | None
    announce_entry: bool
    ceilings: dict[str, int]
    triggers: list[Trigger]
    lasting: list[LastingTrigger]
    hot: frozenset[int]
    override: OverrideSpec | None
    columns: list[Column]
    column_of: dict[str, str]

    def column(self, part: str) -> str:
        """The row's column for a part of this scheme."""
        return self.column_of[part]


def _scheme_columns(name: str, ladder: Ladder, meaning: str) -> list[Column]:
    top = len(ladder.tiers) - 1
    wide = {"score_micro": 0, "low_micro": -UNBOUNDED, "high_micro": UNBOUNDED, "effective_at_ms": 0}
    wide |= {"since_ms": 0, "stepped_ms": -1, "pending_ms": UNBOUNDED}
    narrow = {"earned": 0, "seated": 0, "gated": 0, "published": 0, "ceiling": top, "lift": 0, "clock_ceiling": top}
    return [
        *(Column(f"schemes.{name}.{part}", "<i8", meaning, start=start) for part, start in wide.items()),
        Column(f"schemes.{name}.sequence", "<u4", meaning),
        *(Column(f"schemes.{name}.{part}", "<u1", meaning, start=start) for part, start in narrow.items()),
    ]


def _override_columns(name: str, ladder: Ladder) -> list[Column]:
    """Tier and expiry (UNBOUNDED: there is none) of a scheme whose tier people may override."""
    meaning = identity(["override", ladder.tiers])
    until = Column(f"schemes.{name}.override_until_ms", "<i8", meaning, start=UNBOUNDED)
    return [until, Column(f"schemes.{name}.override", "<u1", meaning)]


class Recalling(Protocol):
    """What keeps something of the profile in the row."""

    columns: list[Column]

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Recompute it, after the profile changed."""


class CompiledPolicy:
    """One policy, ready to fold. `digest` is 64 bits in hex of what it decides by: not of its words and its date of review."""

    def __init__(self, document: PolicyDocument, text: str = "") -> None:
        """`text`: the YAML that says it, which goes with it wherever it is kept."""
        self.document, self.text = document, text
        self.name, self.version, self.reviewed_on = document.policy, document.version, document.reviewed_on
        content = document.model_dump(mode="json", exclude={"description", "reviewed_on", "extends", "targets"})
        for part in ("tracks", "health", "alerts", "playbooks"):
            if not content[part]:
                del content[part]  # a policy without decides as it did before there were any
        self.digest = hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:16]
        self.max_ahead_ms = document.max_ahead
        self._compile_scoring(document)
        self.lateness_ms, self.act_within_ms, self.forecast_horizon_ms = document.lateness, document.act_within, document.forecast_horizon
        self.watches = self._compiled_watches(document)
        self.movers += self.watches
        self.recalling += self.watches
        self.clocks: list[Clock] = [*self._compiled_clocks(document), *self.watches]
        self.playbooks = {(scheme, tier): spec.record() for scheme, tiers in document.playbooks.items() for tier, spec in tiers.items()}
        self.inputs = self._named_inputs()
        self.columns = self._all_columns()
        self.layout = laid_out(self.columns)
        self.template = self._entry_template()
        self.layout = self.layout.starting(self.template)

    def _compile_scoring(self, document: PolicyDocument) -> None:
        local_day = local_day_in(ZoneInfo(document.timezone))
        locale = Locale(document.timezone, local_day, Exchange(document.currency, document.rates, local_day))
        self._named: dict[str, Measure] = compiled(document.measures, locale)
        scored_first = [*document.score, *(name for name in document.dimensions if name not in document.score)]
        every = {name: document.dimensions[name].compile(name, self._named) for name in scored_first}
        self.parts = Parts(self._named, every, locale)
        self.tracks = Tracks(document.tracks, self.parts) if document.tracks else None
        self.parts = self.parts._replace(tracks=self.tracks)
        self.dimensions: list[Dimension] = [every[name] for name in document.score]
        self.weights = list(document.score.values())
        self.worth_columns = [f"dimensions.{name}.micro" for name in document.score]
        self.schemes = self._compiled_schemes(document)
        ratings = [scheme.rating for scheme in self.schemes if scheme.rating is not None]
        self.sources: list[Dimension | Rating] = [*every.values(), *ratings]
        """What measures and dossier are made into: every dimension, in the score or not, and what schemes go by."""
        self.movers: list[Dimension | Rating | Watch] = [*self.dimensions, *ratings]
        """What time may move that decides."""
        self.measures = [*self._named.values(), *(measure for source in self.sources for measure in source.own_measures)]
        self.recalling: list[Recalling] = [measure for measure in self.measures if isinstance(measure, ProfileNumber)]
        self.recalling += [*([self.tracks] if self.tracks else []), *self.sources]
        self.recalling += [trigger for scheme in self.schemes for trigger in scheme.triggers if trigger.from_profile]
        self._rolling = [measure for measure in self.measures if isinstance(measure, Rolling)]
        self.measures_of = {topic: [measure for measure in self.measures if measure.topic == topic] for topic in INPUTS}

    def _compiled_schemes(self, document: PolicyDocument) -> list[Scheme]:
        schemes = []
        for name, spec in document.schemes.items():
            ladder, rating = spec.ladder(), spec.rating(name, self.parts)
            meaning = identity([spec.model_dump(mode="json", exclude={"override"}), document.score])
            ceilings = {kind: ladder.tiers.index(risk.ceiling) for kind, risk in spec.risk.items()}
            triggers = [self._compiled_trigger(document, name, place, trigger, ladder) for place, trigger in enumerate(spec.triggers)]
            lasting = [trigger for trigger in triggers if isinstance(trigger, LastingTrigger)]
            hot = frozenset(ladder.tiers.index(tier) for tier in spec.hot)
            columns = _scheme_columns(name, ladder, meaning) + [column for trigger in triggers for column in trigger.columns]
            columns += rating.columns if rating else []
            columns += _override_columns(name, ladder) if spec.override is not None else []
            column_of = {column.name.removeprefix(f"schemes.{name}."): column.name for column in columns}
            about = (spec.announce_entry, ceilings, triggers, lasting, hot, spec.override)
            schemes.append(Scheme(name, ladder, rating, *about, columns, column_of))
        return schemes

    def _compiled_trigger(self, document: PolicyDocument, scheme: str, place: int, spec: TriggerSpec, ladder: Ladder) -> Trigger:
        tier, named = ladder.tiers.index(spec.lift_to), f"schemes.{scheme}.triggers.{place}"
        if spec.lasts is None:
            return Trigger(spec, tier, named, self.parts)
        asked = {**document.dimensions, **document.measures}
        conditions = {name: asked[name].model_dump(mode="json") for name in spec.when if name in asked}
        return LastingTrigger(spec, tier, named, self.parts, identity(["lasting", spec.model_dump(mode="json"), conditions]))

    def _compiled_clocks(self, document: PolicyDocument) -> list[Clock]:
        tiers = {scheme.name: scheme.ladder.tiers for scheme in self.schemes}
        only, calendar = next(iter(tiers)), Calendar(document.calendar, document.timezone)
        return [spec.compile(name, spec.scheme or only, tiers[spec.scheme or only], calendar) for name, spec in document.clocks.items()]

    def _compiled_watches(self, document: PolicyDocument) -> list[Watch]:
        tiers = {scheme.name: scheme.ladder.tiers for scheme in self.schemes}
        only = next(iter(tiers))
        alerts = [spec.watch(name, spec.scheme or only, tiers[spec.scheme or only], self.parts) for name, spec in document.alerts.items()]
        spec = document.health
        return [*alerts, spec.watch(spec.scheme or only, tiers[spec.scheme or only], self.parts)] if spec else [*alerts]

    def _named_inputs(self) -> tuple[str, ...]:
        """The input topics this policy reads, in merge rank order."""
        named = {measure.topic for measure in self.measures}
        named.update(topic for source in self.sources for topic in source.topics)
        if self.tracks is not None or any(trigger.from_profile for scheme in self.schemes for trigger in scheme.triggers):
            named.add("profiles")
        if any(scheme.ceilings for scheme in self.schemes):
            named.add("risks")
        named.update(topic for clock in self.clocks for topic in clock.topics)
        return tuple(topic for topic in INPUTS if topic in named)

    def _all_columns(self) -> list[Column]:
        dimension_columns = [Column(name, "<i8", identity(["micro", self.digest])) for name in self.worth_columns]
        tracks = [self.tracks] if self.tracks else []
        parts: list[Any] = [*self.measures, *self.parts.dimensions.values(), *tracks, *self.schemes, *self.clocks]
        return [*ACCOUNT_COLUMNS, *dimension_columns, *(column for part in parts for column in part.columns)]

    def _entry_template(self) -> NDArray[Any]:
        """The row of an account of which nothing is known yet: its dimensions are worth what they are without a record."""
        entry = template(self.layout, self.columns)
        points = [dimension.at(entry[0], 0) for dimension in self.dimensions]
        for column, worth in zip(self.worth_columns, points, strict=True):
            entry[column] = micro(worth)
        score = sum(weight * worth for weight, worth in zip(self.weights, points, strict=True))
        for scheme in self.schemes:
            number, shown = (score, score) if scheme.rating is None else (scheme.rating.at(entry[0], 0), scheme.rating.points(entry[0], 0))
            entry[scheme.column("score_micro")] = micro(shown)
            claim = Claim(micro(number), 0, len(scheme.ladder.tiers) - 1)
            entry[scheme.column("low_micro")], entry[scheme.column("high_micro")] = band(scheme.ladder, 0, claim)
            if scheme.ladder.reached(claim.number_micro):
                entry[scheme.column("pending_ms")] = 0  # worth more than the lowest tier without a record: the first one decides
        return entry

    def recall(self, row: Row, dossier: Dossier) -> None:
        """Bring what the row keeps of the profile up to it."""
        for each in self.recalling:
            each.recall(row, dossier)

    def owned_again(self, row: Row) -> None:
        """The account has left the pool at its clock: who has it now has a whole period of what put it there."""
        for clock in self.clocks:
            clock.owned_again(row)

    def fresh_until(self, row: Row) -> int:
        """Before this instant (ms) the row is enough to evaluate every measure; from there on it needs `renew`."""
        return min((measure.fresh_until(row) for measure in self._rolling), default=UNBOUNDED)

    def renew(self, row: Row, dossier: Callable[[], Dossier], at_ms: int) -> None:
        """Make the row enough for `at_ms` and a time after it; the dossier is read only if need be."""
        if any(not measure.covers(row, at_ms) for measure in self._rolling):
            kept = dossier()
            for measure in self._rolling:
                measure.renew(row, kept, at_ms)

    @property
    def folded(self) -> tuple[str, ...]:
        """Every input that a lane folds, in merge rank order: those that the policy reads, the commands, and changes of the policy."""
        return tuple(topic for topic in INPUTS if topic in self.inputs or topic in ("commands", "policies"))

    @property
    def scheme_names(self) -> tuple[str, ...]:
        """The ladders an account stands on."""
        return tuple(scheme.name for scheme in self.schemes)
