"""A centre over the embedded bus, and its HTTP server on a free port."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import uvicorn

from command_center.api.app import create_app
from command_center.centre import Centre
from command_center.server import listen
from safecity.bus.port import Producer
from safecity.settings import Site, parse_site

CAMERAS = [
    {
        "id": f"cam-{number}",
        "name": f"Camera {number}",
        "source": f"rtsp://viewer:hidden-{number}-secret@127.0.0.1:1/{number}",
        "zones": [{"name": "yard", "polygon": [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]}],
        "rules": [{"kind": "zone_entered", "name": "zone-entered-rule", "zone": "yard"}],
    }
    for number in (1, 2, 3)
]


def wait_until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[..., Site]:
    def make(**centre: object) -> Site:
        document = {"name": "Test city", "timezone": "Asia/Karachi", "data_dir": str(tmp_path / "data")}
        return parse_site({**document, "cameras": CAMERAS, "centre": centre}, tmp_path)

    return make


@dataclass
class Served:
    """A centre that runs and answers."""

    centre: Centre
    producer: Producer
    url: str
    client: httpx.Client

    def stored(self) -> int:
        return self.client.get("/api/v1/stats").json()["events"]["stored"]


@contextmanager
def served(site: Site) -> Iterator[Served]:
    centre = Centre.open(site)
    centre.bus.ensure_topics()
    producer = centre.bus.producer("test")
    listening = listen("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    config = uvicorn.Config(create_app(centre), log_config=None, lifespan="off", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    centre.start()
    thread.start()
    token = site.centre.token
    headers = {"Authorization": f"Bearer {token.get_secret_value()}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=10) as client:
            wait_until(lambda: client.get("/api/v1/health/ready").status_code == 200)
            yield Served(centre, producer, url, client)
    finally:
        centre.live.close()
        server.should_exit = True
        thread.join(10)
        producer.close()
        centre.close()
        listening.close()


@pytest.fixture
def serve() -> Callable[[Site], object]:
    return served


@pytest.fixture
def running(make_site: Callable[..., Site]) -> Iterator[Served]:
    with served(make_site()) as server:
        yield server
