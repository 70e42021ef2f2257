"""Sharing partitions: fair, complete, nobody twice, and it comes to rest."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from safecity.bus._share import fair_share, settle, share_out
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


@given(
    numbers=st.sets(st.integers(0, 40), max_size=30),
    members=st.sets(st.sampled_from("abcdefgh"), min_size=1),
    owners=st.dictionaries(st.integers(0, 40), st.sampled_from("abcdefghxyz")),
)
def test_all_is_shared_out_fairly_and_no_more_moves_than_must(numbers, members, owners):
    shares = share_out(numbers, members, owners)
    assert shares.keys() == numbers
    counts = {member: sum(who == member for who in shares.values()) for member in members}
    assert sum(counts.values()) == len(numbers)
    assert max(counts.values()) - min(counts.values()) <= 1
    # Who has more than the fair share loses what is beyond it, and nobody else loses anything.
    most = max(counts.values())
    for member in members:
        had = {number for number in numbers if owners.get(number) == member}
        kept = {number for number in had if shares[number] == member}
        assert len(kept) >= min(len(had), len(numbers) // len(members))
        assert len(kept) == len(had) or counts[member] == len(kept) <= most


def test_a_second_member_gets_half_of_each_topic_and_the_first_keeps_the_other_half():
    shares = share_out(range(6), ["first", "second"], dict.fromkeys(range(6), "first"))
    assert shares == {0: "first", 1: "first", 2: "first", 3: "second", 4: "second", 5: "second"}
