"""The bus of a city: Apache Kafka through kafka-python."""

import logging
from collections.abc import Sequence
from typing import Any, Self

from kafka import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from safecity.bus._kafka_consumer import KafkaConsumer
from safecity.bus._kafka_errors import bus_error, check_reachable
from safecity.bus._kafka_producer import REQUEST_BYTES, KafkaProducer
from safecity.bus.port import TOPICS, Cleanup, OnAssigned, OnRevoked, TopicSpec
from safecity.settings import BusSettings, Site

BOOTSTRAP_MS = 5_000
ADMIN_MS = 10_000


def build(site: Site) -> "KafkaBus":
    """The bus at ``site.bus.bootstrap_servers``; nothing is connected until it is used."""
    return KafkaBus(site.bus)


class KafkaBus:
    """See :class:`safecity.bus.port.Bus`."""

    def __init__(self, settings: BusSettings) -> None:
        self._settings = settings
        self._ensured: set[str] = set()
        _quieten_client()

    def producer(self, client_id: str) -> KafkaProducer:
        """A new producer."""
        return KafkaProducer(self._connection(), self._settings.topic_prefix, client_id)

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
            self._connection(),
            self._settings.topic_prefix,
            topics,
            None if group is None else self._settings.topic_prefix + group,
            from_start,
            on_assigned,
            on_revoked,
        )

    def ensure_topics(self, specs: Sequence[TopicSpec] = tuple(TOPICS.values())) -> None:
        """Create the topics that are missing; leave those there are."""
        prefix = self._settings.topic_prefix
        wanted = {prefix + spec.name: spec for spec in specs}
        if self._ensured.issuperset(wanted):
            return
        try:
            admin = self.admin("safecity-topics")
            try:
                missing = {n: s for n, s in wanted.items() if n not in set(admin.list_topics())}
                if missing:
                    _create(admin, {name: self._options(spec) for name, spec in missing.items()})
            finally:
                admin.close()
        except (KafkaError, OSError) as error:
            raise bus_error(self._settings.bootstrap_servers, "creating topics", error) from error
        self._ensured.update(wanted)

    def admin(self, client_id: str) -> KafkaAdminClient:
        """A client that looks into the broker and changes its topics; the caller closes it.

        Raises:
            BusUnavailableError: no broker answers.
        """
        check_reachable(self._settings.bootstrap_servers)
        try:
            return KafkaAdminClient(**self._connection(), client_id=client_id)
        except (KafkaError, OSError) as error:
            raise bus_error(self._settings.bootstrap_servers, "connecting", error) from error

    def close(self) -> None:
        """Nothing is held between calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connection(self) -> dict[str, Any]:
        return {
            "bootstrap_servers": list(self._settings.bootstrap_servers),
            "bootstrap_timeout_ms": BOOTSTRAP_MS,
            "reconnect_backoff_max_ms": 1_000,
        }

    def _options(self, spec: TopicSpec) -> dict[str, Any]:
        configs = {"cleanup.policy": spec.cleanup.value, "max.message.bytes": str(REQUEST_BYTES)}
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
