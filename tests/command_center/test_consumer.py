"""From the bus to the store, over a real log: crashes, duplicates, nonsense, full disks."""

import asyncio
import json
import threading

import pytest

from command_center.centre import Centre
from command_center.store import queries
from safecity.bus.port import BusUnavailableError
from safecity.status import CameraState
from tests.command_center.conftest import wait_until
from tests.command_center.messages import (
    make_event,
    make_picture,
    make_status,
    publish_event,
)


@pytest.fixture
def open_centre(make_site):
    opened = []

    def open_one():
        centre = Centre.open(make_site())
        centre.bus.ensure_topics()
        opened.append(centre)
        return centre

    yield open_one
    for centre in opened:
        centre.close()


def stored(centre):
    return queries.totals(centre.store).stored


def publish(centre, *events, picture=None):
    producer = centre.bus.producer("test")
    for event in events:
        publish_event(producer, event, picture)
    producer.flush(5)
    producer.close()


def test_events_pictures_and_statuses_are_stored(open_centre):
    centre = open_centre()
    publish(centre, make_event(1), picture=make_picture())
    producer = centre.bus.producer("status")
    status = make_status(state=CameraState.RECONNECTING, reason="the camera refuses")
    producer.publish("status", key="cam-1", value=status.to_bytes())
    producer.close()
    centre.start()
    wait_until(lambda: stored(centre) == 1 and centre.statuses())
    assert centre.media.find(make_event(1).snapshot).read_bytes() == make_picture()
    assert centre.statuses() == {"cam-1": status}
    (found,) = queries.revisions(centre.store, make_event(1).event_id)
    assert found.event == make_event(1)
    assert found.trace.worker == "test/0"
    assert found.latency_ms > 0


def test_a_centre_that_died_before_it_told_the_bus_stores_nothing_twice(open_centre, monkeypatch):
    first = open_centre()
    publish(first, *(make_event(number) for number in range(5)))
    original = first.bus.consumer

    def never_commits(*args, **options):
        consumer = original(*args, **options)

        def lost(_positions):
            raise BusUnavailableError("the centre dies here")

        monkeypatch.setattr(consumer, "commit", lost)
        return consumer

    monkeypatch.setattr(first.bus, "consumer", never_commits)
    first.start()
    wait_until(lambda: stored(first) == 5)
    first.close()

    second = open_centre()
    publish(second, make_event(5))
    second.start()
    wait_until(lambda: stored(second) == 6)
    totals = queries.totals(second.store)
    assert (totals.stored, totals.duplicates) == (6, 0), "it read on from where its own store was"


def test_what_is_published_again_adds_nothing(open_centre):
    centre = open_centre()
    publish(centre, make_event(1), make_event(2))
    publish(centre, make_event(1), make_event(2), make_event(3))
    centre.start()
    wait_until(lambda: stored(centre) == 3)
    wait_until(lambda: queries.totals(centre.store).duplicates == 2)


NONSENSE = [
    ("events", b"not json", ()),
    ("events", b"{}", ()),
    ("events", b"\xff\xfe\x00", ()),
    ("events", None, ()),
    ("events", make_event(9).to_bytes(), (("safecity-trace", b"broken"),)),
    ("status", b"[1, 2]", ()),
    ("snapshots", b"\xff\xd8jpeg", (("media-name", b"../../escape.jpg"),)),
    ("snapshots", b"\xff\xd8jpeg", ()),
    ("snapshots", b"GIF89a", (("media-name", make_event(1).snapshot.encode()),)),
]


