import pytest

from safecity.rules.zone_left import Settings as ZoneLeft
from tests.safecity.rules.scenes import IN, OUT, run, seconds

LEFT = ZoneLeft(name="r", zone="yard", gap_seconds=2, lost_seconds=5)


def test_it_has_left_when_it_stays_outside():
    (event,) = run(LEFT, [IN] * 11 + [OUT] * 20)
    assert event.attributes == {"dwell_seconds": 2.0, "seen_outside": True}
    assert seconds(event) == pytest.approx(2.0 + 2.2)
    assert event.phase == "closed"


def test_a_step_outside_is_no_leaving_and_jitter_on_the_edge_is_one():
    assert run(LEFT, [IN] * 10 + [OUT] * 9 + [IN] * 10) == []
    assert len(run(LEFT, [IN, OUT] * 20 + [OUT] * 20)) == 1


def test_one_that_was_hardly_inside_has_not_left():
    assert run(LEFT, [OUT] * 5 + [IN] * 2 + [OUT] * 20) == []


def test_it_may_leave_again_when_it_was_inside_again():
    assert len(run(LEFT, ([IN] * 10 + [OUT] * 20) * 3)) == 3


def test_lost_inside_counts_later_and_only_where_wanted():
    path = [IN] * 10 + [None] * 30
    (event,) = run(LEFT, path)
    assert event.attributes == {"dwell_seconds": 1.8, "seen_outside": False}
    assert event.box is not None
    assert run(LEFT.model_copy(update={"when_lost": False}), path) == []
    assert run(LEFT, [IN] * 10 + [None] * 20 + [IN] * 5) == []


def test_one_that_was_never_inside_does_not_leave():
    assert run(LEFT, [OUT] * 50) == []
