"""A broker with TLS, users and ACLs: each role may do its work and no more; what is wrong is told apart."""

import dataclasses
import socket
import threading
import time
import tomllib
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from safecity.bus.kafka import KafkaBus
from safecity.bus.port import TOPICS, Bus, BusAccessError, BusUnavailableError
from safecity.bus.roles import ROLES, Role
from safecity.kafka_dev import Broker, security
from safecity.redaction import MASK, redact
from safecity.settings import parse_site
from tests.kafka_broker import SecureBroker

pytestmark = pytest.mark.kafka

CANARY = "c4nary-of-the-bus"
GROUPS = {group for role in ROLES for group in role.groups}
CALLS: dict[str, Callable[[Bus], Any]] = {
    "producer": lambda bus: bus.producer("test"),
    "consumer": lambda bus: bus.consumer(["events"], group="safecity-centre"),
    "admin": lambda bus: bus.ensure_topics(),
    "check": lambda bus: bus.check(),
}


@pytest.fixture(scope="module")
def prefix(secure_kafka: SecureBroker) -> str:
    name = f"t{uuid.uuid4().hex[:8]}."
    secure_kafka.allow(name)
    return name


@pytest.fixture
def open_as(
    secure_kafka: SecureBroker, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., KafkaBus]:
    """A bus for a role; ``tls`` and ``password`` take the place of what is right."""

    def opened(role: str, *, tls: dict[str, Any] | None = None, password: str | None = None) -> KafkaBus:
        for name, value in secure_kafka.environment(role).items():
            monkeypatch.setenv(name, value)
        if password is not None:
            monkeypatch.setenv("SAFECITY_BUS_PASSWORD", password)
        document = tomllib.loads(security.site_snippet(secure_kafka.broker.data, secure_kafka.broker.port))
        document["bus"] |= {"topic_prefix": prefix, "partitions": 1}
        document["bus"]["tls"] |= tls or {}
        return KafkaBus(parse_site(document, tmp_path).bus)

    return opened


@pytest.fixture
def topics(open_as: Callable[..., KafkaBus]) -> None:
    open_as("ops").ensure_topics()


