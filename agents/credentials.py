"""librdkafka's security options, as Faust wants them: both clients of a worker must speak to the same brokers in the same way.

`settings.kafka` is written once, in librdkafka's words; the group member inside Faust gets its translation. What has none is refused.
"""

import ssl
from collections.abc import Mapping

from faust.auth import SASLCredentials, SSLCredentials

from schemas.errors import SettingsError

_PASSWORDS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


def credentials(kafka: Mapping[str, str]) -> SASLCredentials | SSLCredentials | None:
    """Credentials of the group member; None for plain text. Raises SettingsError."""
    protocol = kafka.get("security.protocol", "plaintext").lower()
    if protocol == "plaintext":
        return None
    if protocol == "ssl":
        return SSLCredentials(context=_context(kafka))
    if protocol in ("sasl_plaintext", "sasl_ssl"):
        return _with_password(kafka, _context(kafka) if protocol == "sasl_ssl" else None)
    raise SettingsError(f"TIERSTREAM_KAFKA: security.protocol must be plaintext, ssl, sasl_plaintext or sasl_ssl, got {protocol}")


def _with_password(kafka: Mapping[str, str], context: ssl.SSLContext | None) -> SASLCredentials:
    mechanism = kafka.get("sasl.mechanism") or kafka.get("sasl.mechanisms") or "GSSAPI"
    if mechanism not in _PASSWORDS:
        raise SettingsError(f"TIERSTREAM_KAFKA: sasl.mechanism must be one of {', '.join(_PASSWORDS)}, got {mechanism}")
    return SASLCredentials(
        username=kafka.get("sasl.username"), password=kafka.get("sasl.password"), mechanism=mechanism, ssl_context=context
    )


def _context(kafka: Mapping[str, str]) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=kafka.get("ssl.ca.location"))
        if certificate := kafka.get("ssl.certificate.location"):
            context.load_cert_chain(certificate, kafka.get("ssl.key.location"), kafka.get("ssl.key.password"))
    except (OSError, ssl.SSLError) as unreadable:
        raise SettingsError(f"TIERSTREAM_KAFKA: the files of ssl.* must be readable PEM files ({unreadable})") from None
    if kafka.get("ssl.endpoint.identification.algorithm") == "none":
        context.check_hostname = False
    if kafka.get("enable.ssl.certificate.verification", "true").lower() == "false":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
