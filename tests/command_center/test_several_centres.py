"""Two centres on one PostgreSQL share a real Kafka; one is killed, nothing is lost and nothing is twice."""

import json
import threading
import time
import uuid

import httpx
import pytest
import sqlalchemy as sa

from safecity.bus import open_bus
from safecity.free_port import free_port
from safecity.server_sent_events import read_messages
from safecity.settings import load_site
from tests.command_center.messages import make_event, make_picture, make_status, publish_event, publish_status
from tests.system.processes import Part, parts, wait_until

CAMERAS, ROUNDS = 12, 12


class Operator:
    """Follows the live stream; when its centre goes away, goes on at another, as behind a load balancer."""

    def __init__(self, urls):
        self.urls, self.events, self.statuses, self.last = list(urls), [], set(), None
        self.connected, self.done = threading.Event(), False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.done:
            headers = {"Last-Event-ID": self.last} if self.last else {}
            try:
                with httpx.stream(
                    "GET", f"{self.urls[0]}/api/v1/events/stream", headers=headers, timeout=15
                ) as answer:
                    self.connected.set()
                    for message in read_messages(answer.iter_lines()):
                        if message.kind == "status":
                            self.statuses.add(json.loads(message.data)["camera_id"])
                        if message.kind == "event":
                            self.last = message.last_id
                            item = json.loads(message.data)
                            self.events.append((item["event_id"], item["revision"]))
            except httpx.HTTPError:
                self.urls.append(self.urls.pop(0))
                time.sleep(0.2)


@pytest.fixture
def site_file(tmp_path, kafka_broker, postgres):
    name = f"test_{uuid.uuid4().hex}"
    engine = sa.create_engine(postgres.format(database="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    document = {
        "data_dir": str(tmp_path / "data"),
        "bus": {
            "backend": "kafka",
            "bootstrap_servers": [kafka_broker.address],
            "topic_prefix": f"{name}.",
            "partitions": 6,
        },
        "centre": {"database": postgres.format(database=name)},
        "cameras": [{"id": f"cam-{number}", "source": "rtsp://127.0.0.1:1/x"} for number in range(CAMERAS)],
    }
    path = tmp_path / "site.json"
    path.write_text(json.dumps(document))
    return path


def ready(url):
    try:
        return httpx.get(f"{url}/api/v1/health/ready", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


def stored_by(url):
    """How many events this process has stored."""
    said = httpx.get(f"{url}/metrics", timeout=10).text
    return sum(
        float(line.split()[-1])
        for line in said.splitlines()
        if line.startswith("safecity_centre_events_stored_total{")
    )


def stored(url):
    found, more = [], {}
    while True:
        page = httpx.get(
            f"{url}/api/v1/events", params={"limit": 1000, "revisions": "all", **more}, timeout=20
        ).json()
        found += [(item["event_id"], item["revision"]) for item in page["items"]]
        if page["next_cursor"] is None:
            return found
        more = {"cursor": page["next_cursor"]}


@pytest.mark.kafka
def test_one_of_two_centres_is_killed_and_operators_at_both_get_every_event_once(site_file, tmp_path):
    ports = free_port(), free_port()
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    centres = [
        Part(["command-center", "--site", str(site_file), "--port", str(port)], tmp_path / f"{port}.log", {})
        for port in ports
    ]
    bus = open_bus(load_site(site_file))
    with parts(*centres):
        for centre, url in zip(centres, urls, strict=True):
            centre.start()
            wait_until(lambda url=url: ready(url), 60, "a centre")
        operators = [Operator(urls), Operator(reversed(urls))]
        for operator in operators:
            assert operator.connected.wait(20)
        producer, wanted = bus.producer("test"), []
        for number in range(ROUNDS):
            for camera in range(CAMERAS):
                event = make_event(number, camera_id=f"cam-{camera}")
                wanted.append((event.event_id, 1))
                publish_event(producer, event, make_picture() if number == 0 else None)
                publish_status(producer, make_status(f"cam-{camera}"))
            producer.flush(20)
            if number == ROUNDS // 2:
                wait_until(lambda: all(stored_by(url) for url in urls), 30, "both to store something")
                centres[1].kill()
            time.sleep(0.25)
        producer.close()
        bus.close()
        wait_until(lambda: len(stored(urls[0])) >= len(wanted), 60, "the rest")
        assert sorted(stored(urls[0])) == sorted(wanted)
        for operator in operators:
            wait_until(lambda who=operator: len(who.events) >= len(wanted), 30, "an operator's events")
            operator.done = True
            assert sorted(operator.events) == sorted(wanted)
            assert len(operator.statuses) == CAMERAS
        for camera in range(CAMERAS):
            name = make_event(0, camera_id=f"cam-{camera}").snapshot
            assert httpx.get(f"{urls[0]}/api/v1/media/{name}").content == make_picture()