def test_the_command_says_what_to_put_into_the_site_file(
    secure_kafka: SecureBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in secure_kafka.environment("worker").items():
        monkeypatch.setenv(name, value)
    snippet = secure_kafka.said.partition("[bus]")
    document = tomllib.loads(snippet[1] + snippet[2].partition("users and passwords")[0])
    with KafkaBus(parse_site(document, tmp_path).bus) as bus:
        bus.check()
    folder = secure_kafka.broker.data / security.FOLDER
    for user in security.users():
        password = security.environment(secure_kafka.broker.data, user)["SAFECITY_BUS_PASSWORD"]
        assert password not in secure_kafka.said
        assert (folder / f"{user}.env").stat().st_mode & 0o077 == 0
    assert (secure_kafka.broker.data / "server.properties").stat().st_mode & 0o077 == 0


def test_no_role_makes_topics_but_ops_and_the_others_are_told_who_does(
    open_as: Callable[..., KafkaBus], secure_kafka: SecureBroker, prefix: str
) -> None:
    before = prefix + "before."
    secure_kafka.allow(before)
    for role in ("worker", "centre", "analyst"):
        bus = open_as(role)
        bus._settings = bus._settings.model_copy(update={"topic_prefix": before})
        with pytest.raises(BusAccessError, match=rf"no topic {before}cameras.*has no ACL for Create.*ops"):
            bus.ensure_topics()
    bus = open_as("ops")
    bus._settings = bus._settings.model_copy(update={"topic_prefix": before})
    assert set(bus.make_topics(tuple(TOPICS.values()))) == {before + name for name in TOPICS}
    assert bus.make_topics(tuple(TOPICS.values())) == []


@pytest.mark.usefixtures("topics")
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_broker_lets_a_role_write_and_read_its_topics_and_no_other(
    role: Role, open_as: Callable[..., KafkaBus]
) -> None:
    bus = open_as(role.name)
    assert bus.check([t for t in role.writes if t in TOPICS], [t for t in role.reads if t in TOPICS]) == []
    for topic in set(TOPICS) - set(role.writes):
        with pytest.raises(BusAccessError, match=f"{role.user} needs ACLs for Write on topic .*{topic};"):
            bus.check(writes=[topic])
    for topic in set(TOPICS) - set(role.reads):
        with pytest.raises(BusAccessError, match=f"Read on topic .*{topic};"):
            bus.check(reads=[topic])


@pytest.mark.usefixtures("topics")
def test_what_is_not_allowed_fails_with_the_missing_permission(
    open_as: Callable[..., KafkaBus], prefix: str
) -> None:
    producer = open_as("centre").producer("test")
    producer.publish("events", key="cam", value=b"forged")
    with pytest.raises(
        BusAccessError, match=f"safecity-centre needs an ACL for Write on topic {prefix}events"
    ):
        producer.flush(10.0)
    producer.close()
    with pytest.raises(
        BusAccessError, match=f"safecity-worker needs an ACL for Read on topic {prefix}events"
    ):
        poll(open_as("worker"), ["events"], None)
    with pytest.raises(BusAccessError, match=f"needs an ACL for Read on group {prefix}others"):
        poll(open_as("centre"), ["events"], "others")


def poll(bus: KafkaBus, topics: list[str], group: str | None) -> None:
    consumer = bus.consumer(topics, group=group)
    try:
        deadline = time.monotonic() + 20.0
        while time.monotonic() < deadline:
            consumer.poll(0.5)
    finally:
        consumer.close()


@pytest.mark.parametrize("call", ["producer", "consumer", "admin", "check"])
def test_a_wrong_password_is_told_and_not_shown(call: str, open_as: Callable[..., KafkaBus]) -> None:
    with pytest.raises(BusAccessError) as told:
        CALLS[call](open_as("worker", password=CANARY))
    assert "wrong user or password" in str(told.value)
    assert "safecity-worker" in str(told.value)
    assert "certificate" not in str(told.value)
    assert CANARY not in str(told.value)
    assert redact(f"x {CANARY} y") == f"x {MASK} y"


@pytest.mark.parametrize("call", ["producer", "consumer", "admin", "check"])
def test_a_certificate_of_another_authority_is_told(
    call: str, open_as: Callable[..., KafkaBus], tmp_path: Path
) -> None:
    security.make(tmp_path)
    other = tmp_path / security.FOLDER / "ca.pem"
    with pytest.raises(BusAccessError) as told:
        CALLS[call](open_as("worker", tls={"ca_file": str(other)}))
    assert "wrong certificate: the broker's does not follow from" in str(told.value)
    assert str(other) in str(told.value)
    assert "password" not in str(told.value)


def test_files_of_certificates_that_cannot_be_used_are_named(
    open_as: Callable[..., KafkaBus], secure_kafka: SecureBroker, tmp_path: Path
) -> None:
    with pytest.raises(BusAccessError, match=r"^bus.tls.ca_file: .*/none.pem: No such file"):
        open_as("worker", tls={"ca_file": str(tmp_path / "none.pem")}).check()
    (tmp_path / "no.pem").write_text("no certificate")
    with pytest.raises(BusAccessError, match=r"^bus.tls.ca_file: .*/no.pem: no PEM that can be used"):
        open_as("worker", tls={"ca_file": str(tmp_path / "no.pem")}).producer("test")
    mine = {"cert_file": str(secure_kafka.ca_file), "key_file": str(tmp_path / "no.pem")}
    with pytest.raises(BusAccessError, match=r"^bus.tls.cert_file, key_file: .*no.pem"):
        open_as("worker", tls=mine).check()


def test_a_client_without_tls_or_without_a_user_is_told_what_is_missing(
    secure_kafka: SecureBroker, tmp_path: Path
) -> None:
    plain = {"backend": "kafka", "bootstrap_servers": [secure_kafka.broker.address]}
    with pytest.raises(BusAccessError, match=r"it speaks TLS on this port: give \[bus.tls\]"):
        KafkaBus(parse_site({"bus": plain}, tmp_path).bus).check()
    nobody = plain | {"tls": {"ca_file": str(secure_kafka.ca_file)}}
    with pytest.raises(BusAccessError, match=r"give user and password, \[bus.sasl\]"):
        KafkaBus(parse_site({"bus": nobody}, tmp_path).bus).check()


def test_a_broker_without_tls_is_told(
    kafka_broker: Broker, secure_kafka: SecureBroker, tmp_path: Path
) -> None:
    tls = {"ca_file": str(secure_kafka.ca_file)}
    document = {"backend": "kafka", "bootstrap_servers": [kafka_broker.address], "tls": tls}
    with pytest.raises(BusAccessError, match="does not speak TLS on this port"):
        KafkaBus(parse_site({"bus": document}, tmp_path).bus).check()


def test_a_host_that_the_certificate_does_not_name_is_told(
    open_as: Callable[..., KafkaBus], secure_kafka: SecureBroker
) -> None:
    # Leads to this machine as well, and is in no certificate.
    elsewhere = (f"0.0.0.0:{secure_kafka.broker.port}",)
    bus = open_as("worker")
    bus._servers = dataclasses.replace(bus._servers, addresses=elsewhere)
    with pytest.raises(
        BusAccessError, match=r"wrong certificate: IP address mismatch.*bus.bootstrap_servers"
    ):
        bus.check()
    bus = open_as("worker", tls={"check_hostname": False})
    bus._servers = dataclasses.replace(bus._servers, addresses=elsewhere)
    bus.check()


def test_a_broker_that_ends_connections_as_it_goes_is_not_taken_for_one_that_refuses(
    open_as: Callable[..., KafkaBus], tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as going:

        def end_each() -> None:
            with suppress(OSError):
                while True:
                    going.accept()[0].close()

        threading.Thread(target=end_each, daemon=True).start()
        address = f"localhost:{going.getsockname()[1]}"
        secure = open_as("worker")
        secure._servers = dataclasses.replace(secure._servers, addresses=(address,))
        plain = parse_site({"bus": {"backend": "kafka", "bootstrap_servers": [address]}}, tmp_path)
        for bus in (secure, KafkaBus(plain.bus)):
            with pytest.raises(BusUnavailableError):
                bus.check()
        going.shutdown(socket.SHUT_RDWR)


def test_a_broker_that_is_away_is_not_taken_for_one_that_refuses(
    open_as: Callable[..., KafkaBus],
) -> None:
    bus = open_as("worker")
    bus._servers = dataclasses.replace(bus._servers, addresses=("localhost:9",))
    with pytest.raises(BusUnavailableError, match="no broker answers at localhost:9"):
        bus.check()
