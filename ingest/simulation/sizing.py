"""From what one run measured to what cities of other sizes need, and what breaks first. Pure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CITIES = (20, 675, 8_000)
DAY = 86_400
CENTRE_BUSY = 0.7
"""Share of the time that one centre's consumer may be busy on average, and of a core that it may use."""
ANALYSIS_CAMERAS_A_CORE = 15.0
"""``safecity bench density``: 12 to 18 main streams of 720p25 a core; 25 to 44 substreams."""
PARTITIONS_A_WORKER = 3
"""So that no worker has more than a third more cameras than another."""
WORKER_CORES = 8
"""Of a usual worker machine."""
EVENT_TOPICS_DAYS, OBSERVATION_DAYS = 7, 1


@dataclass(frozen=True)
class Measured:
    """What a run measured, at its size. Cores are CPU seconds a second, of all processes of a kind."""

    cameras: int
    publishing_cores: float
    broker_cores: float | None
    """None: the broker is elsewhere."""
    centre_cores: float
    centre_busy: float
    """Share of the time that the centre's consumer works or waits for its disks."""
    store_cores: float | None
    """None: in the centre's own process (SQLite), or elsewhere."""
    log_bytes_a_second: Mapping[str, float]
    """By topic, on the broker's disk, one replica."""
    rows_a_second: float
    row_bytes: float
    """Of the database on disk, an event's revision, with its indexes."""
    picture_bytes_a_second: float


def size_city(measured: Measured, cameras: int, cameras_a_core: float) -> dict[str, Any]:
    """What a city of so many cameras needs, at the same rates: everything in proportion.

    Args:
        measured: by one run.
        cameras: of the city.
        cameras_a_core: that a core analyses; the run had scripted cameras and did not measure it.
    """
    scale = cameras / measured.cameras
    logs = {topic: rate * scale for topic, rate in measured.log_bytes_a_second.items()}
    kept = sum(
        rate * DAY * (OBSERVATION_DAYS if topic == "observations" else EVENT_TOPICS_DAYS)
        for topic, rate in logs.items()
        if topic != "status"
    )
    written = sum(logs.values())
    read = written - logs.get("observations", 0.0)
    worker_cores = cameras / cameras_a_core + measured.publishing_cores * scale
    workers = math.ceil(worker_cores / WORKER_CORES)
    centre = measured.centre_cores * scale
    return {
        "cameras": cameras,
        "basis": "measured" if cameras == measured.cameras else "extrapolated",
        "worker_cores": round(worker_cores, 1),
        "publishing_cores": round(measured.publishing_cores * scale, 2),
        "partitions": max(12, PARTITIONS_A_WORKER * workers),
        "broker_cores": _rounded(measured.broker_cores, scale),
        "broker_disk_gb": round(kept / 1e9, 1),
        "broker_in_mbit_s": round(8 * written / 1e6, 2),
        "broker_out_mbit_s": round(8 * read / 1e6, 2),
        "store_rows_day": round(measured.rows_a_second * scale * DAY),
        "store_gb_day": round(measured.rows_a_second * scale * DAY * measured.row_bytes / 1e9, 2),
        "store_cores": _rounded(measured.store_cores, scale),
        "pictures_gb_day": round(measured.picture_bytes_a_second * scale * DAY / 1e9, 1),
        "centre_cores": round(centre, 2),
        "centres": max(1, math.ceil(max(centre, measured.centre_busy * scale) / CENTRE_BUSY)),
    }


def breaking_points(measured: Measured, cores: int, producers: int) -> list[dict[str, Any]]:
    """At how many cameras each part of the run reaches its limit, the first to do so first.

    Args:
        measured: by one run.
        cores: of the machine that it ran on.
        producers: processes that published.
    """
    uses = {
        "one centre's core": (measured.centre_cores, 1.0),
        "one centre's consumer, with its disks": (measured.centre_busy, 1.0),
        f"{producers} publishing processes, a core each": (measured.publishing_cores, float(producers)),
        "this machine, all parts on it": (
            measured.publishing_cores
            + measured.centre_cores
            + (measured.broker_cores or 0.0)
            + (measured.store_cores or 0.0),
            float(cores),
        ),
    }
    if measured.broker_cores:
        uses["the broker, all cores"] = (measured.broker_cores, float(cores))
    if measured.store_cores:
        uses["PostgreSQL, all cores"] = (measured.store_cores, float(cores))
    points = [
        {"what": what, "used": round(used, 3), "of": limit, "cameras": int(measured.cameras * limit / used)}
        for what, (used, limit) in uses.items()
        if used > 0
    ]
    return sorted(points, key=lambda point: point["cameras"])


def notes(measured: Measured, cameras_a_core: float) -> list[str]:
    """What of the sizing table is measured, and what is not."""
    return [
        f"Measured: the row of {measured.cameras:,} cameras, on this machine, at these rates. All other rows "
        "are that one in proportion; a fixed part and what large batches save are not told apart.",
        f"Not measured: analysis, at {cameras_a_core:g} cameras a core (safecity bench density says yours); "
        "worker cores are that and the publishing that was measured.",
        f"By rule: partitions, {PARTITIONS_A_WORKER} for each worker of {WORKER_CORES} cores, 12 at least; "
        f"centres, so that none is busy for more than {CENTRE_BUSY:.0%} of the time.",
        f"Disk: one replica, {OBSERVATION_DAYS} day of observations and {EVENT_TOPICS_DAYS} of events and "
        "pictures. Network: batches as they lie in the logs, one replica, without acknowledgements.",
    ]


def cities(measured: Measured, cameras_a_core: float) -> Sequence[dict[str, Any]]:
    """The sizing table: the run's own size among those of :data:`CITIES`."""
    sizes = sorted({*CITIES, measured.cameras})
    return [size_city(measured, size, cameras_a_core) for size in sizes]


def _rounded(cores: float | None, scale: float) -> float | None:
    return None if cores is None else round(cores * scale, 2)
