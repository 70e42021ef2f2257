"""The picture of an event: of the main stream where there is one, masked, no person in it to be known."""

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from detectors.detector import Detector
from detectors.tracking import Track
from ingest.frame import Frame, bgr_of
from ingest.main_stream import MainPictures
from ingest.seen import Seen
from ingest.snapshots import PrivacyMask, encode_jpeg, pixelate

PEOPLE = ("person",)
PIXELATE_FROM_CONFIDENCE = 0.2
"""A person too faint to be tracked is still made unrecognisable in a stored picture."""

Box = NDArray[np.floating]


class PictureTaker:
    """Takes one camera's pictures.

    Args:
        detector: looks for people.
        mask: burned in before anything else.
        main: gives pictures of the camera's main stream, where another one is analysed.
    """

    def __init__(self, detector: Detector, mask: PrivacyMask, main: MainPictures | None = None) -> None:
        self._detector = detector
        self._mask = mask
        self._main = main
        self._people = [detector.labels.index(label) for label in PEOPLE if label in detector.labels]

    def take(self, frame: Frame, seen: Seen) -> bytes:
        """The picture of the moment of ``frame`` as JPEG, people pixelated, wherever in it they are."""
        main = self._main.nearest(frame.captured_at) if self._main else None
        tracks = [track for track in seen.tracks if track.label in PEOPLE]
        boxes: list[Box] = [track.xyxy for track in tracks]
        if main is None:
            picture = self._mask.burn(frame.bgr()) if seen.picture is None else seen.picture
            found = None if seen.whole else self._detector.detect(picture)
            boxes += self._people_in(seen.detections)
        else:
            picture = self._mask.burn(bgr_of(main.picture))
            found = self._detector.detect(picture)
            # Whom only the analysed stream shows clearly is in the main picture too, and may have moved.
            elapsed = (main.captured_at - frame.captured_at).total_seconds()
            boxes += [moved(track, elapsed) for track in tracks] + self._people_in(seen.detections)
            boxes = [box * scale(frame, picture.shape[1], picture.shape[0]) for box in boxes]
        pixelate(picture, [*self._people_in(found), *boxes])
        return encode_jpeg(picture)

    def _people_in(self, found: Detections | None) -> list[Box]:
        """The boxes of people that were seen, however faintly."""
        if found is None:
            return []
        wanted = np.isin(found.class_id, self._people) & (found.confidence >= PIXELATE_FROM_CONFIDENCE)
        return list(found.xyxy[wanted])


def moved(track: Track, seconds: float) -> Box:
    """The box of a track ``seconds`` later, or earlier, than it was seen: x1 y1 x2 y2, pixels."""
    return np.asarray(track.xyxy + np.tile(track.velocity, 2) * seconds)


def scale(frame: Frame, width: int, height: int) -> Box:
    """What boxes of a frame are multiplied by to lie in a picture of another size of the same view."""
    return np.array([width / frame.width, height / frame.height] * 2)
