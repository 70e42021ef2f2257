"""New cameras go where the cameras cost least; those that are there stay."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.placing import place


def test_the_first_cameras_are_spread_evenly():
    chosen = place([f"cam-{n}" for n in range(10)], {}, {}, range(4))
    counts = [list(chosen.values()).count(partition) for partition in range(4)]
    assert sorted(counts) == [2, 2, 3, 3]


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_few_cameras_are_not_all_among_neighbours(workers):
    """A worker holds a run of partitions, and each is to have some of the cameras."""
    chosen = place([f"cam-{n}" for n in range(6)], {}, {}, range(12))
    run = 12 // workers
    counts = [sum(p // run == worker for p in chosen.values()) for worker in range(workers)]
    assert max(counts) - min(counts) <= 1


def test_measured_cost_counts_and_not_the_number():
    placed = {"harbour": 0, "yard": 1, "lane": 1, "gate": 1}
    costs = {"harbour": 0.25, "yard": 0.05, "lane": 0.05, "gate": 0.05}
    assert place(["new", "newer"], placed, costs, [0, 1]) == {"new": 1, "newer": 0}


def test_what_was_not_measured_is_taken_for_the_average():
    placed = {"a": 0, "b": 1, "c": 1}
    assert place(["new"], placed, {"a": 0.1}, [0, 1]) == {"new": 0}


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(0, 3)), st.integers(0, 30))
def test_no_partition_is_ever_more_than_one_camera_ahead_for_new_ones(placed, new):
    chosen = place([f"new-{n}" for n in range(new)], placed, {}, range(4))
    count = {p: list(placed.values()).count(p) for p in range(4)}
    for camera_id, partition in chosen.items():
        assert count[partition] == min(count.values()), camera_id
        count[partition] += 1
