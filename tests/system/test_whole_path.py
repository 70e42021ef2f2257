"""From real footage to the centre's store, in real processes that are killed on the way."""

from collections import Counter

import pytest

from tests.system.processes import build_city, parts, wait_until


@pytest.mark.parametrize("bus", ["embedded", pytest.param("kafka", marks=pytest.mark.kafka)])
def test_every_decided_event_is_stored_once_though_worker_and_centre_are_killed(tmp_path, bus, request):
    kafka = request.getfixturevalue("kafka_broker").address if bus == "kafka" else None
    city = build_city(tmp_path, kafka=kafka)
    with parts(city.worker, city.centre):
        city.centre.start()
        wait_until(city.ready, 40, "the centre to be ready")
        city.worker.start()
        wait_until(lambda: len(city.decided) >= 3, 60, "the first events")

        city.centre.kill()
        seen = len(city.decided)
        wait_until(lambda: len(city.decided) > seen, 60, "events while the centre is away")
        city.worker.kill()
        city.centre.start()
        city.worker.start()
        seen = len(city.decided)
        wait_until(lambda: len(city.decided) > seen, 60, "events after both came back")

        assert city.worker.stop() == 0, city.worker.said
        wait_until(city.ready, 40, "the centre to be ready again")
        wait_until(city.everything_stored, 60, "the centre to have every decided event")

        counts = Counter(city.stored())
        assert set(city.decided) <= set(counts)
        assert max(counts.values()) == 1, "an event is there twice"
        assert len(city.decided) == len(set(city.decided)), "the journal names an event twice"
        assert city.centre.stop() == 0, city.centre.said


def test_a_second_worker_on_the_same_data_is_told_what_to_do(tmp_path):
    city = build_city(tmp_path, cameras=1)
    second = build_city(tmp_path, cameras=1)
    with parts(city.worker, second.worker):
        city.worker.start()
        wait_until(lambda: "worker started" in city.worker.said, 40, "the first worker")
        second.worker.log = tmp_path / "second.log"
        second.worker.start()
        assert second.worker.process.wait(40) == 2
        last = second.worker.said.strip().splitlines()[-1]
        assert "in use" in last
        assert "stop it first" in last


def test_a_broker_that_is_down_at_the_start_costs_no_event(tmp_path, kafka_dev_port):
    city = build_city(tmp_path, cameras=2, kafka=f"127.0.0.1:{kafka_dev_port.port}")
    with parts(city.worker, city.centre):
        city.worker.start()
        wait_until(lambda: len(city.decided) >= 2, 60, "events with no broker")
        assert "events are kept in the outbox" in city.worker.said
        kafka_dev_port.start()
        city.centre.start()
        wait_until(city.ready, 60, "the centre")
        wait_until(city.everything_stored, 60, "the outbox to drain")
