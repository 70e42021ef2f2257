"""How a client of the bus knows that the bus is the right one, and proves who it is itself."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from safecity.camera import Settings
from safecity.redaction import remember_secret


class TlsSettings(Settings):
    """The connection to the brokers is encrypted, and their certificate is checked."""

    ca_file: Path | None = Field(
        default=None,
        description="PEM, of the authority that signed the brokers' certificates; relative to the site file; "
        "the system's authorities when not given",
    )
    cert_file: Path | None = Field(
        default=None, description="PEM, certificate of our own, where the brokers want one; with key_file"
    )
    key_file: Path | None = Field(default=None, description="PEM, its private key, without a passphrase")
    check_hostname: bool = Field(
        default=True, description="the certificate must name the host in bootstrap_servers"
    )

    @model_validator(mode="after")
    def _both_or_neither(self) -> Self:
        if (self.cert_file is None) is not (self.key_file is None):
            raise ValueError("cert_file and key_file belong together: give both, or neither")
        return self


class SaslSettings(Settings):
    """Who we are, by SCRAM (RFC 5802): the password itself never travels."""

    mechanism: Literal["SCRAM-SHA-512", "SCRAM-SHA-256"] = Field(
        default="SCRAM-SHA-512", description="what the brokers know the user by"
    )
    user: str = Field(pattern=r"^[^\s,=]+$", description="e.g. safecity-worker; one for each role")
    password: SecretStr = Field(
        description="only as ${NAME}, from the environment: a password in the file is refused"
    )

    @field_validator("password")
    @classmethod
    def _remember(cls, password: SecretStr) -> SecretStr:
        if not password.get_secret_value():
            raise ValueError("the password is empty")
        remember_secret(password.get_secret_value())
        return password
