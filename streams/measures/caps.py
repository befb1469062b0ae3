"""Caps and bursts of a `decayed` measure: what of a record's points counts.

Three limits, each with its own counters; points count as far as all of them have room, and use up room in each. Counters are of
local days and know the latest day they have seen and the day before it; a record of an earlier day is capped by itself, with a
full day's room. Points taken away (negative) have room of their own size.

- per kind and day: in the row;
- per contact and day: eight contacts in the row, the ninth and later in the dossier (256 of them, the oldest day forgotten
  first); a record without a contact is not capped;
- a burst: records of one kind less than `within` after the first of them count `counts_as` times in all. The row remembers each
  kind's latest burst; an older record that does not belong to it counts.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from pydantic import Field, field_validator

from schemas.records import Event
from streams.columns import Column
from streams.dossier import Spent
from streams.ids import id64
from streams.kinds import Opener, Problem, Row, Spec, unknown
from streams.units import PositiveDurationMs

CONTACTS_IN_ROW = 8
CONTACTS_IN_DOSSIER = 256

LocalDay = Callable[[int], int]


class BurstSpec(Spec):
    """Many of a kind within a moment."""

    kinds: list[str] = Field(min_length=1, description="the kinds, each by itself")
    within: PositiveDurationMs = Field(description="records less than this after the first one belong to its burst")
    counts_as: int = Field(default=1, ge=1, le=255, description="so many of a burst count")


class Caps(Spec):
    """The most points that count."""

    per_day: dict[str, float] = Field(default={}, description="kind -> points per account and local day")
    per_contact_day: float | None = Field(default=None, gt=0, description="points per contact and local day, over all kinds")
    burst: BurstSpec | None = None

    @field_validator("per_day")
    @classmethod
    def _positive(cls, per_day: dict[str, float]) -> dict[str, float]:
        if wrong := [f"{kind} {points}" for kind, points in per_day.items() if points <= 0]:
            raise ValueError(f"must be positive, got {', '.join(wrong)}")
        return per_day

    def kinds_problems(self, priced: frozenset[str]) -> Iterator[Problem]:
        """The kinds that caps speak of are priced."""
        for kind in self.per_day:
            if kind not in priced:
                yield f"per_day.{kind}", unknown("priced kind", kind, priced)
        for kind in self.burst.kinds if self.burst else ():
            if kind not in priced:
                yield "burst.kinds", unknown("priced kind", kind, priced)


class Claim(NamedTuple):
    """Points that ask to be counted."""

    slot: int
    day: int
    points: float
    contact: int | None


class Limits:
    """The compiled caps of one measure. `slots`: kind -> number."""

    def __init__(self, name: str, caps: Caps, slots: Mapping[str, int], local_day: LocalDay, meaning: str) -> None:
        self._local_day = local_day
        self._bursts = _Bursts(name, caps.burst, slots, meaning) if caps.burst else None
        self._kinds = _KindDays(name, caps.per_day, slots, meaning) if caps.per_day else None
        self._contacts = _ContactDays(name, caps.per_contact_day, meaning) if caps.per_contact_day else None
        self.columns = [column for part in (self._bursts, self._kinds, self._contacts) if part for column in part.columns]

    def opens(self, row: Row, slot: int, at_ms: int) -> bool:
        """Whether the record counts at all: False for the rest of a burst."""
        return self._bursts is None or self._bursts.counts(row, slot, at_ms)

    def counted(self, row: Row, slot: int, record: Event, points: float, dossier: Opener) -> float:
        """What of the points counts; the room they take is used up."""
        contact_id = getattr(record, "contact_id", None)
        claim = Claim(slot, self._local_day(record.occurred_at), points, None if contact_id is None else id64(contact_id))
        room = abs(points)
        if self._kinds is not None:
            room = min(room, self._kinds.room(row, claim))
        if self._contacts is not None:
            room = min(room, self._contacts.room(row, claim, dossier))
        if self._kinds is not None:
            self._kinds.use(row, claim, room)
        if self._contacts is not None and room:
            self._contacts.use(row, claim, room, dossier)
        return room if points > 0 else -room


class _KindDays:
    """Points per kind, today and yesterday."""

    def __init__(self, name: str, per_day: Mapping[str, float], slots: Mapping[str, int], meaning: str) -> None:
        self._place = {slots[kind]: place for place, kind in enumerate(per_day)}
        self._limits = list(per_day.values())
        self._day, self._used = f"measures.{name}.day", f"measures.{name}.used"
        self.columns = [Column(self._day, "<i4", meaning), Column(self._used, "<f8", meaning, (2, len(per_day)))]

    def room(self, row: Row, claim: Claim) -> float:
        """What is left of the kind's day."""
        if claim.slot not in self._place:
            return abs(claim.points)
        place = self._place[claim.slot]
        self._turn(row, claim.day)
        ago = int(row[self._day]) - claim.day
        return self._limits[place] - (float(row[self._used][ago][place]) if ago < 2 else 0.0)

    def _turn(self, row: Row, day: int) -> None:
        """A new day begins."""
        used, today = row[self._used], int(row[self._day])
        if day > today:
            used[1] = used[0] if day == today + 1 else 0.0
            used[0] = 0.0
            row[self._day] = day

    def use(self, row: Row, claim: Claim, points: float) -> None:
        """Points that count use up room."""
        ago = int(row[self._day]) - claim.day
        if claim.slot in self._place and ago < 2:
            row[self._used][ago][self._place[claim.slot]] += points


