"""`tierstream explain` as its users meet it: any worker answers, without one the changelog does, and each says what it is."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import clients
from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from schemas.instants import to_iso
from streams.partitioning import partition_for
from tests.builders import DAY, HOUR, MINUTE, interaction, prediction, profile
from tests.integration.commands import Commands
from tests.waiting import eventually
from tests.workers import Worker, deployment, publish

POLICY = "sabc-live"
OTHERS = [f"account-{number}" for number in range(12)]
NOW_MS = int(time.time() * 1000) - MINUTE


class Scene:
    """A deployment with one worker, an account with a history, and some others."""

    def __init__(self, bootstrap: str, folder: Path) -> None:
        self.folder, self.prefix = folder, f"t{uuid.uuid4().hex[:8]}-"
        self.settings = deployment(bootstrap, self.prefix, policy=POLICY)
        self.commands = Commands(bootstrap, self.prefix)
        self.commands.environment["TIERSTREAM_WEB_PORT"] = str(free_ports(1)[0])  # where nobody listens

    def fill(self) -> None:
        """Acme has downloaded three times and asked for a price; one of its records nobody can read."""
        publish(self.settings, "profiles", [profile(at=NOW_MS - 2 * HOUR, name="Acme", industry="finance", owner_id="kim")])
        publish(self.settings, "predictions", [prediction(score=100.0, at=NOW_MS - 2 * HOUR)])
        publish(self.settings, "interactions", [interaction(kind="DOWNLOAD", at=NOW_MS - HOUR + n * MINUTE) for n in range(3)])
        publish(self.settings, "interactions", [interaction(kind="PRICE_INQUIRY", at=NOW_MS)])
        publish(self.settings, "interactions", [interaction(account) for account in OTHERS])
        producer = clients.idempotent_producer(self.settings)
        producer.produce(self.settings.topic_name("interactions"), b"poison", b"acme", partition=partition_for(b"acme", 4))
        assert producer.flush(20) == 0

    def explain(self, *arguments: str, exit_code: int = 0) -> Any:
        """What it answers scripts."""
        return self.commands.json("explain", *arguments, exit_code=exit_code)

    def told(self, *arguments: str, columns: int = 80) -> str:
        """What it tells people, in one line."""
        self.commands.environment["COLUMNS"] = str(columns)
        ended = self.commands.run("explain", *arguments)
        assert "Traceback" not in ended.stderr
        return " ".join((ended.stdout + ended.stderr).split())


@pytest.fixture(scope="module")
def scene(kafka: Broker, tmp_path_factory: pytest.TempPathFactory) -> Scene:
    made = Scene(kafka.bootstrap, tmp_path_factory.mktemp("explain"))
    made.fill()
    return made


@pytest.fixture(scope="module")
def worker(scene: Scene) -> Iterator[Worker]:
    with Worker(scene.settings, scene.folder / "worker.log") as process:
        process.await_lanes(4)
        eventually(lambda: process.metric("tierstream_dead_letters_total") == 1, 60, "the poison")
        eventually(lambda: process.metric("tierstream_events_total") == 7 + len(OTHERS), 60, "every record folded")
        yield process


KEYS = {
    "account_id", "application", "partition", "generation", "policy", "records", "clock_at", "known_at", "as_of", "score_micro",
    "dimensions", "contributions", "schemes", "clocks", "owner_id", "pool", "profile", "open_risks", "health",
}  # fmt: skip
STANDING = {
    "earned", "seated", "gated", "published", "tiers", "sequence", "effective_at", "trail", "lift", "override", "rating",
    "without", "next_tier", "forecast",
}  # fmt: skip


def test_a_worker_explains_an_account_to_scripts_by_keys_that_stay(scene: Scene, worker: Worker) -> None:
    answer = scene.explain("acme", "--url", worker.url)
    assert answer.keys() == {"source", "asked_at", "account"}
    assert answer["source"] == {"kind": "worker", "place": worker.url, "because": None}
    account = answer["account"]
    assert account.keys() == KEYS
    assert account["schemes"]["sabc"].keys() == STANDING
    assert sum(line["micro"] for line in account["contributions"]) == account["score_micro"] > 0
    downloads = next(line for line in account["contributions"] if line["line"] == "DOWNLOAD")
    assert (downloads["count"], downloads["last_at"]) == (3, NOW_MS - HOUR + 2 * MINUTE)
    assert account["known_at"] >= account["clock_at"] == NOW_MS


def test_a_worker_explains_an_account_to_people(scene: Scene, worker: Worker) -> None:
    told = scene.told("acme", "--url", worker.url)
    for said in (
        "Acme (acme), owner kim",
        "(Asia/Shanghai)",
        "A on ladder sabc",
        "a trigger lifts to A",
        "downloads 14d at least 3",
        "3 downloads, the last on",
        "1 price inquiry, on",
        "industry: finance, since",
        "falls to C on",
        "if nothing happens",
        "Clock silence runs since",
        f"Says the worker at {worker.url}",
    ):
        assert said in told
    assert "You asked for" not in told


def test_every_worker_answers_for_every_account(scene: Scene, worker: Worker) -> None:
    at = to_iso(NOW_MS + DAY)
    with Worker(scene.settings, scene.folder / "other.log") as other:
        other.await_lanes(2)
        worker.await_lanes(2)
        answers = [
            [scene.explain(account, "--at", at, "--url", each.url)["account"] | {"known_at": None} for account in ("acme", *OTHERS[:3])]
            for each in (worker, other)
        ]
        assert answers[0] == answers[1]
        assert other.stop() == 0
    worker.await_lanes(4)


def test_without_a_worker_the_changelog_says_the_same_and_that_it_is_the_changelog(scene: Scene, worker: Worker) -> None:
    at = to_iso(NOW_MS + DAY)
    from_worker = scene.explain("acme", "--at", at, "--url", worker.url)["account"]
    answer = scene.explain("acme", "--at", at, "--policy", POLICY)
    assert answer["account"] | {"known_at": None} == from_worker | {"known_at": None}
    name = scene.settings.topic_name("accounts-changelog")
    assert answer["source"] == {
        "kind": "changelog",
        "place": f"{name}:{partition_for(b'acme', 4)}",
        "because": f"no worker answers at http://127.0.0.1:{scene.commands.environment['TIERSTREAM_WEB_PORT']}",
    }
    assert "Says the changelog" in scene.told("acme", "--policy", POLICY)


def test_an_unknown_account_is_exit_1_whoever_says_so(scene: Scene, worker: Worker) -> None:
    assert scene.explain("nobody", "--url", worker.url, exit_code=1)["account"] is None
    assert scene.explain("nobody", "--policy", POLICY, exit_code=1)["account"] is None
    assert "There is no account nobody, says the changelog" in scene.told("nobody", "--policy", POLICY)


@pytest.mark.parametrize("way", ["worker", "changelog"])
def test_an_instant_ahead_shows_what_it_will_be_if_nothing_happens(scene: Scene, worker: Worker, way: str) -> None:
    where = ("--url", worker.url) if way == "worker" else ("--policy", POLICY)
    now, later_ms = scene.explain("acme", *where)["account"], NOW_MS + 61 * DAY
    later = scene.explain("acme", *where, "--at", to_iso(later_ms))
    assert (later["asked_at"], later["account"]["as_of"]) == (later_ms, later_ms)
    assert later["account"]["known_at"] < later_ms
    assert (now["schemes"]["sabc"]["published"], later["account"]["schemes"]["sabc"]["published"]) == ("A", "C")
    assert now["schemes"]["sabc"]["forecast"]["at"] == NOW_MS - HOUR + 14 * DAY
    assert later["account"]["score_micro"] < now["score_micro"]
    told = scene.told("acme", *where, "--at", to_iso(later_ms))
    assert "if nothing happens from" in told
    assert scene.explain("acme", *where)["account"]["clock_at"] == now["clock_at"]


@pytest.mark.parametrize("way", ["worker", "changelog"])
def test_an_instant_before_the_accounts_clock_shows_the_present_and_says_so(scene: Scene, worker: Worker, way: str) -> None:
    where = ("--url", worker.url) if way == "worker" else ("--policy", POLICY)
    asked_ms = NOW_MS - DAY
    answer = scene.explain("acme", *where, "--at", to_iso(asked_ms))
    assert (answer["asked_at"], answer["account"]["as_of"]) == (asked_ms, NOW_MS)
    told = scene.told("acme", *where, "--at", to_iso(asked_ms))
    assert "Only the present is kept, so this is the account as of its last event" in told


def test_evidence_is_every_record_of_the_account_the_refused_ones_too(scene: Scene, worker: Worker) -> None:
    answer = scene.explain("acme", "--url", worker.url, "--evidence")
    listed = answer["evidence"]
    assert [record["topic"] for record in listed].count("interactions") == 5
    assert {record["topic"] for record in listed} == {"profiles", "predictions", "interactions"}
    assert [record["refused"] for record in listed if "refused" in record] == ["UNDECODABLE"]
    assert {record["value"]["account_id"] for record in listed if "value" in record} == {"acme"}
    told = scene.told("acme", "--url", worker.url, "--evidence", columns=120)
    assert "Every record in the input topics: 7" in told
    assert "refused, UNDECODABLE" in told
    assert "PRICE_INQUIRY, actor CUSTOMER" in told


def test_an_account_that_nobody_knows_may_still_have_records(scene: Scene, worker: Worker) -> None:
    assert scene.explain("nobody", "--url", worker.url, "--evidence", exit_code=1)["evidence"] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--policy", "sabc"), "policy must be the one that made the state, with digest"),
        ((), "and to read the changelog instead needs the policy"),
        (("--at", "yesterday"), "--at must be a time in ISO 8601"),
        (("--at", "2026-01-01T00:00:00"), "--at must say its time zone"),
        (("--at", "2400-01-01T00:00:00Z"), "--at must be in the years 1970 to 2199"),
        (("--url", "worker-3"), "--url must be that of a worker"),
    ],
)
def test_a_wrong_use_is_one_sentence_and_exit_2(scene: Scene, worker: Worker, arguments: tuple[str, ...], said: str) -> None:
    ended = scene.commands.run("explain", "acme", *arguments)
    assert ended.returncode == 2
    assert said in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr


def test_a_worker_of_another_engine_is_not_believed(scene: Scene, worker: Worker) -> None:
    told = scene.told("nobody", "--url", worker.url, "--application-id", "another")
    assert f"what answers at {worker.url} is a worker of {scene.prefix}tierstream, not of {scene.prefix}another" in told


@pytest.mark.parametrize("at", ["9223372036854775807", "9" * 400, "7258118400000", "-1", "%D9%A3", "", "1.5"])
def test_no_question_hurts_a_worker(worker: Worker, at: str) -> None:
    status, body = worker.get(f"/accounts/acme?at={at}")
    assert (status, "at must be epoch milliseconds" in body) == (400, True)
    assert worker.get("/accounts/acme?at=7258118399999")[0] == 200
