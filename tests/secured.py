"""A real broker behind TLS, SCRAM and an authorizer, with certificates of the test's own.

Two ways in. Clients come by the listener SECURE: SASL_SSL, a SCRAM user, and what its ACLs allow. The broker itself and the test, as the
operator who grants things, come by the plain listener, whose nameless user may do everything.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from agents.embedded.broker import Broker
from agents.embedded.ports import free_ports
from agents.rights import Right
from tests.waiting import eventually

MECHANISM = "SCRAM-SHA-512"
PASSWORD = "planted-pass-word-0451"  # a password that a scan of everything said would find


class SecuredKafka:
    """The broker, started; `options(user)` is what a client of that user puts into TIERSTREAM_KAFKA."""

    def __init__(self, directory: Path, **properties: str) -> None:
        self.directory = directory
        self.ca_file, key_file = directory / "ca.pem", directory / "server.pem"
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(self.ca_file))
        _write_key_store(authority.issue_cert("127.0.0.1", "localhost"), key_file)
        self.broker = Broker(directory / "kafka", heap="512m")
        (self.port,) = free_ports(1)
        self.broker.properties = _properties(self.broker, self.port, key_file) | properties
        self.broker.start()
        self.operator = AdminClient({"bootstrap.servers": self.broker.bootstrap})

    @property
    def bootstrap(self) -> str:
        """Where clients with a password come in."""
        return f"127.0.0.1:{self.port}"

    def options(self, user: str, **more: str) -> dict[str, str]:
        """librdkafka's options for a user."""
        return {
            "security.protocol": "sasl_ssl",
            "sasl.mechanism": MECHANISM,
            "sasl.username": user,
            "sasl.password": PASSWORD,
            "ssl.ca.location": str(self.ca_file),
        } | more

    def admit(self, granted: Mapping[str, Sequence[Right]]) -> None:
        """Make SCRAM users with these rights; returns when the broker knows them."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = [UserScramCredentialUpsertion(user, scram, PASSWORD.encode(), b"salt-of-the-test") for user in granted]
        for answer in self.operator.alter_user_scram_credentials(made).values():
            answer.result(20)
        eventually(lambda: all(_is_known(self.operator, user) for user in granted), what="the users")
        self._create([_binding(user, right) for user, rights in granted.items() for right in rights])

    def grant(self, user: str, right: Right) -> None:
        """Allow one thing more."""
        self._create([_binding(user, right)])

    def _create(self, wanted: list[AclBinding]) -> None:
        for answer in self.operator.create_acls(wanted).values():
            answer.result(20)
        eventually(lambda: set(wanted) <= set(self._granted()), what="the ACLs")

    def revoke(self, user: str, right: Right) -> None:
        """Take one back; returns when the broker has forgotten it."""
        gone = _binding(user, right)
        for answer in self.operator.delete_acls([AclBindingFilter(*_parts(gone))]).values():
            answer.result(20)
        eventually(lambda: gone not in self._granted(), what=f"the end of {right}")

    def _granted(self) -> list[AclBinding]:
        every = AclBindingFilter(ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY)
        return list(self.operator.describe_acls(every).result(20))


def _is_known(operator: AdminClient, user: str) -> bool:
    return operator.describe_user_scram_credentials([user])[user].exception(20) is None


def _write_key_store(certificate: trustme.LeafCert, path: Path) -> None:
    """Key and chain as Java reads them: the key in PKCS 8."""
    key = load_pem_private_key(certificate.private_key_pem.bytes(), None)
    written = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(0o600)
    path.write_bytes(written + b"".join(blob.bytes() for blob in certificate.cert_chain_pems))


def _properties(broker: Broker, port: int, key_file: Path) -> dict[str, str]:
    node = broker.node
    return {
        "listeners": f"PLAINTEXT://127.0.0.1:{node.port},CONTROLLER://127.0.0.1:{node.controller_port},SECURE://127.0.0.1:{port}",
        "advertised.listeners": f"PLAINTEXT://127.0.0.1:{node.port},SECURE://127.0.0.1:{port}",
        "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL",
        "listener.name.secure.ssl.keystore.type": "PEM",
        "listener.name.secure.ssl.keystore.location": str(key_file),
        "listener.name.secure.sasl.enabled.mechanisms": MECHANISM,
        "listener.name.secure.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security.scram.ScramLoginModule required;",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
    }


def _binding(user: str, right: Right) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if right.prefixed else ResourcePatternType.LITERAL
    kind, operation = ResourceType[right.resource], AclOperation[right.operation]
    return AclBinding(kind, right.name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _parts(binding: AclBinding) -> tuple[object, ...]:
    return (
        binding.restype, binding.name, binding.resource_pattern_type, binding.principal, binding.host, binding.operation,
        binding.permission_type,
    )  # fmt: skip
