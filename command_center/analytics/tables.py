"""Events and observations as rows: one table each, with the columns that docs/analysis.md describes."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from safecity.camera import Camera
from safecity.event import Event
from safecity.geometry import points_in_polygon
from safecity.observation import Observation

Row = dict[str, Any]

EVENT_COLUMNS: Mapping[str, str] = {
    "event_id": "string",
    "revision": "int32",
    "phase": "string",
    "camera_id": "string",
    "kind": "string",
    "rule": "string",
    "severity": "string",
    "occurred_at": "time",
    "opened_at": "time",
    "closed_at": "time",
    "local_hour": "int8",
    "zone": "string",
    "line": "string",
    "direction": "string",
    "label": "string",
    "track_ids": "int64s",
    "x1": "float64",
    "y1": "float64",
    "x2": "float64",
    "y2": "float64",
    "attributes": "string",
    "config": "string",
    "run": "string",
}
OBSERVATION_COLUMNS: Mapping[str, str] = {
    "camera_id": "string",
    "captured_at": "time",
    "local_hour": "int8",
    "frame_index": "int64",
    "width": "int32",
    "height": "int32",
    "inferred": "bool",
    "track_id": "int64",
    "label": "string",
    "confidence": "float64",
    "x1": "float64",
    "y1": "float64",
    "x2": "float64",
    "y2": "float64",
    "velocity_x": "float64",
    "velocity_y": "float64",
    "stationary": "bool",
    "age_seconds": "float64",
    "zones": "strings",
    "run": "string",
}
TABLES = {"events": EVENT_COLUMNS, "observations": OBSERVATION_COLUMNS}


def event_row(event: Event, zone: ZoneInfo, run: str) -> Row:
    """An event at its newest revision."""
    box = event.box or (event.tracks[0].box if event.tracks else (None,) * 4)
    direction = event.attributes.get("direction")
    return {
        **{name: getattr(event, name) for name in EVENT_COLUMNS if name in Event.model_fields},
        "phase": str(event.phase),
        "severity": str(event.severity),
        "local_hour": event.occurred_at.astimezone(zone).hour,
        "direction": None if direction is None else str(direction),
        "label": event.tracks[0].label if event.tracks else None,
        "track_ids": [track.track_id for track in event.tracks],
        **dict(zip(("x1", "y1", "x2", "y2"), box, strict=True)),
        "attributes": json.dumps(event.attributes, sort_keys=True),
        "run": run,
    }


def observation_rows(
    observation: Observation, zones: Callable[[float, float], list[str]], zone: ZoneInfo, run: str
) -> Iterator[Row]:
    """A row for each track of a frame; one without a track for a frame in which nothing was tracked."""
    frame = {
        "camera_id": observation.camera_id,
        "captured_at": observation.captured_at,
        "local_hour": observation.captured_at.astimezone(zone).hour,
        "frame_index": observation.frame_index,
        "width": observation.width,
        "height": observation.height,
        "inferred": observation.inferred,
        "run": run,
    }
    if not observation.tracks:
        yield {**frame, "zones": []}
    for track in observation.tracks:
        x1, y1, x2, y2 = track.box
        yield {
            **frame,
            "track_id": track.track_id,
            "label": track.label,
            "confidence": track.confidence,
            "x1": x1,
            "y1": y1,
            "x2": x2,
            "y2": y2,
            "velocity_x": track.velocity[0],
            "velocity_y": track.velocity[1],
            "stationary": track.stationary,
            "age_seconds": track.age_seconds,
            "zones": zones((x1 + x2) / 2, y2),
        }


def zones_of(camera: Camera | None) -> Callable[[float, float], list[str]]:
    """Which of a camera's zones the foot point x y of an object lies in."""
    known = {z.name: np.array(z.polygon, np.float64) for z in camera.zones} if camera else {}

    def inside(x: float, y: float) -> list[str]:
        point = np.array([[x, y]])
        return [name for name, polygon in known.items() if points_in_polygon(point, polygon)[0]]

    return inside


def by_day(rows: Iterable[Row], time: str) -> Iterator[tuple[str, Row]]:
    """Rows with the day (UTC) that they belong to."""
    for row in rows:
        at: datetime = row[time]
        yield at.date().isoformat(), row
