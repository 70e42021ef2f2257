"""A broker that trusts nobody: certificates of its own, a user for each role, ACLs with what each needs."""

import base64
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from safecity.bus._kafka_servers import Servers
from safecity.bus.roles import ROLES, Permission, Resource, permissions
from safecity.bus_security import SaslSettings, TlsSettings
from safecity.kafka_dev.certificates import make_certificates

FOLDER = "security"
ADMIN = "admin"
MECHANISM = "SCRAM-SHA-512"
ITERATIONS = 8192
BROKER_NAME = "safecity-kafka-dev"
VARIABLES = ("SAFECITY_BUS_USER", "SAFECITY_BUS_PASSWORD")


def is_secure(data: Path) -> bool:
    """Whether the broker of a folder is one of these."""
    return (data / FOLDER / "ca.pem").exists()


def make(data: Path) -> None:
    """The certificates and the users' passwords, in ``data/security``; only its owner can read them.

    Raises:
        UsageError: the extra is not installed.
    """
    folder = data / FOLDER
    folder.mkdir(mode=0o700, parents=True)
    authority, broker = make_certificates(BROKER_NAME)
    _write(folder / "ca.pem", authority)
    _write(folder / "broker.pem", broker)
    for user in users():
        lines = zip(VARIABLES, (user, secrets.token_urlsafe(24)), strict=True)
        _write(folder / f"{user}.env", "".join(f"{name}={value}\n" for name, value in lines).encode())


def users() -> Iterator[str]:
    """Everybody whom the broker knows: the administrator, and one for each role."""
    yield ADMIN
    yield from (role.user for role in ROLES)


def environment(data: Path, user: str) -> dict[str, str]:
    """What a process that is to be ``user`` needs in its environment."""
    lines = (data / FOLDER / f"{user}.env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)


def servers(data: Path, port: int, user: str = ADMIN) -> Servers:
    """The broker, as a client that is ``user`` reaches it."""
    password = environment(data, user)[VARIABLES[1]]
    tls = TlsSettings(ca_file=data / FOLDER / "ca.pem")
    sasl = SaslSettings.model_validate({"mechanism": MECHANISM, "user": user, "password": password})
    return Servers((f"localhost:{port}",), tls, sasl)


def site_snippet(data: Path, port: int) -> str:
    """What to paste into a site file; user and password come from the environment."""
    user, password = VARIABLES
    return (
        f'[bus]\nbackend = "kafka"\nbootstrap_servers = ["localhost:{port}"]\n\n'
        f'[bus.tls]\nca_file = "{data / FOLDER / "ca.pem"}"\n\n'
        f'[bus.sasl]\nuser = "${{{user}}}"\npassword = "${{{password}}}"\n'
    )


def format_options(data: Path) -> Iterator[str]:
    """The users for ``StorageTool format``: salted, so that no password stands in a list of processes."""
    for user in users():
        salt = os.urandom(24)
        password = environment(data, user)[VARIABLES[1]].encode()
        salted = hashlib.pbkdf2_hmac("sha512", password, salt, ITERATIONS)
        yield "--add-scram"
        yield (
            f'{MECHANISM}=[name={user},iterations={ITERATIONS},salt="{base64.b64encode(salt).decode()}",'
            f'saltedpassword="{base64.b64encode(salted).decode()}"]'
        )


def broker_settings(data: Path, port: int, controller_port: int) -> dict[str, object]:
    """Listeners, certificates and the authorizer, for ``server.properties``."""
    folder = data / FOLDER
    password = environment(data, ADMIN)[VARIABLES[1]]
    login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    return {
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}",
        "advertised.listeners": f"CLIENT://localhost:{port}",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:SSL",
        "inter.broker.listener.name": "CLIENT",
        "sasl.enabled.mechanisms": MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "listener.name.client.scram-sha-512.sasl.jaas.config": (
            f'{login} username="{ADMIN}" password="{password}";'
        ),
        # The controller knows the broker by its certificate.
        "listener.name.controller.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": folder / "broker.pem",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": folder / "ca.pem",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        "super.users": f"User:{ADMIN};User:CN={BROKER_NAME}",
    }


def allow(data: Path, port: int, prefix: str) -> None:
    """Give every role its permissions on the topics and groups that begin with ``prefix``.

    Raises:
        kafka.errors.KafkaError: the broker does not take them.
    """
    from kafka import KafkaAdminClient

    admin = KafkaAdminClient(**servers(data, port).connection(), client_id="safecity-acls")
    try:
        outcome = admin.create_acls([_acl(each) for each in permissions(prefix)])
        for failure in outcome["failed"]:
            raise failure
    finally:
        admin.close()


def _acl(permission: Permission) -> object:
    from kafka.admin import (
        ACL,
        ACLOperation,
        ACLPermissionType,
        ACLResourcePatternType,
        ResourcePattern,
        ResourceType,
    )

    kinds = {Resource.TOPIC: ResourceType.TOPIC, Resource.GROUP: ResourceType.GROUP}
    pattern = ACLResourcePatternType.PREFIXED if permission.prefixed else ACLResourcePatternType.LITERAL
    return ACL(
        principal=f"User:{permission.user}",
        host="*",
        operation=ACLOperation[_upper(permission.operation)],
        permission_type=ACLPermissionType.ALLOW,
        resource_pattern=ResourcePattern(kinds[permission.resource], permission.name, pattern),
    )


def _upper(operation: str) -> str:
    return {"DescribeConfigs": "DESCRIBE_CONFIGS", "AlterConfigs": "ALTER_CONFIGS"}.get(
        operation, operation.upper()
    )


def _write(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
