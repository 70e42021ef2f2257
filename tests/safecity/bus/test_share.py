"""Sharing partitions: fair, complete, nobody twice, and it comes to rest."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from safecity.bus._share import fair_share, settle
from safecity.bus.port import TopicPartition

names = st.lists(st.text("abcdef0123", min_size=1, max_size=6), min_size=1, max_size=8, unique=True)


@given(names, st.integers(1, 40))
def test_shares_are_fair_and_complete(members: list[str], partitions: int) -> None:
    shares = fair_share("events", partitions, members)
    assert sum(shares.values()) == partitions
    assert max(shares.values()) - min(shares.values()) <= 1


@given(names, st.integers(1, 12), st.randoms(use_true_random=False))
def test_whoever_comes_first_everything_is_held_once_in_the_end(
    members: list[str], partitions: int, random: Random
) -> None:
    sources = [TopicPartition(t, n) for t in ("events", "status") for n in range(partitions)]
    leases = {s: random.choice(members) for s in sources if random.random() < 0.7}
    topics = {member: {"events", "status"} for member in members}
    for _ in range(3):
        for member in random.sample(members, len(members)):
            standing = settle(member, topics, sources, leases)
            leases |= dict.fromkeys(standing.held, member)
            for source in standing.surplus:
                del leases[source]
    assert set(leases) == set(sources)
    for topic in ("events", "status"):
        held = [sum(h == m and s.topic == topic for s, h in leases.items()) for m in members]
        assert max(held) - min(held) <= 1


@given(names, st.integers(1, 12))
def test_at_rest_nothing_moves(members: list[str], partitions: int) -> None:
    sources = [TopicPartition("events", n) for n in range(partitions)]
    topics = {member: {"events"} for member in members}
    leases: dict[TopicPartition, str] = {}
    for member in members:
        leases |= dict.fromkeys(settle(member, topics, sources, leases).held, member)
    for member in members:
        standing = settle(member, topics, sources, leases)
        assert not standing.surplus
        assert standing.held == {source for source, holder in leases.items() if holder == member}
