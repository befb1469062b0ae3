"""The order of events: set up, let accounts live, show, wait until everything is folded, audit, sum up, take down.

Rules: it ends by itself; Ctrl-C and SIGTERM end it early through the same door; what it claims at the end it has read from Kafka.
"""

import signal
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from random import Random
from types import FrameType
from typing import NamedTuple, Protocol

from agents.auditing import Audit, audited
from agents.clocks import wall_clock
from agents.demo.leads import Leads
from agents.demo.screen import Figures
from agents.demo.stage import Stage
from agents.demo.watching import Watch
from agents.embedded.progress import Progress
from agents.generating.lives import Happening, Lives
from agents.generating.poison import Framed, Poisoner
from agents.generating.producing import Feeder, Tally
from agents.reading import committed_records
from schemas.codec import Codec
from schemas.errors import Reason
from streams.policy import CompiledPolicy

DAYS_PER_SECOND = 86_400.0
FOLDED_WITHIN_S = 15.0
PROJECTED_WITHIN_S = 30.0
RATE_OVER_S = 3.0
REFRESH_S = 0.1


class Plan(NamedTuple):
    """What to show. `policy_file` is where `policy` was read from."""

    policy: CompiledPolicy
    policy_file: Path
    accounts: int
    rate: float
    seconds: float
    seed: int | None
    poison_share: float


class View(Protocol):
    """Where the demo is shown."""

    def update(self, watch: Watch, names: dict[str, str], figures: Figures) -> None:
        """Show the present state."""


class Summary(NamedTuple):
    """What happened, as read back from Kafka and Redis. `complete`: every record that was sent has been folded, every lead projected."""

    watch: Watch
    audit: Audit
    sent: int
    faults: Counter[Reason]
    complete: bool
    interrupted: bool
    fed_s: float
    first_after_s: float | None
    leads: Leads | None


class Interrupted(KeyboardInterrupt):
    """SIGINT, SIGTERM or SIGHUP."""


def run(plan: Plan, began_s: float, progress: Progress, shown: Callable[[], AbstractContextManager[View]]) -> Summary:
    """The whole demo. `began_s`: monotonic seconds at which the command was given."""
    asked = threading.Event()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        asked.set()
        raise Interrupted

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    with Stage(plan.policy_file, progress) as stage:
        return _Show(plan, stage, began_s, asked).run(progress, shown)


