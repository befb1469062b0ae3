"""The projection's Redis, where somebody has said which it is: it answers, and takes what the projection writes."""

from collections.abc import Iterator

from agents.doctor.findings import Finding, Ground, fine, wrong
from agents.projecting.store import Store


def redis(ground: Ground) -> Iterator[Finding]:
    """Everything that would keep `tierstream project` from starting."""
    if "redis_url" not in ground.settings.model_fields_set:
        yield fine("redis", "there is none: nothing is projected")
        return
    store = Store(ground.settings)
    # what Redis or the system said may hold a colon, what to do does not
    found = [wrong("redis", said, mend) for said, _, mend in (problem.rpartition(": ") for problem in store.problems())]
    yield from found or [fine("redis", f"{store.address} answers, and keeps what it is given")]
