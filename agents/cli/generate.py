"""`tierstream generate`: believable accounts at work, into Kafka or into a file."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from agents.cli.option_texts import instant_ms
from agents.cli.options import AsJson, BootstrapServers, Partitions, TopicPrefix, settings_from
from agents.cli.output import count_of, err, out, print_json
from agents.dying import ExitCode
from schemas.errors import SettingsError

if TYPE_CHECKING:
    from agents.generating.lives import Happening, Lives
    from agents.generating.producing import Tally

Accounts = Annotated[int, typer.Option(min=1, max=5_000_000, help="How many accounts live.")]
Rate = Annotated[float, typer.Option(min=0, help="Records a second; 0: as fast as they can be sent.")]
Seconds = Annotated[float, typer.Option(min=0.001, help="How long; with --history, --rate x --seconds records in all.")]
Seed = Annotated[int | None, typer.Option(help="The same seed (and --start) gives the same records. Default: another one each time.")]
Pace = Annotated[float, typer.Option(min=0.001, help="Days of an account's life in one second of the clock.")]
PoisonShare = Annotated[float, typer.Option(min=0, max=1, help="Share of interactions that are spoilt, in every way a producer can err.")]
History = Annotated[int | None, typer.Option(min=1, help="Spread the records over so many days of working hours, up to now.")]
Count = Annotated[int | None, typer.Option("--records", min=1, help="How many records, instead of rate x seconds.")]
Start = Annotated[
    str | None, typer.Option(help="When the first record occurs, ISO 8601 with a zone. Default: now (or --history days ago).")
]
OutFile = Annotated[Path | None, typer.Option("--out", help="Write JSON lines for `ingest` and `replay` instead of sending; - is stdout.")]


def generate(
    accounts: Accounts = 500,
    rate: Rate = 200,
    seconds: Seconds = 60,
    seed: Seed = None,
    pace: Pace = 1.0,
    poison_share: PoisonShare = 0.0,
    history: History = None,
    records: Count = None,
    start: Start = None,
    out_file: OutFile = None,
    bootstrap_servers: BootstrapServers = None,
    topic_prefix: TopicPrefix = None,
    partitions: Partitions = None,
    as_json: AsJson = False,
) -> None:
    """Let accounts live: visits, downloads, price inquiries, calls, orders, predictions, a lawsuit that is later withdrawn.

    [dim]Examples:[/]  tierstream generate --rate 500 --seconds 30
               tierstream generate --history 90 --records 100000 --seed 7 --out history.jsonl
    """
    asked = _Asked(accounts, rate, seconds, seed, pace, history, records, start)
    if out_file is not None:
        _refuse_poison(poison_share)
        with _opened(out_file) as file:
            written = _write(asked.happenings(live=False), file)
        if out_file != Path("-"):
            out().print(f"{count_of(written, 'record')} of {count_of(accounts, 'account')} written to {out_file}")
        return
    settings = settings_from(bootstrap_servers=bootstrap_servers, topic_prefix=topic_prefix, partitions=partitions)
    tally = _send(settings, asked, poison_share)
    _report(tally, as_json)
    raise typer.Exit(ExitCode.FOUND_A_PROBLEM if tally.undelivered.total() else ExitCode.FINE)


class _Asked:
    """What the options ask for."""

    def __init__(
        self,
        accounts: int,
        rate: float,
        seconds: float,
        seed: int | None,
        pace: float,
        history: int | None,
        records: int | None,
        start: str | None,
    ) -> None:
        from random import Random

        self.accounts, self.rate, self.seconds, self.pace, self.history = accounts, rate, seconds, pace, history
        self.random = Random(seed)
        self.seeded = seed is not None
        self.count = records if records is not None else int((rate or 10_000) * seconds)
        self.exact_count = records
        self.start_at_ms = self._start(start)

    def _start(self, start: str | None) -> int:
        from agents.clocks import wall_clock
        from agents.generating.phases import DAY_MS

        start_ms = instant_ms("--start", start)
        return start_ms if start_ms is not None else wall_clock() - (self.history or 0) * DAY_MS

    def lives(self) -> "Lives":
        """The accounts. Event ids carry the start, so that another run at another time never repeats one."""
        from agents.generating.lives import Lives

        history_paced = 1.0 if self.history else self.pace * 86_400
        return Lives(self.random, self.accounts, start_at_ms=self.start_at_ms, pace=history_paced, run=f"g{self.start_at_ms:x}")

    def happenings(self, *, live: bool) -> "Iterator[Happening]":
        """Births first, then life: at the wall clock's time when live, else at instants of the file's own time."""
        lives = self.lives()
        yield from lives.births()
        yield from lives.stream(self._live_instants() if live else self._instants())

    def _instants(self) -> Iterable[int]:
        from agents.generating.working_hours import in_working_hours, steady

        if self.history:
            return in_working_hours(self.random, self.start_at_ms, self.history, self.count)
        rate = self.rate or 10_000
        return steady(self.start_at_ms, rate, self.count / rate)

    def _live_instants(self) -> Iterator[int]:
        import time
        from itertools import count

        from agents.clocks import wall_clock

        most = self.count if self.rate else self.exact_count
        ends_at_s = time.monotonic() + self.seconds
        for number in count():
            if number == most or (self.exact_count is None and time.monotonic() >= ends_at_s):
                return
            yield wall_clock()

    @property
    def is_live(self) -> bool:
        """Whether records occur as they are sent."""
        return self.history is None


def _send(settings: Any, asked: _Asked, poison_share: float) -> "Tally":
    from agents.generating.poison import Poisoner
    from agents.generating.producing import Feeder
    from agents.provisioning import check_topics
    from agents.registry import codec_for

    if problems := check_topics(settings):
        raise SettingsError(problems)
    poisoner = Poisoner(asked.random, poison_share, settings.partitions, codec_for(settings))
    records = map(poisoner.frame, asked.happenings(live=asked.is_live))
    feeder = Feeder(settings, rate=asked.rate if asked.is_live and asked.rate else None)
    console = err()
    if not console.is_terminal:
        return feeder.feed(records)
    with console.status("sending") as status:
        return feeder.feed(records, on_progress=lambda tally: status.update(f"sent {tally.records:,} records"))


def _report(tally: "Tally", as_json: bool) -> None:
    rate = tally.records / tally.seconds if tally.seconds else 0.0
    undelivered = {name: count for name, count in tally.undelivered.items() if count}
    if as_json:
        faults = {reason.value: count for reason, count in tally.faults.items()}
        print_json(
            {
                "records": tally.records,
                "seconds": round(tally.seconds, 3),
                "topics": dict(tally.sent),
                "spoilt": faults,
                "undelivered": undelivered,
            }
        )
        return
    out().print(f"{count_of(tally.records, 'record')} in {tally.seconds:.1f} s ({rate:,.0f}/s), {tally.faults.total():,} spoilt on purpose")
    for name, count in undelivered.items():
        err().print(f"[red]{count:,} not delivered:[/] {name}")


def _refuse_poison(share: float) -> None:
    if share:
        raise SettingsError("--poison-share spoils bytes and keys, which a file of JSON lines does not have: leave out one of it and --out")


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    if path == Path("-"):
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8") as file:
            yield file
    except OSError as problem:
        raise SettingsError(f"--out {path} cannot be written: {problem.strerror}") from problem


def _write(happenings: "Iterable[Happening]", file: TextIO) -> int:
    from agents.json_lines import line_of

    written = 0
    for written, happening in enumerate(happenings, 1):  # noqa: B007  the count is the answer
        file.write(line_of(happening.topic, happening.record) + "\n")
    return written
