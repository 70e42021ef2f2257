"""The demo: real processes, started and stopped in order, and counted when they are done."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from safecity.cli import UsageError
from safecity.demo.cameras import RtspServer, rtsp_server_available
from safecity.demo.scenes import FOOTAGE, camera_ids, demo_site
from safecity.parent import die_with

READY_SECONDS = 60.0
DRAIN_SECONDS = 30.0


@dataclass(frozen=True)
class DemoPlan:
    """What a demo is to do."""

    cameras: int
    duration: float | None
    """Seconds; None: until it is interrupted."""
    port: int
    kafka: str | None
    data_dir: Path


class DemoError(Exception):
    """A part of the demo did not start or ended by itself."""


def run_demo(plan: DemoPlan, announce: Callable[[str], None]) -> dict[str, Any]:
    """Run the demo to its end and say what came of it.

    Args:
        plan: what to do.
        announce: told what a person should read.

    Returns:
        The summary: events, ledger by camera, latency_ms and cameras.

    Raises:
        DemoError: a part did not start, or ended by itself.
    """
    url = f"http://127.0.0.1:{plan.port}"
    with ExitStack() as parts:
        rtsp = _start_rtsp(plan, parts, announce)
        site = plan.data_dir / "site.json"
        document = demo_site(plan.cameras, plan.data_dir, plan.port, kafka=plan.kafka, rtsp=rtsp)
        site.write_text(json.dumps(document, indent=1), encoding="utf-8")
        journal, report = plan.data_dir / "decided.jsonl", plan.data_dir / "worker-summary.json"
        centre = parts.enter_context(_part(plan, "command-center", "--site", str(site)))
        _wait_until(lambda: _answers(f"{url}/api/v1/health/ready"), centre, "the command centre")
        worker = parts.enter_context(
            _part(plan, "worker", "--site", str(site), "--journal", str(journal), "--summary", str(report))
        )
        _wait_until(lambda: _all_reported(url), worker, "the worker")
        announce(f"The page: {url}    (Ctrl-C ends the demo)")
        viewer = subprocess.Popen(
            [sys.executable, "-m", "safecity", "events", "--follow", "--url", url],
            start_new_session=True,
            preexec_fn=_die_with_us(signal.SIGTERM),
        )
        parts.callback(_end, viewer, 5.0)
        _watch(plan.duration, {"worker": worker, "command centre": centre})
        _end(viewer, 5.0)
        announce("Stopping: the worker hands over what it has …")
        _end(worker.process, DRAIN_SECONDS + 15.0)
        if not report.exists():
            raise DemoError(f"the worker ended without a report; its log: {worker.log}\n{_tail(worker.log)}")
        return _summarise(url, json.loads(report.read_text(encoding="utf-8")), _read_journal(journal))


@dataclass(frozen=True)
class _Part:
    process: "subprocess.Popen[bytes]"
    log: Path


def _start_rtsp(plan: DemoPlan, parts: ExitStack, announce: Callable[[str], None]) -> dict[str, str]:
    reason = rtsp_server_available()
    if reason is not None:
        announce(f"No RTSP server here ({reason}): all cameras are live files.")
        return {}
    first = camera_ids(plan.cameras)[0]
    server = parts.enter_context(RtspServer({first: FOOTAGE}))
    announce(f"{first} comes over RTSP from {server.url(first)}, the others are live files.")
    return {first: server.url(first)}


@contextmanager
def _part(plan: DemoPlan, *arguments: str) -> Iterator[_Part]:
    log = plan.data_dir / f"{arguments[0]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "safecity", *arguments],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_us(signal.SIGTERM),
        )
    try:
        yield _Part(process, log)
    finally:
        _end(process, 15.0)


def _die_with_us(number: signal.Signals) -> Callable[[], None]:
    parent = os.getpid()
    return lambda: die_with(parent, number)


def _end(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _watch(duration: float | None, parts: dict[str, _Part]) -> None:
    end = time.monotonic() + duration if duration is not None else None
    try:
        while end is None or time.monotonic() < end:
            for name, part in parts.items():
                if part.process.poll() is not None:
                    raise DemoError(f"the {name} ended by itself:\n{_tail(part.log)}")
            time.sleep(0.2)
    except KeyboardInterrupt:
        return


def _wait_until(ready: Callable[[], bool], part: _Part, name: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if part.process.poll() is not None or time.monotonic() > deadline:
            raise DemoError(f"{name} did not start:\n{_tail(part.log)}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _all_reported(url: str) -> bool:
    cameras = httpx.get(f"{url}/api/v1/cameras", timeout=10.0).raise_for_status().json()["items"]
    return all(camera["status"] is not None for camera in cameras)


def _tail(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def _read_journal(path: Path) -> set[tuple[str, int]]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return {(event["event_id"], event["revision"]) for event in map(json.loads, lines)}


def _summarise(url: str, done: dict[str, Any], decided: set[tuple[str, int]]) -> dict[str, Any]:
    """Hold what the rules decided against what the centre has, once it has it all."""
    deadline = time.monotonic() + DRAIN_SECONDS
    while True:
        stored = [item for item in _stored(url) if (item["event_id"], item["revision"]) in decided]
        if len(stored) >= len(decided) or time.monotonic() > deadline:
            break
        time.sleep(0.3)
    stats = httpx.get(f"{url}/api/v1/stats", timeout=10.0).json()
    cameras = httpx.get(f"{url}/api/v1/cameras", timeout=10.0).json()["items"]
    return {
        "events": {
            "decided": done["events"]["decided"],
            "published": done["events"]["published"],
            "stored": len(stored),
            "duplicates": stats["events"]["duplicates"],
            "by_kind": done["events"]["by_kind"],
        },
        "ledger": done["ledger"],
        "latency_ms": stats["latency_ms"],
        "cameras": {
            camera["id"]: {
                "name": camera["name"],
                "events": sum(item["camera_id"] == camera["id"] for item in stored),
                "state": (camera["status"] or {}).get("state"),
            }
            for camera in cameras
        },
    }


def _stored(url: str) -> Iterator[dict[str, Any]]:
    cursor = None
    while True:
        parameters = {"limit": "1000", **({"cursor": cursor} if cursor else {})}
        page = httpx.get(f"{url}/api/v1/events", params=parameters, timeout=30.0).raise_for_status().json()
        yield from page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return


def check_port(port: int) -> None:
    """Refuse a port that is taken, before anything is started.

    Raises:
        UsageError: it is taken.
    """
    import socket

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had ({error.strerror}); choose another: --port 8081"
            ) from None
