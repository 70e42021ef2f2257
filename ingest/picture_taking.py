"""The picture of an event: of the main stream where there is one, masked, no person in it to be known."""

import numpy as np
from numpy.typing import NDArray

from detectors.detections import Detections
from detectors.detector import Detector
from detectors.tracking import Track
from ingest.frame import Frame, bgr_of
from ingest.main_stream import MainPictures
from ingest.people_in_view import PEOPLE, PeopleInView
from ingest.seen import Seen
from ingest.snapshots import PrivacyMask, encode_jpeg, pixelate

Boxes = NDArray[np.float64]
"""(n, 4) x1 y1 x2 y2, pixels."""


class PictureTaker:
    """Takes one camera's pictures.

    Args:
        detector: looks for people in pictures of the main stream.
        mask: burned in before anything else.
        main: gives pictures of the camera's main stream, where another one is analysed.
    """

    def __init__(self, detector: Detector, mask: PrivacyMask, main: MainPictures | None = None) -> None:
        self._detector = detector
        self._mask = mask
        self._main = main
        self._people = PeopleInView(detector.labels)

    def saw(self, found: Detections, frame: Frame, regions: Boxes | None) -> None:
        """Take in what a look at ``frame`` found: in some ``regions`` of it, or in all of it (None)."""
        self._people.saw(found, (frame.width, frame.height), regions)

    def take(self, frame: Frame, seen: Seen) -> bytes:
        """The picture of the moment of ``frame`` as JPEG, people pixelated, wherever in it they are."""
        main = self._main.nearest(frame.captured_at) if self._main else None
        tracks = [track for track in seen.tracks if track.label in PEOPLE]
        if main is None:
            picture = self._mask.burn(frame.bgr()) if seen.picture is None else seen.picture
            tracked, found = [moved(track, 0.0) for track in tracks], []
        else:
            picture = self._mask.burn(bgr_of(main.picture))
            # Who only the analysed stream shows clearly is in the main picture too, and may have moved.
            elapsed = (main.captured_at - frame.captured_at).total_seconds()
            tracked = [moved(track, elapsed) for track in tracks]
            found = list(self._people.among(self._detector.detect(picture)))
        size = np.array([picture.shape[1], picture.shape[0]] * 2)
        tracked = [box / frame_size(frame) * size for box in tracked]
        pixelate(picture, [*self._people.boxes * size, *tracked, *found])
        return encode_jpeg(picture)


def moved(track: Track, seconds: float) -> Boxes:
    """The box of a track (4,) ``seconds`` later, or earlier, than it was seen."""
    return np.asarray(track.xyxy + np.tile(track.velocity, 2) * seconds, np.float64)


def frame_size(frame: Frame) -> Boxes:
    """Width, height, width, height: what boxes (n, 4) in pixels are divided by to be relative."""
    return np.array([frame.width, frame.height] * 2, np.float64)
