"""The small parts around a worker: its socket, its log lines, its credentials."""

import logging
import ssl
import sys

import pytest

from agents.credentials import credentials
from agents.listening import listen
from agents.logs import OneLine, Seldom
from schemas.errors import SettingsError


def test_port_0_takes_a_free_port() -> None:
    with listen("127.0.0.1", 0) as one, listen("127.0.0.1", 0) as other:
        assert one.getsockname()[1] != other.getsockname()[1] != 0


def test_a_busy_port_is_one_sentence_with_its_fix() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"free address, got 127.0.0.1:{port} .*TIERSTREAM_WEB_PORT"):
            listen("127.0.0.1", port)


def test_a_foreign_host_is_one_sentence() -> None:
    with pytest.raises(SettingsError, match=r"free address, got 192\.0\.2\.1:"):
        listen("192.0.2.1", 0)


def test_a_log_entry_is_one_line_even_with_a_traceback() -> None:
    try:
        raise RuntimeError("first\nsecond")
    except RuntimeError:
        record = logging.LogRecord("tierstream.worker", logging.ERROR, __file__, 1, "broken %s", ("a\nb",), sys.exc_info())
    record.created, record.msecs = 1_704_888_000.125, 125.0
    line = OneLine().format(record)
    assert "\n" not in line
    assert line.startswith("2024-01-10T12:00:00.125Z ERROR tierstream.worker broken a\\nb\\nTraceback")


def test_a_broker_that_is_away_is_a_warning_once_in_a_while() -> None:
    def complaint(at: float, name: str = "aiokafka", message: str = "Unable connect to node %s") -> logging.LogRecord:
        record = logging.LogRecord(name, logging.ERROR, __file__, 1, message, (1,), None)
        record.created = at
        return record

    seldom, first = Seldom(every_s=10), complaint(100.0)
    assert seldom.filter(first)
    assert first.levelname == "WARNING"
    assert not seldom.filter(complaint(109.9))
    assert seldom.filter(complaint(101.0, message="another %s"))
    assert seldom.filter(complaint(110.0))
    ours = complaint(110.1, name="tierstream.worker")
    assert seldom.filter(ours)
    assert seldom.filter(ours)
    assert ours.levelname == "ERROR"


def test_without_security_options_the_member_speaks_plain_text() -> None:
    assert credentials({}) is None


def test_passwords_and_certificates_are_those_of_the_data_path() -> None:
    given = credentials({"security.protocol": "SASL_SSL", "sasl.mechanism": "SCRAM-SHA-512", "sasl.username": "u", "sasl.password": "p"})
    assert (given.username, given.password, given.mechanism.value, given.protocol.value) == ("u", "p", "SCRAM-SHA-512", "SASL_SSL")
    assert given.ssl_context.verify_mode is ssl.CERT_REQUIRED


def test_verification_is_off_only_when_told() -> None:
    assert credentials({"security.protocol": "ssl"}).context.check_hostname
    assert not credentials({"security.protocol": "ssl", "ssl.endpoint.identification.algorithm": "none"}).context.check_hostname
    trusting = credentials({"security.protocol": "ssl", "enable.ssl.certificate.verification": "false"})
    assert trusting.context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"security.protocol": "sasl_plaintext", "sasl.mechanism": "GSSAPI"}, "sasl.mechanism must be one of PLAIN"),
        ({"security.protocol": "quic"}, "security.protocol must be"),
        ({"security.protocol": "ssl", "ssl.ca.location": "/no/such/file"}, "readable PEM"),
    ],
)
def test_what_the_member_cannot_do_is_refused_before_anything_starts(options: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        credentials(options)