@pytest.mark.parametrize(("topic", "value", "headers"), NONSENSE)
def test_what_cannot_be_read_goes_to_dead_letter_and_the_rest_goes_on(open_centre, topic, value, headers):
    centre = open_centre()
    producer = centre.bus.producer("hostile")
    producer.publish(topic, key="cam-1", value=value, headers=headers)
    producer.flush(5)
    producer.close()
    publish(centre, make_event(1))
    centre.start()
    wait_until(lambda: stored(centre) == 1 and queries.totals(centre.store).dead_letters == 1)

    reader = centre.bus.consumer(["dead-letter"], group=None)
    found = []
    wait_until(lambda: found.extend(reader.poll(0.1)) or found)
    reader.close()
    (letter,) = found
    assert (letter.key, letter.value) == ("cam-1", value)
    assert letter.header("dead-letter-reason")
    assert letter.header("dead-letter-source").decode().startswith(f"{topic}/")
    assert all(letter.header(name) == content for name, content in headers)


def test_a_message_of_a_newer_schema_goes_to_dead_letter_with_the_reason(open_centre):
    centre = open_centre()
    newer = json.dumps({**json.loads(make_event(1).to_bytes()), "schema_version": 2}).encode()
    unknown = json.dumps({**json.loads(make_event(2).to_bytes()), "added_later": {"deep": [1]}}).encode()
    producer = centre.bus.producer("newer")
    for value in (newer, unknown):
        producer.publish("events", key="cam-1", value=value)
    producer.flush(5)
    producer.close()
    centre.start()
    wait_until(lambda: stored(centre) == 1 and queries.totals(centre.store).dead_letters == 1)
    reader = centre.bus.consumer(["dead-letter"], group=None)
    found = []
    wait_until(lambda: found.extend(reader.poll(0.1)) or found)
    reader.close()
    assert found[0].value == newer
    reason = found[0].header("dead-letter-reason").decode()
    assert reason.startswith(
        "no Event: schema_version: version 2 of the schema, and this release reads version 1"
    )


def test_many_pictures_of_one_batch_are_all_kept_and_the_newest_of_a_name_stays(open_centre):
    centre = open_centre()
    producer = centre.bus.producer("test")
    names = [make_event(number).snapshot for number in range(60)]
    for shade in (b"old", b"new"):
        for name in names:
            headers = (("media-name", name.encode()),)
            producer.publish("snapshots", key="cam-1", value=b"\xff\xd8" + shade, headers=headers)
    producer.flush(5)
    producer.close()
    publish(centre, make_event(1))
    centre.start()
    wait_until(lambda: stored(centre) == 1)
    wait_until(lambda: all(centre.media.find(name) for name in names))
    assert {centre.media.find(name).read_bytes() for name in names} == {b"\xff\xd8new"}
    assert list(centre.site.in_data_dir("centre").glob("media/*/*.part")) == []


def test_a_disk_that_takes_nothing_costs_no_picture_and_no_event(open_centre):
    centre = open_centre()
    event = make_event(1)
    blocked = centre.site.in_data_dir("centre") / "media" / event.snapshot[:2]
    blocked.write_text("a file where the folder has to be")
    publish(centre, event, picture=make_picture())
    centre.start()
    wait_until(lambda: not centre.consumer.storing)
    assert stored(centre) == 0
    blocked.unlink()
    wait_until(lambda: stored(centre) == 1 and centre.consumer.storing)
    assert centre.media.find(event.snapshot).read_bytes() == make_picture()


def test_a_centre_can_be_stopped_while_its_disk_takes_nothing_and_loses_nothing(open_centre):
    first = open_centre()
    event = make_event(1)
    blocked = first.site.in_data_dir("centre") / "media" / event.snapshot[:2]
    blocked.write_text("in the way")
    publish(first, event, picture=make_picture())
    first.start()
    wait_until(lambda: not first.consumer.storing)
    first.close()
    blocked.unlink()
    second = open_centre()
    second.start()
    wait_until(lambda: stored(second) == 1)
    assert second.media.find(event.snapshot) is not None


def test_followers_are_woken(open_centre):
    centre = open_centre()
    centre.start()
    version, _ = centre.live.statuses_since(0)
    woken = threading.Event()

    def wait():
        if asyncio.run(centre.live.wait(version, 10)):
            woken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    publish(centre, make_event(1))
    assert woken.wait(10)
    thread.join()
