"""Money in the policy's one currency: amounts are converted at the rate in force when the record happened, never summed across.

A rate says how much one unit of a foreign currency is worth in the policy's own, from the start of its local day on. Conversion
is exact (rational arithmetic on the decimals as written) and rounded once, halves up, to integer minor units. A currency
without a rate in force is refused: nobody guesses.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import floor
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.errors import Reason, RecordRejected

Currency = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
"""An ISO 4217 code."""

Rates = Mapping[str, Mapping[date, Decimal]]

DatedRates = Annotated[dict[date, Annotated[Decimal, Field(gt=0)]], Field(min_length=1)]
"""Day -> what one unit of the currency is worth from that day on."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MINOR_DIGITS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point, where they are not two. Source: ISO 4217."""


def minor_digits(currency: str) -> int:
    """How many digits the minor unit of a currency has."""
    return _MINOR_DIGITS.get(currency, 2)


class Exchange:
    """The policy's currency, and what others are worth in it."""

    def __init__(self, currency: str, rates: Rates, local_day: Callable[[int], int]) -> None:
        self.currency, self._local_day = currency, local_day
        self.minor_per_unit = 10 ** minor_digits(currency)
        self._days = {foreign: sorted(day.toordinal() - _EPOCH_DAY for day in dated) for foreign, dated in rates.items()}
        self._factors = {foreign: [self._factor(foreign, dated[day]) for day in sorted(dated)] for foreign, dated in rates.items()}
        self.meaning = [currency, {foreign: {str(day): str(rate) for day, rate in dated.items()} for foreign, dated in rates.items()}]

    def _factor(self, foreign: str, rate: Decimal) -> Fraction:
        return Fraction(rate) * Fraction(self.minor_per_unit, 10 ** minor_digits(foreign))

    def check(self, currency: str, occurred_at_ms: int) -> None:
        """Raises RecordRejected if no rate of the currency is in force at that instant."""
        if currency == self.currency:
            return
        if currency not in self._days:
            known = ", ".join(sorted({self.currency, *self._days}))
            raise RecordRejected(Reason.UNKNOWN_CURRENCY, f"currency must be one the policy has a rate for ({known}), got {currency!r}")
        first_day = self._days[currency][0]
        if self._local_day(occurred_at_ms) < first_day:
            first = date.fromordinal(first_day + _EPOCH_DAY)
            raise RecordRejected(
                Reason.UNKNOWN_CURRENCY, f"currency {currency} has no rate before {first}, got a record of {occurred_at_ms}"
            )

    def own_minor(self, amount_minor: int, currency: str, occurred_at_ms: int) -> int:
        """The amount in minor units of the policy's currency; `check` has let the currency pass."""
        if currency == self.currency:
            return amount_minor
        place = bisect_right(self._days[currency], self._local_day(occurred_at_ms)) - 1
        return floor(amount_minor * self._factors[currency][place] + Fraction(1, 2))
