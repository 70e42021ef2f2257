"""Who of a group reads what on Kafka: the same partitions of every topic, fair, and with few moves."""

from collections import Counter, defaultdict
from typing import Any

from kafka import TopicPartition
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment

from safecity.bus._share import share_out


class SamePartitionsAssignor(CooperativeStickyAssignor):  # type: ignore[misc]
    """Gives partition ``n`` of all topics to one member.

    kafka-python's sticky assignor counts partitions over all topics: of two members one may get all events
    and the other all statuses. Here each gets its share of each topic, and all that a camera says goes to the
    same member. Moves are staged in two rounds as KIP-429 has it: nobody gets what another still reads.
    """

    name = "safecity-same-partitions"

    def assign(self, cluster: Any, members: Any) -> dict[str, ConsumerProtocolAssignment]:
        """The partitions of each member, by its id."""
        known = {member.member_id: self.parse_member_metadata(member.metadata) for member in members}
        reads = {member: set(metadata.subscription) for member, metadata in known.items()}
        holds = {source: member for member, metadata in known.items() for source in metadata.partitions}
        given: dict[str, dict[str, list[int]]] = {member: defaultdict(list) for member in known}
        for readers, topics in _alike(reads).items():
            sources = {
                TopicPartition(topic, number)
                for topic in topics
                for number in cluster.partitions_for_topic(topic) or ()
            }
            for source, member in _place(sources, readers, holds).items():
                if holds.get(source, member) == member:
                    given[member][source.topic].append(source.partition)
        return {
            member: ConsumerProtocolAssignment(
                self.version, sorted((topic, sorted(numbers)) for topic, numbers in topics.items()), b""
            )
            for member, topics in given.items()
        }


def _alike(reads: dict[str, set[str]]) -> dict[frozenset[str], set[str]]:
    """The topics that the same members read, by these members."""
    alike: dict[frozenset[str], set[str]] = defaultdict(set)
    for topic in {topic for topics in reads.values() for topic in topics}:
        alike[frozenset(member for member, topics in reads.items() if topic in topics)].add(topic)
    return alike


def _place(
    sources: set[TopicPartition], readers: frozenset[str], holds: dict[TopicPartition, str]
) -> dict[TopicPartition, str]:
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for source in sources:
        if source in holds:
            votes[source.partition][holds[source]] += 1
    # Most of a number's partitions say who holds it: in the middle of a move it may be in two hands.
    owners = {number: max(sorted(votes[number]), key=votes[number].__getitem__) for number in votes}
    shares = share_out({source.partition for source in sources}, readers, owners)
    return {source: shares[source.partition] for source in sources}
