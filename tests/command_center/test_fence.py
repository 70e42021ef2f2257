"""What a replaced owner has decided: believed up to its successor's beginning, refused after it."""

from datetime import UTC, datetime, timedelta

import pytest

from command_center.centre import Centre
from command_center.fence import successor
from command_center.store import queries
from command_center.store.rows import Batch
from safecity.cloudevents import event_headers
from safecity.event import Trace
from safecity.ownership import OVERLAP, Hold, Ownership
from safecity.status import CameraState
from tests.command_center.conftest import wait_until
from tests.command_center.messages import make_event, make_status, publish_status

T = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
TAKEOVERS = {"gate": {10: T, 20: T + 60 * SECOND, 30: T + 120 * SECOND}}


def trace(epoch, captured_at):
    return Trace(
        captured_at=captured_at, received_at=captured_at, decided_at=captured_at, worker="w/0", epoch=epoch
    )


@pytest.mark.parametrize(
    ("epoch", "seconds", "refused_by"),
    [
        (10, 30, None),  # alone
        (10, 59, None),  # however late it arrives
        (10, 60, None),  # both decide for a moment
        (10, 60 + OVERLAP.total_seconds(), 20),
        (10, 90, 20),
        (10, 500, 20),
        (20, 90, None),
        (20, 119, None),
        (20, 121, 30),
        (30, 500, None),
        (40, 500, None),  # its own word has not been read yet
        (0, 30, 10),
        (0, -30, None),  # before anybody shared cameras
    ],
)
def test_what_is_refused(epoch, seconds, refused_by):
    assert successor(TAKEOVERS, "gate", trace(epoch, T + seconds * SECOND)) == refused_by


def test_other_cameras_are_not_concerned():
    assert successor(TAKEOVERS, "yard", trace(0, T + 500 * SECOND)) is None


@pytest.fixture
def centre(make_site):
    centre = Centre.open(make_site())
    centre.bus.ensure_topics()
    yield centre
    centre.close()


def say(producer, number, epoch, captured_at):
    event = make_event(number)
    headers = event_headers(event, trace(epoch, captured_at))
    producer.publish("events", key=event.camera_id, value=event.to_bytes(), headers=headers)


def own(producer, epoch, since, hold=Hold.HOLDS):
    said = Ownership(camera_id="cam-1", worker="w", member="m", epoch=epoch, hold=hold, since=since, at=since)
    producer.publish("owners", key="cam-1", value=said.to_bytes())


def test_late_events_of_the_old_owner_are_stored_and_those_of_a_zombie_are_dead_letters(centre):
    producer = centre.bus.producer("test")
    centre.start()
    own(producer, 10, T)
    wait_until(lambda: centre.store.takeovers(["cam-1"]) == {"cam-1": {10: T}})
    own(producer, 10, T, Hold.LEAVES)
    own(producer, 20, T + 60 * SECOND)
    wait_until(lambda: len(centre.store.takeovers(["cam-1"])["cam-1"]) == 2)
    say(producer, 1, 10, T + 59 * SECOND)  # was in the outbox while the network was cut
    say(producer, 2, 10, T + 61 * SECOND)  # decided by somebody who did not know that it had been replaced
    say(producer, 3, 20, T + 61 * SECOND)
    producer.close()
    wait_until(lambda: queries.totals(centre.store).dead_letters == 1)
    wait_until(lambda: queries.totals(centre.store).stored == 2)
    assert queries.revisions(centre.store, make_event(2).event_id) == []

    reader = centre.bus.consumer(["dead-letter"], group=None)
    found = []
    wait_until(lambda: found.extend(reader.poll(0.1)) or found)
    reader.close()
    assert found[0].value == make_event(2).to_bytes(), "it is refused, not lost"
    assert b"epoch 10" in found[0].header("dead-letter-reason")
    assert b"epoch 20" in found[0].header("dead-letter-reason")


def test_the_fence_holds_after_a_restart_of_the_centre(centre, make_site):
    centre.store.record(Batch(takeovers={("cam-1", 20): T}))
    centre.close()
    again = Centre.open(make_site())
    try:
        producer = again.bus.producer("test")
        say(producer, 1, 10, T + SECOND)
        say(producer, 2, 20, T + SECOND)
        producer.close()
        again.start()
        wait_until(lambda: queries.totals(again.store).dead_letters == 1)
        wait_until(lambda: queries.totals(again.store).stored == 1)
    finally:
        again.close()


def test_the_status_of_an_older_owner_changes_nothing(centre):
    producer = centre.bus.producer("test")
    newer = make_status(epoch=20)
    publish_status(producer, newer)
    centre.start()
    wait_until(lambda: centre.statuses())
    publish_status(producer, make_status(state=CameraState.STOPPED, epoch=10))
    publish_status(producer, make_status("cam-2"))
    producer.close()
    wait_until(lambda: "cam-2" in centre.statuses())
    assert centre.statuses()["cam-1"] == newer


def test_old_hand_overs_are_forgotten_but_for_the_newest(centre):
    begun = {("cam-1", 10): T, ("cam-1", 20): T + SECOND, ("cam-2", 10): T, ("cam-2", 30): T + 90 * SECOND}
    centre.store.record(Batch(takeovers=begun))
    assert queries.delete_takeovers_before(centre.store, T + 60 * SECOND) == 2
    assert centre.store.takeovers(["cam-1", "cam-2"]) == {
        "cam-1": {20: T + SECOND},
        "cam-2": {30: T + 90 * SECOND},
    }
