"""What conditions and ratings may be made from: the compiled measures and dimensions of a policy, by name, and where it is at home."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

from streams.kinds import Dimension, Locale, Measure

if TYPE_CHECKING:
    from streams.tracks import Tracks


class Parts(NamedTuple):
    """What a condition or a rating may be made from."""

    measures: Mapping[str, Measure]
    dimensions: Mapping[str, Dimension]
    locale: Locale
    tracks: "Tracks | None" = None
