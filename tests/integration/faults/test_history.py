"""18 months of real orders, with kills all the way: of the workers while they fold, of the import while it writes.

The whole file goes through, and every transition there is must be the oracle's, no other and none twice.
"""

import signal
import time
from pathlib import Path
from random import Random

import pytest

from agents.reading import end_of
from tests.integration.commands import Commands
from tests.integration.faults.conftest import Fragile
from tests.integration.faults.scene import Mortal, killed_at_random, lanes_of
from tests.integration.test_orders import as_changes, transitions_in
from tests.oracle.orders_rfm import changes
from tests.oracle.reading import Deployment
from tests.oracle.sales import FIGURES, history
from tests.waiting import eventually
from tests.workers import deployment

PARTITIONS = 4
KILLS = 12
LONGEST_S = 8.0
WRITTEN = 2_000
"""So many of the orders lie in Kafka when the import is killed: a small part of them."""
INPUTS = ["orders", "ticks"]


@pytest.mark.faults
@pytest.mark.timeout(1_200)
def test_kills_change_nothing_in_how_real_orders_are_graded(
    fragile: Fragile, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap = fragile.broker.bootstrap
    settings = deployment(bootstrap, prefix, partitions=PARTITIONS, policy="orders-rfm", clock="records", session_timeout_s=3.0)
    commands = Commands(bootstrap, prefix, PARTITIONS)
    where = Deployment(bootstrap, prefix, settings.application_id, PARTITIONS)
    sold = history(tmp_path)
    began_at = time.monotonic()
    with Mortal(settings, tmp_path / "one.log") as one, Mortal(settings, tmp_path / "two.log") as two:
        importing = commands.start("ingest", "orders", str(sold.path), *FIGURES)
        eventually(lambda: sum(end_of(settings, "orders", n) for n in range(PARTITIONS)) > WRITTEN, 60, "the import is at work")
        importing.kill()
        assert importing.wait() == -signal.SIGKILL
        importing = commands.start("ingest", "orders", str(sold.path), *FIGURES)
        killed_at_random(Random(18), [one, two], KILLS, LONGEST_S)
        assert importing.wait(600) == 0
        eventually(lambda: len(lanes_of(one, two)) == PARTITIONS, 60, "all lanes")
        expected = {account: its for account, its in changes(sold.sales, sold.ends).items() if its}
        eventually(lambda: not where.behind(INPUTS), 600, "every record folded")
        took_s = time.monotonic() - began_at
        assert one.kills + two.kills == KILLS
        assert [one.stop(), two.stop()] == [0, 0]
    published = transitions_in(settings)
    with capsys.disabled():
        print(f"\n{len(sold.sales):,} {'real' if sold.real else 'invented'} orders, {KILLS + 1} kills, {took_s:.0f} s")
    assert as_changes(published) == expected
    assert not any(where.read("dead-letters")["dead-letters"].values())
