"""What a projection counts about one partition; the partition's thread writes, the scrape reads."""

from collections import Counter

from agents.counters import LaneCounters


class ProjectionCounters(LaneCounters):
    """Beside what every lane counts: what changed in Redis and what did not, by its kind.

    `read_at_ms`: up to when all that was published is in Redis.
    """

    def __init__(self) -> None:
        super().__init__()
        self.changed: Counter[str] = Counter()
        self.unchanged: Counter[str] = Counter()
        self.unreadable = 0
        self.read_at_ms: int | None = None
        self.behind: dict[str, int] = {}
        self.repeats = 0
        self.rebuilds = 0
