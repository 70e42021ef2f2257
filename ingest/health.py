"""What the worker answers over HTTP: /metrics, /api/v1/health/live and /api/v1/health/ready."""

import json
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, Self
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from ingest.metrics import SupervisorMetrics

StartResponse = Callable[..., Any]


class WorkerHealth:
    """What the supervisor knows of its shards.

    Args:
        folder: where the shards keep their metrics.
        shards: how many there should be.
    """

    def __init__(self, folder: Path, shards: int) -> None:
        self._folder = folder
        self.registry = CollectorRegistry()
        MultiProcessCollector(self.registry, path=str(folder))  # type: ignore[no-untyped-call]
        ProcessCollector(registry=self.registry)
        self._metrics = SupervisorMetrics(self.registry)
        self._metrics.wanted.set(shards)
        self._ready: Sequence[bool] = [False] * shards

    def heard(self, ready: Sequence[bool]) -> None:
        """Which shards run and have been heard of."""
        self._ready = ready
        self._metrics.shards.set(sum(ready))

    def holds(self, cameras: int, partitions: int) -> None:
        """How many cameras the worker has, and partitions of the topic that they are shared by."""
        self._metrics.cameras.set(cameras)
        self._metrics.partitions.set(partitions)

    def died(self, pid: int | None) -> None:
        """A shard has ended by itself."""
        self._metrics.deaths.inc()
        if pid is not None:
            mark_process_dead(pid, path=str(self._folder))  # type: ignore[no-untyped-call]

    def answer(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """The WSGI application."""
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            page: Iterable[bytes] = make_wsgi_app(self.registry)(environ, start_response)
            return page
        if path == "/api/v1/health/live":
            return _json(start_response, "200 OK", {"status": "live"})
        if path == "/api/v1/health/ready":
            ready = all(self._ready)
            checks = {f"shard-{index}": ok for index, ok in enumerate(self._ready)}
            return _json(
                start_response,
                "200 OK" if ready else "503 Service Unavailable",
                {"status": "ready" if ready else "not ready", "checks": checks},
            )
        return _json(start_response, "404 Not Found", {"detail": "try /metrics or /api/v1/health/ready"})


class HealthServer:
    """Serves a worker's health on one address, in a thread.

    Raises:
        OSError: the address is taken.
    """

    def __init__(self, health: WorkerHealth, host: str, port: int) -> None:
        self._server = make_server(host, port, health.answer, _Server, _QuietHandler)
        self.url = f"http://{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="health", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Scrapes every few seconds are no news."""


def _json(start_response: StartResponse, status: str, body: dict[str, Any]) -> list[bytes]:
    start_response(status, [("Content-Type", "application/json")])
    return [json.dumps(body).encode() + b"\n"]
