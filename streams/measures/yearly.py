"""`yearly_weighted`: one number of the last years, each year by its weight, so that one lucky year does not decide.

A year is 365 days back from now, not a calendar year: the first weight is for the last 365 days, the second for the 365 before them.
It is a windowed sum that is looked at once for each year, and as exact. Source: facts 003-04.
"""

from collections.abc import Iterator

from pydantic import Field, field_validator

from streams.kinds import Locale, Problem
from streams.measures.matching import NOUNS, number_problems
from streams.measures.rolling import Counted
from streams.measures.windowed import RollingSpec, less_refunds
from streams.units import DAY_MS
from streams.windows import Frame, Look
from streams.words import Said, Words, both, spaced

YEAR_MS = 365 * DAY_MS


class YearlyWeightedSpec(RollingSpec):
    """A number summed over each of the last years, weighted."""

    yearly_weighted: str = Field(description="`amount` or `cost` (money, less refunds), or a numeric field")
    weights: list[float] = Field(min_length=2, max_length=5, description="what each year counts, the last one first; they sum to 1")

    @field_validator("weights")
    @classmethod
    def _sum_to_one(cls, weights: list[float]) -> list[float]:
        if any(weight <= 0 for weight in weights) or abs(sum(weights) - 1) > 1e-9:
            raise ValueError(f"weights must be above 0 and sum to 1, got {', '.join(f'{weight:g}' for weight in weights)}")
        return weights

    def measured_problems(self) -> Iterator[Problem]:
        """The field."""
        yield from number_problems(self.from_, "yearly_weighted", self.yearly_weighted)

    def said(self, words: Words) -> list[Said]:  # noqa: ARG002
        """What is weighted, and how."""
        return [Said("is", f"{self.phrase()} of the last {len(self.weights)} years, weighted {both([f'{w:.0%}' for w in self.weights])}")]

    def phrase(self) -> str:
        """What is measured, without the years."""
        return f"the {spaced(self.yearly_weighted)} of {self.records([NOUNS[self.from_]])}"

    def counted(self, locale: Locale) -> Counted:
        """The number; a refund takes away."""
        return less_refunds(self, self.yearly_weighted, locale)

    def frame(self) -> Frame:
        """One look for each year."""
        return Frame(self.total(), YEAR_MS, tuple(Look(year * YEAR_MS, weight) for year, weight in enumerate(self.weights)))
