"""One look at the city: what the centre's API says, by camera and by worker. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

DROPPED = ("overwritten", "corrupt", "shed")
"""Outcomes of frames that were wanted."""


@dataclass(frozen=True)
class CameraLook:
    """A camera."""

    camera_id: str
    name: str
    worker: str
    state: str
    """As it last reported; ``stale`` when that is long ago or never was."""
    trouble: str
    """What is wrong, in words; empty when nothing is."""
    step: str
    analysed_fps: float | None
    """Looked at a second, by the worker's setting."""
    analysed: float | None
    """Looked at a second, since the look before; None: there was none."""
    dropped: float | None
    """Frames a second that were wanted and lost."""
    events: int
    """That its rules have decided since its worker began."""
    age_seconds: float | None
    """Of its last report."""


@dataclass(frozen=True)
class WorkerLook:
    """A worker process."""

    name: str
    cameras: int
    live: int
    less: int
    """Cameras that are given less than their configuration asks for."""
    outbox: int
    """Messages on its disk that the bus does not have."""
    analysed: float | None
    dropped: float | None
    age_seconds: float
    """Of the newest report of its cameras."""


@dataclass(frozen=True)
class Look:
    """The city at one moment."""

    at: datetime
    site: str
    cameras: Sequence[CameraLook]
    """Those in trouble first."""
    workers: Sequence[WorkerLook]
    states: Mapping[str, int]
    """Cameras by state."""
    lag: Mapping[str, int]
    stored: int
    stored_per_second: float | None
    """Since the look before."""
    duplicates: int
    dead_letters: int
    latency_ms: Mapping[str, float | None]


def look_at(
    site: str,
    cameras: Sequence[Mapping[str, Any]],
    stats: Mapping[str, Any],
    now: datetime,
    before: "Answers | None" = None,
) -> Look:
    """Put the API's answers together.

    Args:
        site: its name.
        cameras: items of ``/cameras``.
        stats: ``/stats``.
        now: when they were asked for.
        before: the look before, for what is by the second.
    """
    rates = {} if before is None else _rates(cameras, before)
    seen = [_camera(item, now, rates) for item in cameras]
    stored = int(stats["events"]["stored"])
    return Look(
        at=now,
        site=site,
        cameras=sorted(seen, key=lambda camera: (not camera.trouble, camera.camera_id)),
        workers=_workers(cameras, seen),
        states=dict(Counter(camera.state for camera in seen)),
        lag=stats["lag"],
        stored=stored,
        stored_per_second=None if before is None else before.rate(stored - before.stored, now),
        duplicates=int(stats["events"]["duplicates"]),
        dead_letters=int(stats["dead_letter"]),
        latency_ms={name: stats["latency_ms"][name] for name in ("p50", "p95", "p99")},
    )


@dataclass(frozen=True)
class Answers:
    """What the API said at a look, kept for the next one."""

    at: datetime
    stored: int
    ledgers: Mapping[str, tuple[datetime, int, int]]
    """By camera: when it reported, frames analysed, frames dropped."""

    @classmethod
    def keep(cls, cameras: Sequence[Mapping[str, Any]], stats: Mapping[str, Any], now: datetime) -> "Answers":
        """Keep what the next look compares with."""
        ledgers = {item["id"]: _ledger(item["status"]) for item in cameras if item["status"] is not None}
        return cls(now, int(stats["events"]["stored"]), ledgers)

    def rate(self, rise: int, now: datetime) -> float:
        """By the second."""
        return max(rise, 0) / max((now - self.at).total_seconds(), 1e-3)


def _ledger(status: Mapping[str, Any]) -> tuple[datetime, int, int]:
    ledger = status["ledger"]
    reported = datetime.fromisoformat(status["reported_at"])
    return reported, int(ledger["analysed"]), sum(int(ledger[name]) for name in DROPPED)


def _rates(cameras: Sequence[Mapping[str, Any]], before: Answers) -> dict[str, tuple[float, float]]:
    """Frames analysed and dropped a second between the reports of two looks, of cameras with a new report."""
    rates = {}
    for item in cameras:
        known = before.ledgers.get(item["id"])
        if item["status"] is None or known is None:
            continue
        reported, analysed, dropped = _ledger(item["status"])
        seconds = (reported - known[0]).total_seconds()
        # A worker that began anew counts from 0.
        if seconds > 0 and analysed >= known[1] and dropped >= known[2]:
            rates[item["id"]] = (analysed - known[1]) / seconds, (dropped - known[2]) / seconds
    return rates


def _camera(item: Mapping[str, Any], now: datetime, rates: Mapping[str, tuple[float, float]]) -> CameraLook:
    status = item["status"]
    if status is None:
        return CameraLook(
            item["id"], item["name"], "", "stale", "has never reported", "", None, None, None, 0, None
        )
    age = (now - datetime.fromisoformat(status["reported_at"])).total_seconds()
    analysed, dropped = rates.get(item["id"], (None, None))
    return CameraLook(
        camera_id=item["id"],
        name=item["name"],
        worker=status["worker"],
        state="stale" if item["stale"] else status["state"],
        trouble=_trouble(item, age),
        step=status["step"],
        analysed_fps=status["analysed_fps"],
        analysed=analysed,
        dropped=dropped,
        events=status["events_decided"],
        age_seconds=max(age, 0.0),
    )


def _trouble(item: Mapping[str, Any], age: float) -> str:
    status = item["status"]
    said = [] if status["reason"] is None else [str(status["reason"])]
    if item["stale"]:
        said.insert(0, f"has not reported for {age:.0f} s")
    elif status["state"] not in ("live", "ended"):
        said.insert(0, status["state"])
    if status["faults"]:
        said.append(", ".join(status["faults"]))
    if status["step"] != "full":
        said.append(f"step {status['step']}")
    return "; ".join(said)


def _workers(cameras: Sequence[Mapping[str, Any]], seen: Sequence[CameraLook]) -> list[WorkerLook]:
    of: dict[str, list[tuple[Mapping[str, Any], CameraLook]]] = {}
    for item, look in zip(cameras, seen, strict=True):
        if item["status"] is not None:
            of.setdefault(look.worker, []).append((item, look))
    return [_worker(name, mine) for name, mine in sorted(of.items())]


def _worker(name: str, mine: Sequence[tuple[Mapping[str, Any], CameraLook]]) -> WorkerLook:
    newest = max((item["status"] for item, _ in mine), key=lambda status: str(status["reported_at"]))
    return WorkerLook(
        name=name,
        cameras=len(mine),
        live=sum(look.state == "live" for _, look in mine),
        less=sum(look.step != "full" for _, look in mine),
        # Every camera's status tells the whole outbox of its worker.
        outbox=int(newest["outbox_pending"]),
        analysed=_sum(look.analysed for _, look in mine),
        dropped=_sum(look.dropped for _, look in mine),
        age_seconds=min(look.age_seconds or 0.0 for _, look in mine),
    )


def _sum(rates: Any) -> float | None:
    known = [rate for rate in rates if rate is not None]
    return sum(known) if known else None
