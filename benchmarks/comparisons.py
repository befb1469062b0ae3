"""The figures that compare: with other engines, with and without a promise, by accounts, partitions and workers."""

from collections.abc import Iterator

from benchmarks import growth, pairs, spreading
from benchmarks.peers import comparing
from benchmarks.plans import POLICIES, Plan, Row, on_stand, plain

_OVER = (("kafka-streams", ">= 3"), ("kafka-streams-tuned", ""), ("quix", ">= 8"), ("faust", ">= 50"))


def peers() -> Plan:
    """Every engine on the same job."""
    titles = [(engine.name, f"{engine.title} ({engine.durable})") for engine in comparing.engines()]
    of = dict(titles)
    return Plan(
        name="peers",
        title="The same job on other engines, one core each",
        how="A decayed score over interactions, three tiers with hysteresis, from the same topic in the same run, engine after engine, in "
        "an order that turns from run to run; one process on one core, the broker on the other. A warm-up shows every account to every "
        "engine; then counts what a read_committed consumer downstream can read of an engine's changes, by when it can read it: to the "
        "end of the topic, or for so many seconds. All changes of all engines are checked against one oracle in plain Python. Kafka "
        "Streams, Quix Streams and Faust have their defaults where nothing is said; tierstream has its own.",
        rows=(
            *(Row(f"{name} events_per_s", title, "1/s") for name, title in titles),
            *(Row(f"{name} cpu_us", f"processor time for an event: {title.partition(' (')[0]}", "us", 1) for name, title in titles),
            *(
                Row(f"over {name}", f"tierstream over {of[name].partition(' (')[0]}, events a second", "times", 1, bar)
                for name, bar in _OVER
            ),
        ),
        minutes=14,
        sizes={"accounts": 50_000, "records": 2_000_000, "seconds": 12},
        small={"accounts": 2_000, "records": 600_000, "seconds": 8},
        take=lambda sizes, runs, tell: on_stand(lambda stand: plain(comparing.measured(stand, **sizes, runs=runs, tell=tell))),
    )


def costs() -> Iterator[Plan]:
    """What two promises cost."""
    yield _cost(
        "exactly-once",
        "plain-acks",
        "What exactly once costs",
        "With: as shipped. Without: the same records sent and acknowledged, but not in transactions.",
        "<= 15",
    )
    yield _cost(
        "telemetry",
        "uncounted",
        "What telemetry costs",
        f"With: every counter and histogram, scraped every {pairs.SCRAPE_S:g} s. Without: nothing counted, nothing scraped.",
        "<= 2",
    )


def _cost(name: str, variant: str, title: str, how: str, bar: str) -> Plan:
    return Plan(
        name=name,
        title=title,
        how=f"{how} Pairs of runs on the same records, in turn, by the worker's processor time for an event once every account is "
        "known. "
        "Smallest and largest are those of the second smallest and second largest pair: with nine pairs, an interval for the median of "
        "96 %.",
        rows=(
            Row("cost_percent", "cost", "%", 1, bar),
            Row("with_us", "processor time for an event", "us", 2),
            Row("without_us", "the same without", "us", 2),
        ),
        minutes=6,
        sizes={"accounts": 10_000, "records": 600_000, "pairs": 9},
        small={"accounts": 1_000, "records": 100_000, "pairs": 1},
        take=lambda sizes, _, tell: on_stand(
            lambda stand: plain(pairs.measured(stand, POLICIES / "sabc-live.yaml", variant, **sizes, tell=tell))
        ),
        trimmed=True,
    )


def by_size() -> Iterator[Plan]:
    """By the number of accounts, and of those that are hot."""
    policy = POLICIES / "sabc-live.yaml"
    in_memory = "In memory, one partition, policy `sabc-live`, batches of 20,000 events at random; decode, fold, decide and write."
    yield Plan(
        name="growth-accounts",
        title="What an event costs and an account takes, by the number of accounts",
        how=f"{in_memory} Every account has been seen before, with one record. Memory: what is resident more when all accounts are there.",
        rows=(
            *(Row(f"at {size}", f"{size:,} accounts, processor time for an event", "us", 2) for size in growth.SIZES),
            *(Row(f"bytes {size}", f"{size:,} accounts, memory for one", "B") for size in growth.SIZES),
        ),
        sizes={"most": 5_000_000, "batches": 10},
        small={"most": 100_000, "batches": 1},
        take=lambda sizes, runs, tell: plain(growth.by_accounts(policy, **sizes, runs=runs, tell=tell)),
        asked_for=True,
        minutes=2,
    )
    yield Plan(
        name="growth-touched",
        title="What an event costs, by how many of the accounts are hot",
        how=f"{in_memory} All events go to this share of the accounts. Each account that a batch touches is one changelog record.",
        rows=(
            *(Row(f"hot {share}", f"{share} % of the accounts, processor time for an event", "us", 2) for share in growth.HOT_SHARES),
            *(Row(f"changes {share}", f"{share} % of the accounts, changelog records for an event", "1", 3) for share in growth.HOT_SHARES),
        ),
        sizes={"accounts": 1_000_000, "batches": 10},
        most_runs=3,
        small={"accounts": 20_000, "batches": 1},
        take=lambda sizes, runs, tell: plain(growth.by_hot_set(policy, **sizes, runs=runs, tell=tell)),
        minutes=1,
    )


def spread() -> Iterator[Plan]:
    """Over partitions, and over workers."""
    yield Plan(
        name="partitions",
        title="One worker with 1 to 16 partitions",
        how="Policy `common`, one worker on one core, everything in the topic before it begins.",
        rows=(
            *(Row(f"events_per_s {count}", f"{count} partitions, events a second", "1/s") for count in spreading.PARTITIONS),
            *(Row(f"cpu_us {count}", f"{count} partitions, processor time for an event", "us", 2) for count in spreading.PARTITIONS),
        ),
        sizes={"accounts": 50_000, "records": 600_000},
        small={"accounts": 2_000, "records": 300_000},
        most_runs=3,
        minutes=5,
        take=lambda sizes, runs, tell: on_stand(lambda stand: plain(spreading.partitions(stand, **sizes, runs=runs, tell=tell))),
    )
    yield Plan(
        name="workers",
        title="Two workers against one",
        how="Policy `common`, 8 partitions, everything in the topic before they begin. This machine has two cores: one worker has a core, "
        "the broker the other; two workers have a core each, and the broker works on the second one's.",
        rows=(
            Row("times", "two workers over one", "times", 2, ">= 1.8 with the broker elsewhere"),
            Row("one", "one worker, events a second", "1/s"),
            Row("two", "two workers, events a second", "1/s"),
            Row("one_us", "one worker, processor time for an event", "us", 2),
            Row("two_us", "two workers, processor time for an event, both together", "us", 2),
        ),
        sizes={"accounts": 50_000, "records": 750_000},
        small={"accounts": 2_000, "records": 600_000},
        most_runs=3,
        minutes=3,
        take=lambda sizes, runs, tell: on_stand(lambda stand: plain(spreading.workers(stand, **sizes, runs=runs, tell=tell))),
    )
