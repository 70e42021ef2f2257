"""The schedule of scripted cameras, and what they say."""

from collections import Counter
from itertools import pairwise

import pytest

from ingest.simulation.script import (
    LIFE_SECONDS,
    Act,
    Rates,
    Script,
    event_of,
    has_picture,
    observation_of,
    status_of,
)
from safecity.event import Phase

BEGIN = 1_770_000_000.0
RATES = Rates(observations_per_second=4.0, status_seconds=5.0, events_per_minute=2.0)


def play(script, seconds, step=0.7):
    """In ticks, as a worker plays it."""
    return [due for tick in range(round(seconds / step) + 1) for due in script.until(BEGIN + tick * step)]


def test_each_camera_says_as_much_as_the_rates_have_it():
    acts = Counter((due.camera, due.act) for due in play(Script(range(10), RATES, BEGIN), 300, step=0.5))
    for camera in range(10):
        assert acts[camera, Act.OBSERVE] == pytest.approx(1200, abs=1)
        assert acts[camera, Act.REPORT] == pytest.approx(60, abs=1)
        assert acts[camera, Act.OPEN] == pytest.approx(10, abs=1)
        assert acts[camera, Act.CLOSE] == pytest.approx(5, abs=1)


def test_what_is_due_comes_once_and_in_order_whatever_the_ticks():
    fine = play(Script(range(7), RATES, BEGIN), 70, step=0.02)
    coarse = play(Script(range(7), RATES, BEGIN), 70, step=7.0)
    assert fine == coarse == sorted(fine, key=lambda due: due.at)
    assert len(set(fine)) == len(fine)


def test_cameras_are_out_of_step():
    first = [due.at for due in play(Script(range(100), RATES, BEGIN), 5) if due.act is Act.REPORT]
    gaps = [after - before for before, after in pairwise(first)]
    assert max(gaps) < 5 * 5.0 / 100


def test_a_rate_of_nothing_is_nothing():
    silent = Rates(observations_per_second=0, events_per_minute=0)
    assert {due.act for due in play(Script([1], silent, BEGIN), 60)} == {Act.REPORT}


def test_events_have_ids_of_their_own_and_those_with_a_life_end():
    events = [
        event_of(due, RATES)
        for due in play(Script(range(5), RATES, BEGIN), 600)
        if due.act in (Act.OPEN, Act.CLOSE)
    ]
    keys = [(event.event_id, event.revision) for event in events]
    assert len(set(keys)) == len(keys)
    lives = {event.event_id: event for event in events if event.phase is Phase.OPENED}
    closings = [event for event in events if event.revision == 2]
    assert closings
    for closing in closings:
        opening = lives[closing.event_id]
        assert closing.phase is Phase.CLOSED
        assert (closing.occurred_at - closing.opened_at).total_seconds() == LIFE_SECONDS
        assert (closing.opened_at, closing.kind) == (opening.opened_at, opening.kind)
        assert closing.snapshot is None
        assert opening.snapshot is not None


def test_the_share_of_events_with_a_picture_is_kept():
    assert sum(has_picture(number, 0.3) for number in range(1000)) == 300
    assert all(has_picture(number, 1.0) for number in range(100))
    assert not any(has_picture(number, 0.0) for number in range(100))


def test_observations_have_tracks_on_average_and_statuses_add_up():
    due = play(Script(range(20), RATES, BEGIN), 200)
    tracks = [len(observation_of(one, RATES).tracks) for one in due if one.act is Act.OBSERVE]
    assert sum(tracks) / len(tracks) == pytest.approx(RATES.tracks, rel=0.1)
    for one in due:
        if one.act is Act.REPORT:
            assert status_of(one, RATES, "worker-0", 0).ledger.residue == 0
