"""Real orders from a file to their transitions: `ingest orders`, Kafka, two workers under `clock: records`.

The file is CDNOW_master.txt, 69,659 orders of 23,570 customers over 18 months, below TIERSTREAM_DATA or beside the checkout; it is not
ours to ship. The span runs from the start of the command to the last record folded; orders and ticks are both events.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from agents.auditing import audited
from agents.reading import committed_records
from agents.settings import ENV_PREFIX, Settings
from benchmarks.figures import Run, Tell
from benchmarks.stand import PARTITIONS, Stand, Worker
from schemas.codec import Codec

CHECKOUT = Path(__file__).parents[1]
FORM = ("--separator", "blanks", "--columns", "account_id=customer_id,occurred_at=date,amount=dollar_value", "--date-format", "%Y%m%d",
        "--timezone", "Asia/Shanghai", "--currency", "USD")  # fmt: skip
_LIMIT_S = 900.0


def orders_file() -> Path:
    """Where the orders are. Raises FileNotFoundError saying how to name another place."""
    data = Path(os.environ.get(f"{ENV_PREFIX}DATA") or CHECKOUT.parent / "shared" / "data")
    if not (file := data / "cdnow" / "CDNOW_master.txt").is_file():
        raise FileNotFoundError(f"the orders must be at {file}: set {ENV_PREFIX}DATA to the directory above cdnow/")
    return file


def measured(stand: Stand, policy: Path, *, customers: int, runs: int, tell: Tell) -> Iterator[Run]:
    """One result for each run, under topics of its own. `customers`: so many of the file's 23,570, spread over it."""
    file = _part(orders_file(), customers, stand.directory)
    for number in range(1, runs + 1):
        tell(f"orders: run {number} of {runs}")
        settings = stand.settings(f"orders-{number}", "bench").model_copy(update={"clock": "records"})
        with ExitStack() as both:
            workers = [both.enter_context(stand.worker(settings, policy)) for _ in range(2)]
            workers[0].await_metrics(lambda _, found=workers: _lanes(found) == PARTITIONS, 120.0, "both workers running")  # type: ignore[misc]
            yield _run(settings, file, workers) | _audited(settings)


def _part(file: Path, customers: int, directory: Path) -> Path:
    """The file, or every so many of its customers."""
    lines, part = file.read_text().splitlines(keepends=True), directory / "orders.txt"
    every = max(1, 23_570 // customers)
    part.write_text("".join([lines[0], *(line for line in lines[1:] if line.split() and int(line.split()[0]) % every == 0)]))
    return part


def _lanes(workers: list[Worker]) -> float:
    return sum(worker.metrics().get("tierstream_lane_state.running", 0.0) for worker in workers)


def _run(settings: Settings, file: Path, workers: list[Worker]) -> Run:
    began_at_s = time.monotonic()
    where = ("--bootstrap-servers", settings.bootstrap_servers, "--topic-prefix", settings.topic_prefix, "--partitions", str(PARTITIONS))
    command = [sys.executable, "-m", "agents.cli", "ingest", "orders", str(file), *FORM, *where, "--json"]
    variables = os.environ | {f"{ENV_PREFIX}APPLICATION_ID": settings.application_id}
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=_LIMIT_S)
    if done.returncode != 0:
        raise RuntimeError(f"the import ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    in_at_s, orders = time.monotonic(), int(json.loads(done.stdout)["accepted"])
    total = orders + sum(1 for _ in committed_records(settings, "ticks"))
    workers[0].await_metrics(lambda _: _folded(workers) >= total, _LIMIT_S, f"{total} records folded")
    took_s = time.monotonic() - began_at_s
    return {"end_to_end_s": took_s, "ingest_s": in_at_s - began_at_s, "orders": orders, "events": total, "events_per_s": total / took_s}


def _folded(workers: list[Worker]) -> float:
    return sum(worker.metrics().get("tierstream_events_total", 0.0) for worker in workers)


def _audited(settings: Settings) -> Run:
    audit = audited(committed_records(settings, "tier-transitions"), Codec())
    if audit.breaches:
        raise RuntimeError(f"audit found {len(audit.breaches)} breaches, the first: {audit.breaches[0]}")
    return {"transitions": audit.transitions}
