"""Kafka is stopped under a running worker and comes back: nothing is lost, each camera keeps its order."""

import json
import re
import time
import uuid
from collections import Counter, defaultdict
from pathlib import Path

import httpx
import pytest

from safecity import kafka_dev
from safecity.bus import open_bus
from safecity.free_port import free_port
from safecity.kafka_dev import Broker
from safecity.observation import Observation
from safecity.settings import Site, load_site
from tests.system.processes import build_city, parts, wait_until

AWAY_SECONDS = 12.0
CAMERAS = [f"cam-{number}" for number in range(1, 5)]


def gauge(port: int, name: str) -> float:
    text = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.MULTILINE))


def read_observations(site: Site) -> dict[str, list[Observation]]:
    """Every observation on the bus, by camera, in its order."""
    found: dict[str, list[Observation]] = defaultdict(list)
    with open_bus(site) as bus:
        consumer = bus.consumer(["observations"], group=None)
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 3.0:
            for record in consumer.poll(0.5):
                quiet_since = time.monotonic()
                found[record.key or ""].append(Observation.from_bytes(record.value or b""))
        consumer.close()
    return found


@pytest.mark.kafka
def test_a_broker_that_goes_and_comes_back_costs_nothing(tmp_path: Path, kafka_broker: Broker) -> None:
    city = build_city(tmp_path, cameras=4, kafka=kafka_broker.address)
    document = json.loads(city.site.read_text())
    document["bus"]["topic_prefix"] = f"t{uuid.uuid4().hex[:8]}."
    port = document["worker"]["metrics_port"] = free_port()
    city.site.write_text(json.dumps(document))
    summary = tmp_path / "summary.json"
    city.worker.arguments += ["--summary", str(summary)]
    with parts(city.worker, city.centre):
        city.centre.start()
        city.worker.start()
        wait_until(city.ready, 60, "the centre to be ready")
        wait_until(lambda: len(city.decided) >= 2, 60, "the first events")

        running = kafka_dev.running_broker(kafka_broker.data)
        assert running is not None
        kafka_dev.stop(running)
        try:
            seen = len(city.decided)
            time.sleep(AWAY_SECONDS)
            wait_until(lambda: len(city.decided) > seen, 60, "events while the broker is away")
            assert gauge(port, "safecity_worker_outbox_messages") > 0
            assert gauge(port, "safecity_worker_outbox_bytes") > 0
            assert gauge(port, "safecity_worker_outbox_oldest_unsent_seconds") > AWAY_SECONDS / 2
            assert gauge(port, "safecity_worker_bus_connected") == 0
        finally:
            kafka_dev.start(kafka_broker.port, kafka_broker.data)
        wait_until(lambda: gauge(port, "safecity_worker_outbox_messages") == 0, 60, "the outbox to drain")
        assert gauge(port, "safecity_worker_best_effort_dropped_total") == 0
        assert city.worker.stop() == 0
        wait_until(city.ready, 60, "the centre to be ready again")
        wait_until(city.everything_stored, 60, "every decided event to be stored")
        assert max(Counter(city.stored()).values()) == 1, "an event is there twice"
        assert city.centre.stop() == 0

    ledgers = json.loads(summary.read_text())["ledger"]
    observations = read_observations(load_site(city.site))
    assert sorted(observations) == sorted(ledgers) == CAMERAS
    for camera, ledger in ledgers.items():
        frames = [(each.captured_at, each.frame_index) for each in observations[camera]]
        once = list(dict.fromkeys(frames))
        assert len(once) == ledger["analysed"] + ledger["still"], "an observation is missing"
        assert once == sorted(once), "an observation came out of its order"
