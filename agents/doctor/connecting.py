"""Does a broker answer, and if not, why: the address, TLS, the password? Both of a worker's clients are asked, librdkafka and aiokafka."""

import asyncio
import socket
import ssl
from collections.abc import Iterator

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError as MemberError
from confluent_kafka import KafkaError, KafkaException
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from agents import clients
from agents.credentials import credentials
from agents.doctor.findings import Finding, Ground, fine, wrong
from agents.settings import Settings
from schemas.errors import SettingsError

METADATA, TOPIC_IDS = 3, 10
"""The call for metadata, and its first version that names topics by id (Kafka 2.8)."""

_ADDRESS = "correct TIERSTREAM_BOOTSTRAP_SERVERS, or start a broker (`tierstream broker up`)"
_WHY = {
    KafkaError._AUTHENTICATION: ("password", "correct sasl.mechanism, sasl.username and sasl.password in TIERSTREAM_KAFKA"),
    KafkaError._SSL: ("tls", "correct security.protocol and ssl.ca.location in TIERSTREAM_KAFKA, or the broker's certificate"),
    KafkaError._RESOLVE: ("broker", _ADDRESS),
}


class Complaints:
    """What librdkafka says while it tries."""

    def __init__(self) -> None:
        self.errors: list[KafkaError] = []

    def __call__(self, error: KafkaError) -> None:
        self.errors.append(error)

    def telling(self) -> KafkaError | None:
        """The complaint that says most: one that names its cause, or any but that nobody answers."""
        return max(self.errors, key=lambda error: (error.code() in _WHY, error.code() != KafkaError._ALL_BROKERS_DOWN), default=None)


def refused(settings: Settings) -> Finding | None:
    """Why nobody answers, None if somebody does."""
    complaints = Complaints()
    admin = clients.admin_client(settings, complaints)
    try:
        admin.list_topics(timeout=settings.broker_timeout_s)
    except KafkaException as failed:
        admin.poll(0)
        return _why(complaints.telling() or failed.args[0], settings)
    return None


def _why(error: KafkaError, settings: Settings) -> Finding:
    check, mend = _WHY.get(error.code(), ("broker", _ADDRESS))
    said = f"no broker answers at {settings.bootstrap_servers}: {error.name()}: {error.str()}"
    if not settings.kafka.get("security.protocol", "plaintext").lower().endswith("ssl") and _speaks_tls(settings):
        return wrong("tls", f"{said}, and what listens there speaks TLS", "set security.protocol to ssl or sasl_ssl in TIERSTREAM_KAFKA")
    return wrong(check, said, mend)


def _speaks_tls(settings: Settings) -> bool:
    """Whether the first server answers a handshake; librdkafka only sees a connection that is closed at its first word."""
    host, _, port = settings.bootstrap_servers.split(",")[0].strip().rpartition(":")
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, int(port)), settings.broker_timeout_s) as plain, trusting.wrap_socket(plain):
            return True
    except (OSError, ValueError):
        return False


def brokers(ground: Ground) -> Iterator[Finding]:
    """How many there are."""
    found = ground.admin.list_topics(timeout=ground.settings.broker_timeout_s)
    yield fine("broker", f"{len(found.brokers)} at {ground.settings.bootstrap_servers}, cluster {found.cluster_id}")


def member(ground: Ground) -> Iterator[Finding]:
    """The group's client speaks to the same brokers with its own translation of the security options."""
    try:
        versions = asyncio.run(_spoken(ground.settings))
    except SettingsError as untranslated:
        yield from (wrong("member", problem, "see docs/operations.md, Security") for problem in untranslated.problems)
    except (MemberError, OSError) as failed:
        yield wrong("member", f"the group's client cannot connect: {failed!r}", "the options in TIERSTREAM_KAFKA must suit both clients")
    else:
        yield from too_old(versions) or [fine("member", "the group's client connects")]


def too_old(versions: dict[int, tuple[int, int]]) -> list[Finding]:
    """A finding if the broker's calls, as (least, greatest) version by number, are not what we need."""
    spoken = versions.get(METADATA, (0, 0))[1]
    if spoken >= TOPIC_IDS:
        return []
    return [
        wrong(
            "versions",
            f"the broker names no topic ids (metadata v{spoken})",
            "update the brokers to Kafka 2.8 or later; 3.x or 4.x is best",
        )
    ]


async def _spoken(settings: Settings) -> dict[int, tuple[int, int]]:
    """The calls that a broker knows, asked as the group's member asks."""
    auth = credentials_to_aiokafka_auth(credentials(settings.kafka), None)
    servers = [server.strip() for server in settings.bootstrap_servers.split(",")]
    client = AIOKafkaClient(bootstrap_servers=servers, request_timeout_ms=int(1000 * settings.broker_timeout_s), **auth)
    try:
        await client.bootstrap()
        node = next(iter(client.cluster.brokers())).nodeId
        connection = await client._get_conn(node)
        return dict(connection._versions)
    finally:
        await client.close()