class _Show:
    """One run on a stage that is set."""

    def __init__(self, plan: Plan, stage: Stage, began_s: float, asked: threading.Event) -> None:
        """`asked`: somebody wants it to end; the exception alone is lost where it comes into a finalizer or a callback."""
        self._plan, self._stage, self._began_s, self._asked = plan, stage, began_s, asked
        self._started_at_ms = wall_clock()
        self._random = Random(plan.seed)
        self._lives = Lives(self._random, plan.accounts, start_at_ms=self._started_at_ms, pace=DAYS_PER_SECOND, run="demo")
        self._names = {account.account_id: account.name for account in self._lives.accounts}
        self._tally = Tally()
        self._stop = threading.Event()
        scheme = plan.policy.schemes[0]
        self.ladder = tuple(scheme.ladder.tiers)
        self._leads: Leads | None = None
        self._watch = Watch(stage.settings, self.ladder[0], plan.accounts)
        self._folded: deque[tuple[float, int]] = deque()
        self._first_after_s: float | None = None

    def run(self, progress: Progress, shown: Callable[[], AbstractContextManager[View]]) -> Summary:
        """Feed and show until the time is up or somebody ends it."""
        self._watch.start()
        feeder = Feeder(self._stage.settings, rate=None, tally=self._tally)
        feeder.feed(self._framed(self._lives.births(), share=0.0))
        progress(f"waiting for the worker, which shows itself at {self._stage.web}")
        self._stage.await_ready()
        if self._stage.project():
            self._leads = Leads(self._stage.settings)
        feeding = threading.Thread(target=self._feed, name="feed")
        interrupted = False
        self._fed_from_s = time.monotonic()
        try:
            with shown() as view:
                feeding.start()
                self._show_until(view, lambda: not feeding.is_alive(), self._plan.seconds + FOLDED_WITHIN_S)
                self._show_until(view, self._all_folded, FOLDED_WITHIN_S)
        except KeyboardInterrupt:
            interrupted = True
        finally:
            self._stop.set()
            if feeding.is_alive():
                feeding.join()
        return self._summed_up(interrupted)

    def _feed(self) -> None:
        Feeder(self._stage.settings, rate=self._plan.rate, tally=self._tally).feed(
            self._framed(self._lives.stream(self._instants()), share=self._plan.poison_share), self._stop
        )

    def _instants(self) -> Iterator[int]:
        ends_at_s = time.monotonic() + self._plan.seconds
        while time.monotonic() < ends_at_s:
            yield wall_clock()

    def _framed(self, happenings: Iterator[Happening], share: float) -> Iterator[Framed]:
        return map(Poisoner(self._random, share, self._stage.settings.partitions, Codec()).frame, happenings)

    def _show_until(self, view: View, over: Callable[[], bool], at_most_s: float) -> None:
        give_up_at = time.monotonic() + at_most_s
        while not over() and time.monotonic() < give_up_at:
            if self._asked.is_set():
                raise Interrupted
            self._stage.require_worker()
            view.update(self._watch, self._names, self._figures())
            time.sleep(REFRESH_S)
        view.update(self._watch, self._names, self._figures())

    def _figures(self) -> Figures:
        now_s, policy = time.monotonic(), self._plan.policy
        if self._first_after_s is None and self._watch.transitions:
            self._first_after_s = now_s - self._began_s
        self._folded.append((now_s, self._watch.folded))
        while now_s - self._folded[0][0] > RATE_OVER_S:
            self._folded.popleft()
        if self._leads is not None:
            self._leads.look()
        then_s, then = self._folded[0]
        per_second = (self._watch.folded - then) / (now_s - then_s) if now_s > then_s else 0.0
        return Figures(
            title=f"policy {policy.name} {policy.version}: ladder {' < '.join(self.ladder)}",
            where=f"real Kafka at {self._stage.settings.bootstrap_servers}, worker at {self._stage.web}/metrics, a day of life each second",
            elapsed_s=now_s - self._fed_from_s,
            seconds=self._plan.seconds,
            per_second=per_second,
            sent=self._expected(),
            spoilt=self._tally.faults.total(),
            first_after_s=self._first_after_s,
            leads=self._leads,
        )

    def _expected(self) -> int:
        """Records sent on the topics that the policy reads: those the worker folds."""
        return sum(self._tally.sent[topic] for topic in self._plan.policy.inputs)

    def _all_folded(self) -> bool:
        return self._watch.folded >= self._expected() and self._watch.dead.total() >= self._tally.faults.total()

    def _all_projected(self) -> bool:
        """Whether every hot lead that was published is in Redis; of very many the newest."""
        if self._leads is None:
            return True
        self._leads.look()
        return self._leads.count >= min(self._watch.leads, self._stage.settings.lead_stream_length)

    def _summed_up(self, interrupted: bool) -> Summary:
        complete = self._awaited(self._all_folded, FOLDED_WITHIN_S)
        if not interrupted:
            complete = self._awaited(self._all_projected, PROJECTED_WITHIN_S) and complete
        self._watch.end()
        audit = audited(committed_records(self._stage.settings, "tier-transitions"), Codec())
        return Summary(
            watch=self._watch,
            audit=audit,
            sent=self._expected(),
            faults=self._tally.faults,
            complete=complete,
            interrupted=interrupted,
            fed_s=self._tally.seconds,
            first_after_s=self._first_after_s,
            leads=self._leads,
        )

    @staticmethod
    def _awaited(condition: Callable[[], bool], timeout_s: float) -> bool:
        give_up_at = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > give_up_at:
                return False
            time.sleep(REFRESH_S)
        return True
