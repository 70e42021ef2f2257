"""The camera of the density bench: lines and zones all over the street, so that hardly a step goes
unnoticed."""

from pathlib import Path
from typing import Any

from safecity.camera import Camera

LABELS = ("person",)
UPRIGHT = (0.15, 0.3, 0.45, 0.6, 0.75, 0.9)
LEVEL = (0.35, 0.55, 0.75)
COLUMNS, ROWS = 3, 2


def bench_camera(clip: str, settings: dict[str, Any]) -> Camera:
    """A camera whose recording is ``clip``, with some settings changed."""
    lines: list[dict[str, Any]] = [
        {"name": f"upright-{n}", "start": (x, 0), "end": (x, 1)} for n, x in enumerate(UPRIGHT)
    ]
    lines += [{"name": f"level-{n}", "start": (0, y), "end": (1, y)} for n, y in enumerate(LEVEL)]
    zones = [
        {"name": f"zone-{column}-{row}", "polygon": _rectangle(column, row)}
        for column in range(COLUMNS)
        for row in range(ROWS)
    ]
    rules = [{"kind": "line_crossed", "name": line["name"], "line": line["name"]} for line in lines]
    rules += [{"kind": "zone_entered", "name": zone["name"], "zone": zone["name"]} for zone in zones]
    document = {
        "id": "bench",
        "source": Path(clip).absolute().as_uri(),
        "playback": "fast",
        "lines": lines,
        "zones": zones,
        "rules": rules,
        **settings,
    }
    return Camera.model_validate(document)


def _rectangle(column: int, row: int) -> list[tuple[float, float]]:
    left, right = column / COLUMNS, (column + 1) / COLUMNS
    top, bottom = row / ROWS, (row + 1) / ROWS
    return [(left, top), (right, top), (right, bottom), (left, bottom)]
