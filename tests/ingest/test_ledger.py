"""The ledger: each frame has one outcome, whoever counts and however they interleave."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.ledger import Ledger, Outcome


@given(st.lists(st.one_of(st.just("received"), st.sampled_from(list(Outcome)))))
def test_received_is_always_the_sum_of_the_rest(steps):
    ledger, flying = Ledger(), 0
    for step in steps:
        if step == "received":
            ledger.received()
            flying += 1
        elif flying:
            ledger.settle(step)
            flying -= 1
        counts = ledger.counts()
        assert counts.residue == 0
        assert counts.in_flight == flying


def test_a_second_outcome_is_refused_and_counts_nothing():
    ledger = Ledger()
    ledger.received(2)
    ledger.settle(Outcome.ANALYSED, 2)
    before = ledger.counts()
    with pytest.raises(ValueError, match="in flight"):
        ledger.settle(Outcome.SHED)
    assert ledger.counts() == before


def test_threads_lose_no_count():
    ledger = Ledger()

    def work(outcome):
        for _ in range(2000):
            ledger.received()
            ledger.settle(outcome)

    threads = [threading.Thread(target=work, args=(outcome,)) for outcome in Outcome]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = ledger.counts()
    assert (counts.received, counts.in_flight, counts.residue) == (2000 * len(Outcome), 0, 0)
    assert all(getattr(counts, outcome.value) == 2000 for outcome in Outcome)