class _ContactDays:
    """Points per contact, today and yesterday."""

    def __init__(self, name: str, limit: float, meaning: str) -> None:
        self._limit, self._key = limit, f"{name} {meaning}"
        self._today, self._id, self._day, self._used = (
            f"measures.{name}.{part}" for part in ("contact_today", "contact", "contact_day", "contact_used")
        )
        shape = (CONTACTS_IN_ROW,)
        self.columns = [
            Column(self._today, "<i4", meaning, start=-1),
            Column(self._id, "<u8", meaning, shape),
            Column(self._day, "<i4", meaning, shape, start=-1),
            Column(self._used, "<f8", meaning, shape),
        ]

    def room(self, row: Row, claim: Claim, dossier: Opener) -> float:
        """What is left of the contact's day."""
        if claim.contact is None:
            return abs(claim.points)
        row[self._today] = max(int(row[self._today]), claim.day)
        place = self._place(row, claim)
        if place is not None:
            return self._limit - float(row[self._used][place])
        if self._is_old(row, claim.day) or self._free(row) is not None:
            return self._limit
        return self._limit - sum(spent.points for spent in dossier().spent.get(self._key, []) if _same(spent, claim))

    def use(self, row: Row, claim: Claim, points: float, dossier: Opener) -> None:
        """Points that count use up room; a new contact takes a free place in the row, else one in the dossier."""
        if claim.contact is None or self._is_old(row, claim.day):
            return
        place = self._place(row, claim)
        if place is None and (place := self._free(row)) is not None:
            row[self._id][place], row[self._day][place], row[self._used][place] = claim.contact, claim.day, 0.0
        if place is not None:
            row[self._used][place] += points
        else:
            self._spend(dossier, claim, points, int(row[self._today]))

    def _spend(self, dossier: Opener, claim: Claim, points: float, today: int) -> None:
        every = dossier().spent
        before = [spent for spent in every.get(self._key, []) if today - spent.day < 2]
        used = sum(spent.points for spent in before if _same(spent, claim))
        others = sorted((spent for spent in before if not _same(spent, claim)), key=lambda spent: (spent.day, spent.contact))
        every[self._key] = [*others[-(CONTACTS_IN_DOSSIER - 1) :], Spent(claim.contact or 0, claim.day, used + points)]

    def _is_old(self, row: Row, day: int) -> bool:
        return int(row[self._today]) - day > 1

    def _place(self, row: Row, claim: Claim) -> int | None:
        known = zip(row[self._id].tolist(), row[self._day].tolist(), strict=True)
        return next((place for place, entry in enumerate(known) if entry == (claim.contact, claim.day)), None)

    def _free(self, row: Row) -> int | None:
        return next((place for place, day in enumerate(row[self._day].tolist()) if self._is_old(row, day)), None)


def _same(spent: Spent, claim: Claim) -> bool:
    return (spent.contact, spent.day) == (claim.contact, claim.day)


class _Bursts:
    """The latest burst of each kind."""

    def __init__(self, name: str, spec: BurstSpec, slots: Mapping[str, int], meaning: str) -> None:
        self._within_ms, self._counts_as = spec.within, spec.counts_as
        self._place = {slots[kind]: place for place, kind in enumerate(dict.fromkeys(spec.kinds))}
        self._at, self._seen = f"measures.{name}.burst_ms", f"measures.{name}.burst_seen"
        shape = (len(self._place),)
        self.columns = [Column(self._at, "<i8", meaning, shape, start=-(1 << 62)), Column(self._seen, "<u1", meaning, shape)]

    def counts(self, row: Row, slot: int, at_ms: int) -> bool:
        """Whether a record of the kind counts; a new burst begins with the first one after the last burst."""
        if slot not in self._place:
            return True
        place = self._place[slot]
        after_ms = at_ms - int(row[self._at][place])
        if after_ms >= self._within_ms:
            row[self._at][place], row[self._seen][place] = at_ms, 1
            return True
        if after_ms <= -self._within_ms:
            return True
        if row[self._seen][place] < self._counts_as:
            row[self._seen][place] += 1
            return True
        return False
