"""The bus of a city: Apache Kafka through kafka-python."""

import logging
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError, TopicAlreadyExistsError

from safecity.bus._kafka_consumer import KafkaConsumer
from safecity.bus._kafka_errors import ACL_HINT, bus_error, check_access
from safecity.bus._kafka_producer import REQUEST_BYTES, KafkaProducer
from safecity.bus._kafka_servers import Servers
from safecity.bus.port import TOPICS, BusAccessError, Cleanup, OnAssigned, OnRevoked, TopicSpec
from safecity.settings import BusSettings, Site

ADMIN_MS = 10_000


def build(site: Site) -> "KafkaBus":
    """The bus at ``site.bus.bootstrap_servers``; nothing is connected until it is used."""
    return KafkaBus(site.bus)


class KafkaBus:
    """See :class:`safecity.bus.port.Bus`."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._servers = Servers.of(settings)
        self._ensured: set[str] = set()
        _quieten_client()

    def producer(self, client_id: str) -> KafkaProducer:
        """A new producer."""
        return KafkaProducer(self._servers, self._settings.topic_prefix, client_id)

    def consumer(
        self,
        topics: Sequence[str],
        *,
        group: str | None,
        from_start: bool = True,
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> KafkaConsumer:
        """A new member of ``group``; see the port. On Kafka the group's name carries the topics' prefix."""
        return KafkaConsumer(
            self._servers,
            self._settings.topic_prefix,
            topics,
            None if group is None else self._settings.topic_prefix + group,
            from_start,
            on_assigned,
            on_revoked,
        )

    def ensure_topics(self, specs: Sequence[TopicSpec] = tuple(TOPICS.values())) -> None:
        """Create the topics that are missing; leave those there are."""
        if not self._ensured.issuperset(spec.name for spec in specs):
            self.make_topics(specs)

    def make_topics(self, specs: Sequence[TopicSpec]) -> Sequence[str]:
        """Create the topics that are missing, and return their names.

        Raises:
            BusUnavailableError: no broker answers.
            BusAccessError: it does not take us, or we have no permission to make topics.
        """
        wanted = {self._settings.topic_prefix + spec.name: spec for spec in specs}
        missing: dict[str, TopicSpec] = {}
        try:
            with closing(self.admin("safecity-topics")) as admin:
                there = set(admin.list_topics())
                missing = {name: spec for name, spec in wanted.items() if name not in there}
                _create(admin, {name: self._options(spec) for name, spec in missing.items()})
        except AuthorizationError:
            raise BusAccessError(
                f"missing permission: there is no topic {', '.join(sorted(missing))}, and "
                f"{self._servers.user} has no ACL for Create; somebody with the role ops makes them: "
                "safecity kafka topics --site FILE"
            ) from None
        except (KafkaError, OSError) as error:
            raise bus_error(self._servers, "creating topics", error) from error
        self._ensured.update(spec.name for spec in specs)
        return sorted(missing)

    def check(self, writes: Sequence[str] = (), reads: Sequence[str] = ()) -> Sequence[str]:
        """Ask whether the brokers take us and let us; see the port."""
        prefix = self._settings.topic_prefix
        try:
            with closing(self.admin("safecity-check")) as admin:
                found = {topic["name"]: topic["authorized_operations"] for topic in admin.describe_topics()}
        except (KafkaError, OSError) as error:
            raise bus_error(self._servers, "asking for topics", error) from error
        needed = [*(("Write", prefix + topic) for topic in writes), *(("Read", prefix + t) for t in reads)]
        lacking = [
            f"{operation} on topic {topic}"
            for operation, topic in needed
            if topic in found and operation.upper() not in found[topic]
        ]
        if lacking:
            user = self._servers.user
            raise BusAccessError(
                f"missing permission: {user} needs ACLs for {', '.join(lacking)}; {ACL_HINT}"
            )
        return [topic for _, topic in needed if topic not in found]

    def admin(self, client_id: str) -> KafkaAdminClient:
        """A client that looks into the broker and changes its topics; the caller closes it.

        Raises:
            BusUnavailableError: no broker answers.
            BusAccessError: it does not take us.
        """
        check_access(self._servers)
        try:
            return KafkaAdminClient(**self._servers.connection(), client_id=client_id)
        except (KafkaError, OSError) as error:
            raise bus_error(self._servers, "connecting", error) from error

    def close(self) -> None:
        """Nothing is held between calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _options(self, spec: TopicSpec) -> dict[str, Any]:
        configs = {
            "cleanup.policy": spec.cleanup.value,
            "max.message.bytes": str(REQUEST_BYTES),
            # The broker's clock says what is old: a worker's that is wrong by an hour is no reason to refuse
            # what it sends (message.timestamp.after.max.ms), nor to delete it at once.
            "message.timestamp.type": "LogAppendTime",
        }
        if spec.cleanup is Cleanup.DELETE:
            configs["retention.ms"] = str(spec.retention_seconds * 1000)
        return {
            "num_partitions": self._settings.partitions,
            "replication_factor": self._settings.replication_factor,
            "configs": configs,
        }


def _create(admin: KafkaAdminClient, topics: dict[str, dict[str, Any]]) -> None:
    for name, options in topics.items():
        try:
            admin.create_topics({name: options}, timeout_ms=ADMIN_MS, wait_for_metadata=True)
        except TopicAlreadyExistsError:
            continue  # another process was faster


def _quieten_client() -> None:
    # Every failure comes back as an error of ours; the client would say the same again, many times over.
    logger = logging.getLogger("kafka")
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.CRITICAL)
