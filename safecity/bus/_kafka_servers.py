"""The brokers, and how to reach them: addresses, TLS, and who we are."""

import ssl
from dataclasses import dataclass
from typing import Any

from safecity.bus.port import BusAccessError
from safecity.bus_security import SaslSettings, TlsSettings
from safecity.redaction import remember_secret
from safecity.settings import BusSettings

BOOTSTRAP_MS = 5_000


@dataclass(frozen=True)
class Servers:
    """What every client of Kafka needs to know."""

    addresses: tuple[str, ...]
    """host:port of some of the brokers."""
    tls: TlsSettings | None = None
    sasl: SaslSettings | None = None

    @classmethod
    def of(cls, settings: BusSettings) -> "Servers":
        """Those of a site. A process that did not read the site file itself learns here what to mask."""
        if settings.sasl is not None:
            remember_secret(settings.sasl.password.get_secret_value())
        return cls(settings.bootstrap_servers, settings.tls, settings.sasl)

    @property
    def user(self) -> str:
        """Whom the brokers see."""
        return self.sasl.user if self.sasl is not None else "ANONYMOUS"

    def connection(self) -> dict[str, Any]:
        """Settings that every client of kafka-python takes.

        Raises:
            BusAccessError: a file of the certificates cannot be used.
        """
        options: dict[str, Any] = {
            "bootstrap_servers": list(self.addresses),
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "reconnect_backoff_max_ms": 1_000,
        }
        if self.tls is not None:
            options["security_protocol"] = "SSL" if self.sasl is None else "SASL_SSL"
            options["ssl_context"] = tls_context(self.tls)
        if self.sasl is not None:
            options["sasl_mechanism"] = self.sasl.mechanism
            options["sasl_plain_username"] = self.sasl.user
            options["sasl_plain_password"] = self.sasl.password.get_secret_value()
        return options


def tls_context(tls: TlsSettings) -> ssl.SSLContext:
    """Certificates are checked, TLS 1.2 or later.

    Raises:
        BusAccessError: a file cannot be used; the message names it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = tls.check_hostname
    try:
        if tls.ca_file is None:
            context.load_default_certs()
        else:
            context.load_verify_locations(cafile=tls.ca_file)
    except OSError as error:
        raise BusAccessError(f"bus.tls.ca_file: {_unusable(tls.ca_file, error)}") from None
    if tls.cert_file is not None:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file, password=_no_passphrase)
        except (OSError, ValueError) as error:
            files = f"{tls.cert_file} and {tls.key_file}"
            raise BusAccessError(f"bus.tls.cert_file, key_file: {_unusable(files, error)}") from None
    return context


def _unusable(file: object, error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return f"{file}: no PEM that can be used ({error.reason or error})"
    return f"{file}: {getattr(error, 'strerror', None) or error}"


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, and nobody is there to type it")
