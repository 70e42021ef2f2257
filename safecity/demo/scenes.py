"""The cameras of the demo: one street, seen at four times of its day, each watched for something else."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

FOOTAGE = Path(__file__).parent / "footage" / "street.mp4"

WINDOWS = [[0.41, 0.05], [0.76, 0.05], [0.76, 0.16], [0.41, 0.16]]
PATH = {"name": "path", "start": [0.39, 0.34], "end": [0.42, 0.66]}
ROAD = {"name": "road", "start": [0.66, 0.33], "end": [0.94, 0.36]}
JUNCTION = {
    "name": "junction",
    "polygon": [[0.45, 0.37], [0.66, 0.34], [0.90, 0.46], [0.97, 0.80], [0.58, 0.62], [0.45, 0.55]],
}
LAWN = {
    "name": "lawn",
    "polygon": [[0.0, 0.44], [0.38, 0.58], [0.72, 0.78], [1.0, 0.90], [1.0, 1.0], [0.0, 1.0]],
}
WALK = {"name": "walk", "polygon": [[0.0, 0.28], [0.40, 0.34], [0.40, 0.58], [0.0, 0.42]]}


def _entered(zone: str, severity: str = "low") -> dict[str, Any]:
    return {"kind": "zone_entered", "name": f"{zone}-entered", "zone": zone, "severity": severity}


def _crossed(line: str) -> dict[str, Any]:
    return {"kind": "line_crossed", "name": f"{line}-crossed", "line": line, "severity": "info"}


def _loitering(zone: str, seconds: float) -> dict[str, Any]:
    return {"kind": "loitering", "name": f"{zone}-loitering", "zone": zone, "dwell_seconds": seconds}


def _crowding(zone: str, count: int) -> dict[str, Any]:
    return {"kind": "crowding", "name": f"{zone}-crowded", "zone": zone, "count": count, "severity": "low"}


SCENES: tuple[dict[str, Any], ...] = (
    {
        "name": "Assembly point",
        "zones": [JUNCTION],
        "lines": [PATH],
        "rules": [_crossed("path"), _loitering("junction", 10), _crowding("junction", 3)],
    },
    {
        "name": "Junction",
        "start_offset_seconds": 18.0,
        "zones": [JUNCTION],
        "masks": [WINDOWS],
        "rules": [_entered("junction")],
    },
    {
        "name": "North road",
        "start_offset_seconds": 40.0,
        "zones": [JUNCTION, LAWN],
        "lines": [ROAD],
        "rules": [_crossed("road"), _loitering("junction", 8), _entered("lawn", "medium")],
    },
    {
        "name": "West walk",
        "start_offset_seconds": 58.0,
        "zones": [WALK, LAWN],
        "masks": [WINDOWS],
        "rules": [_entered("walk", "info"), _entered("lawn", "medium"), _loitering("walk", 6)],
    },
)


def demo_site(
    cameras: int, data_dir: Path, port: int, *, kafka: str | None, rtsp: Mapping[str, str]
) -> dict[str, Any]:
    """The site document of a demo.

    Args:
        cameras: how many; scenes repeat.
        data_dir: where everything is kept.
        port: of the command centre.
        kafka: host:port of a broker; the embedded bus without it.
        rtsp: camera id → RTSP address, for those that are not live files.
    """
    bus = {"backend": "kafka", "bootstrap_servers": [kafka]} if kafka else {"backend": "embedded"}
    return {
        "name": "safecity demo",
        "data_dir": str(data_dir),
        "bus": bus,
        "worker": {"metrics_port": 0, "status_seconds": 2.0},
        "centre": {"port": port},
        "cameras": [_camera(index, rtsp) for index in range(cameras)],
    }


def camera_ids(cameras: int) -> list[str]:
    """The ids that the demo's cameras have."""
    return [f"cam-{index + 1}" for index in range(cameras)]


def _camera(index: int, rtsp: Mapping[str, str]) -> dict[str, Any]:
    scene, lap = SCENES[index % len(SCENES)], index // len(SCENES)
    camera_id = f"cam-{index + 1}"
    camera = {**scene, "id": camera_id, "name": scene["name"] + (f" {lap + 1}" if lap else "")}
    if camera_id in rtsp:
        camera.pop("start_offset_seconds", None)
        return {**camera, "source": rtsp[camera_id]}
    offset = (camera.get("start_offset_seconds", 0.0) + 7.0 * lap) % 75.0
    return {**camera, "source": FOOTAGE.as_uri(), "playback": "loop", "start_offset_seconds": offset}
