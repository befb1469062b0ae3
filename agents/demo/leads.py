"""The hot leads of the demo, as anybody would read them: out of Redis."""

import time
from collections.abc import Sequence

import msgspec

from agents.projecting.store import Away, Store
from agents.settings import Settings
from schemas.records import HotLead

SHOWN = 20
LOOK_EVERY_S = 0.3
_read = msgspec.json.Decoder(HotLead)


class Leads:
    """Looks every now and then; a Redis that does not answer shows what was there before."""

    def __init__(self, settings: Settings) -> None:
        self._store = Store(settings)
        self._looked_at_s = 0.0
        self.newest: Sequence[HotLead] = ()
        self.count = 0

    @property
    def where(self) -> str:
        """What it reads."""
        return f"{self._store.prefix}:leads in Redis at {self._store.address}"

    def look(self) -> None:
        """See what is there now, if the last look is long enough ago."""
        if time.monotonic() - self._looked_at_s < LOOK_EVERY_S:
            return
        self._looked_at_s = time.monotonic()
        try:
            self.newest = [_read.decode(lead["lead"]) for lead in self._store.leads(None, SHOWN)]
            self.count = self._store.lead_count()
        except Away:
            return
