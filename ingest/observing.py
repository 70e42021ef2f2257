"""From tracks in pixels to an observation: what is said of a frame on the bus, and what rules are shown."""

from collections.abc import Sequence

from detectors.tracking import Track
from ingest.frame import Frame
from safecity.observation import Change, Observation, TrackState


def observe(
    frame: Frame, tracks: Sequence[Track], *, inferred: bool, changes: Sequence[Change] = ()
) -> Observation:
    """The observation of one analysed frame."""
    return Observation(
        camera_id=frame.camera_id,
        captured_at=frame.captured_at,
        frame_index=frame.index,
        width=frame.width,
        height=frame.height,
        inferred=inferred,
        tracks=tuple(_track_state(track, frame.width, frame.height) for track in tracks),
        changes=tuple(changes),
    )


def _track_state(track: Track, width: int, height: int) -> TrackState:
    x1, y1, x2, y2 = (float(v) for v in track.xyxy)
    velocity_x, velocity_y = (float(v) for v in track.velocity)
    return TrackState(
        track_id=track.track_id,
        label=track.label,
        confidence=round(min(1.0, float(track.confidence)), 4),
        box=(
            _relative(x1, width),
            _relative(y1, height),
            _relative(x2, width),
            _relative(y2, height),
        ),
        velocity=(round(velocity_x / width, 6), round(velocity_y / height, 6)),
        stationary=track.stationary,
        age_seconds=round(track.age_seconds, 3),
    )


def _relative(pixels: float, size: int) -> float:
    return round(min(1.0, max(0.0, pixels / size)), 6)
