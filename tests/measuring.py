"""One measure by itself, for tests: its columns in a row of their own, its dossier, and the account's clock."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from schemas.records import Event
from streams.columns import Column, laid_out, template
from streams.dossier import Dossier, decode_dossier, encode_dossier
from streams.kinds import Line, Locale, Measure, Span
from streams.measures import compiled
from streams.money import DatedRates, Exchange
from streams.policy.model import MeasureSpec
from streams.units import local_day_in

_SPEC: TypeAdapter[Any] = TypeAdapter(MeasureSpec)
_RATES: TypeAdapter[Any] = TypeAdapter(dict[str, DatedRates])


def locale(timezone: str = "UTC", rates: Mapping[str, Any] | None = None) -> Locale:
    """A home for measures, in CNY."""
    local_day = local_day_in(ZoneInfo(timezone))
    return Locale(timezone, local_day, Exchange("CNY", _RATES.validate_python(rates or {}), local_day))


class Measuring:
    """The measure `m` of some measures; records are folded into all of them, as an account does."""

    def __init__(self, spec: dict[str, Any], others: Mapping[str, dict[str, Any]] | None = None, at_home: Locale | None = None) -> None:
        specs = {name: _SPEC.validate_python(each) for name, each in {**(others or {}), "m": spec}.items()}
        self.measures: dict[str, Measure] = compiled(specs, at_home or locale())
        self.measure = self.measures["m"]
        columns = [Column("account.clock_ms", "<i8", "clock"), *(column for each in self.measures.values() for column in each.columns)]
        self.layout = laid_out(columns)
        self.rows = template(self.layout, columns)
        self.dossier = Dossier()
        self.opened = 0

    @property
    def clock_ms(self) -> int:
        """The latest `occurred_at` folded."""
        return int(self.rows[0]["account.clock_ms"])

    def _open(self) -> Dossier:
        self.opened += 1
        return self.dossier

    def fold(self, *records: Event) -> "Measuring":
        """Fold records in this order."""
        for record in records:
            row = self.rows[0]
            row["account.clock_ms"] = max(self.clock_ms, record.occurred_at)
            for each in self.measures.values():
                each.check(record)
                each.fold(row, record, 0, self._open)
        return self

    def renew(self, at_ms: int) -> None:
        """Bring the row up to an instant, as the fold does before it evaluates."""
        for each in self.measures.values():
            each.renew(self.rows[0], self.dossier, at_ms)

    def at(self, at_ms: int) -> float:
        """The measure at an instant, the row brought up to it if need be."""
        if self.measure.fresh_until(self.rows[0]) <= at_ms:
            self.renew(at_ms)
        return self.measure.at(self.rows[0], at_ms)

    def span(self, from_ms: int, to_ms: int) -> Span:
        """Bounds, from the row as it is."""
        return self.measure.span(self.rows[0], from_ms, to_ms)

    def lines(self, at_ms: int) -> list[Line]:
        """Evidence, from the row as it is."""
        return self.measure.lines(self.rows[0], self.dossier, at_ms)

    def restore(self) -> None:
        """Write row and dossier as the changelog does, and read them again."""
        kept, dossier = self.rows.tobytes(), encode_dossier(self.dossier)
        self.rows[0] = template(self.layout, [])[0]
        self.rows.view("u1")[:] = list(kept)
        self.dossier = decode_dossier(dossier)
