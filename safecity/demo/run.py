"""The demo: a city of real processes, shown while it runs, and counted when it is done."""

import socket
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safecity.cli import UsageError
from safecity.demo.cameras import RtspServer, rtsp_server_available
from safecity.demo.city import City, end_process, start_process
from safecity.demo.scenes import FOOTAGE, camera_ids, demo_site


@dataclass(frozen=True)
class DemoPlan:
    """What a demo is to do."""

    cameras: int
    duration: float | None
    """Seconds; None: until it is interrupted."""
    port: int
    kafka: str | None
    data_dir: Path


def run_demo(plan: DemoPlan, announce: Callable[[str], None]) -> dict[str, Any]:
    """Run the demo to its end and say what came of it.

    Args:
        plan: what to do.
        announce: told what a person should read.

    Returns:
        The summary: events, ledger by camera, latency_ms and cameras.

    Raises:
        CityError: a part did not start, or ended by itself.
    """
    with ExitStack() as parts:
        rtsp = start_rtsp(plan.cameras, parts, announce)
        document = demo_site(plan.cameras, plan.data_dir, plan.port, kafka=plan.kafka, rtsp=rtsp)
        city = parts.enter_context(City(document, plan.data_dir))
        city.start_centre()
        city.start_worker()
        announce(f"The page: {city.url}    (Ctrl-C ends the demo)")
        viewer = start_process("events", "--follow", "--url", city.url)
        parts.callback(end_process, viewer, 5.0)
        with suppress(KeyboardInterrupt):
            city.watch(plan.duration)
        end_process(viewer, 5.0)
        announce("Stopping: the worker hands over what it has …")
        return _summarise(city, city.stop_worker())


def start_rtsp(cameras: int, parts: ExitStack, announce: Callable[[str], None]) -> dict[str, str]:
    """Serve the first camera over RTSP, where that can be done.

    Args:
        cameras: how many there are.
        parts: ends the server.
        announce: told what a person should read.

    Returns:
        Camera id → RTSP address, of that camera or of none.
    """
    reason = rtsp_server_available()
    if reason is not None:
        announce(f"No RTSP server here ({reason}): all cameras are live files.")
        return {}
    first = camera_ids(cameras)[0]
    server = parts.enter_context(RtspServer({first: FOOTAGE}))
    announce(f"{first} comes over RTSP from {server.url(first)}, the others are live files.")
    return {first: server.url(first)}


def _summarise(city: City, done: dict[str, Any]) -> dict[str, Any]:
    """Hold what the rules decided against what the centre has, once it has it all."""
    stored = city.stored(city.decided())
    stats = city.get("stats")
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
            for camera in city.cameras()
        },
    }


def check_port(port: int) -> None:
    """Refuse a port that is taken, before anything is started.

    Raises:
        UsageError: it is taken.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UsageError(
                f"port {port} cannot be had ({error.strerror}); choose another: --port 8081"
            ) from None
