"""What the broker knows of a run: how far the centre has read, and how much is on disk."""

from collections import Counter
from collections.abc import Sequence
from typing import Self

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError

from safecity.bench.measure import MeasureError
from safecity.bus.kafka import KafkaBus
from safecity.settings import BusSettings


class BrokerWatch:
    """Asks a broker about the topics of a run.

    Args:
        settings: of the bus.
        group: of the centre, without the topics' prefix.
        topics: that the centre reads, without the prefix.

    Raises:
        BusUnavailableError: no broker answers.
    """

    def __init__(self, settings: BusSettings, group: str, topics: Sequence[str]) -> None:
        self._prefix = settings.topic_prefix
        self._group = self._prefix + group
        self._admin = KafkaBus(settings).admin("safecity-simulation")
        self._partitions = [
            TopicPartition(self._prefix + topic, number)
            for topic in topics
            for number in range(settings.partitions)
        ]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()

    def lag(self) -> dict[str, int]:
        """Messages that the centre has not said to have stored, by topic.

        Raises:
            MeasureError: the broker does not answer.
        """
        try:
            read = self._admin.list_group_offsets(self._group)[self._group]
            ends = self._admin.list_partition_offsets(dict.fromkeys(self._partitions, OffsetSpec.LATEST))
        except KafkaError as error:
            raise MeasureError(f"the broker does not say how far the centre has read: {error}") from None
        behind: Counter[str] = Counter()
        for partition, end in ends.items():
            position = read[partition].offset if partition in read else 0
            behind[partition.topic.removeprefix(self._prefix)] += max(end.offset - max(position, 0), 0)
        return dict(behind)

    def disk_bytes(self) -> dict[str, int]:
        """Of the logs of each topic, on all brokers together.

        Raises:
            MeasureError: the broker does not say.
        """
        try:
            brokers = self._admin.describe_log_dirs()
        except KafkaError as error:
            raise MeasureError(f"the broker does not say how large its logs are: {error}") from None
        sizes: Counter[str] = Counter()
        for broker in brokers:
            for folder in broker["log_dirs"]:
                for topic in folder["topics"]:
                    if topic["name"].startswith(self._prefix):
                        name = topic["name"].removeprefix(self._prefix)
                        sizes[name] += sum(part["partition_size"] for part in topic["partitions"])
        return dict(sizes)
