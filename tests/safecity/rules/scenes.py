"""A scene, and objects that move in it as a test draws them."""

from datetime import UTC, datetime, timedelta

import numpy as np

from safecity.homography import fit_homography
from safecity.observation import Change, Observation, TrackState
from safecity.rules import Scene, build_rule

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""A Sunday."""
SCENE = Scene(
    camera_id="cam-1",
    config="0123456789abcdef",
    zones={"yard": np.array([[0.4, 0.4], [0.8, 0.4], [0.8, 0.8], [0.4, 0.8]])},
    lines={"gate": np.array([[0.5, 0.2], [0.5, 0.9]])},
    # The whole picture is 64 by 48 metres of ground, seen from straight above.
    grounds={
        "yard": fit_homography(
            np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float),
            np.array([[0, 0], [64, 0], [64, 48], [0, 48]], float),
        )
    },
)
IN, OUT = (0.6, 0.6), (0.1, 0.6)


def track(place, number=1, label="person", *, size=(0.1, 0.2), confidence=0.8, **more):
    x, y = place
    box = (max(0.0, x - size[0] / 2), max(0.0, y - size[1]), min(1.0, x + size[0] / 2), y)
    return TrackState(track_id=number, label=label, confidence=confidence, box=box, **more)


def change(box, since, kind="appeared"):
    return Change(box=box, since_seconds=since, kind=kind)


def observe(seconds, *tracks, changes=(), begin=BEGIN):
    return Observation(
        camera_id="cam-1",
        captured_at=begin + timedelta(seconds=seconds),
        frame_index=max(0, int(seconds * 10)),
        width=640,
        height=480,
        tracks=tracks,
        changes=changes,
    )


def run(rule, path, step=0.2, *, begin=BEGIN, **more):
    """Events of one track along ``path`` (None: out of sight), a place every ``step`` seconds."""
    built = build_rule(rule, SCENE)
    return [
        event
        for n, place in enumerate(path)
        for event in built.update(observe(n * step, *([track(place, **more)] if place else []), begin=begin))
    ]


def walk(start, end, count):
    """``count`` places on the way."""
    return [tuple(np.array(start) + (np.array(end) - start) * k / (count - 1)) for k in range(count)]


def seconds(event):
    return (event.occurred_at - BEGIN).total_seconds()
