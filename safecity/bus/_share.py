"""How the members of a group share partitions: fair, sticky, decided by each member for itself."""

import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from safecity.bus._log import Attendance
from safecity.bus.port import TopicPartition


def fair_share(topic: str, partitions: int, members: Collection[str]) -> dict[str, int]:
    """How many partitions of a topic each of its members should hold.

    They differ by one at most. Who gets one more depends on the topic, so that with many topics it is
    not always the same member.
    """
    if not members:
        return {}
    ordered = sorted(members)
    base, more = divmod(partitions, len(ordered))
    first = zlib.crc32(topic.encode()) % len(ordered)
    return {member: base + ((index - first) % len(ordered) < more) for index, member in enumerate(ordered)}


def settle(
    member: str,
    members: Mapping[str, Collection[str]],
    sources: Sequence[TopicPartition],
    leases: Mapping[TopicPartition, str],
) -> Attendance:
    """What ``member`` should hold now.

    Args:
        member: who asks; one of ``members``.
        members: the topics of every living member.
        sources: every partition of the member's topics.
        leases: who holds what; only living members.

    It takes free partitions up to its fair share, and what it holds beyond that is surplus. Members
    that each do so come to rest with everything held and nobody above the share.
    """
    held: set[TopicPartition] = set()
    surplus: set[TopicPartition] = set()
    for topic in sorted({source.topic for source in sources}):
        own_topic = [source for source in sources if source.topic == topic]
        subscribed = [name for name, topics in members.items() if topic in topics]
        share = fair_share(topic, len(own_topic), subscribed)[member]
        mine = [source for source in own_topic if leases.get(source) == member]
        free = [source for source in own_topic if source not in leases]
        surplus.update(mine[share:])
        held.update(mine, free[: max(share - len(mine), 0)])
    return Attendance(frozenset(held), frozenset(surplus))


def share_out(
    numbers: Collection[int], members: Collection[str], owners: Mapping[int, str]
) -> dict[int, str]:
    """Who gets what, decided for all: fair to one, and as few change hands as that allows.

    Args:
        numbers: what is shared out.
        members: among whom; at least one.
        owners: who has what now; some may have no owner, or one that is no member any more.
    """
    has = Counter(owner for number, owner in owners.items() if number in numbers)
    base, more = divmod(len(numbers), len(members))
    # Those who have most keep the odd ones.
    ordered = sorted(members, key=lambda member: (-has[member], member))
    room = {member: base + (index < more) for index, member in enumerate(ordered)}
    shares: dict[int, str] = {}
    for number in sorted(numbers):
        owner = owners.get(number)
        if owner is not None and room.get(owner, 0) > 0:
            shares[number] = owner
            room[owner] -= 1
    free = iter(member for member, left in room.items() for _ in range(left))
    return shares | {number: next(free) for number in sorted(numbers) if number not in shares}
