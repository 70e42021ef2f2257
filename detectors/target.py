"""One object that is followed: where it is, what it is, whether it stays where it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detectors.kalman import BoxFilter

CONFIRM_HITS = 3
"""Detections that make an object of a suspicion: what flickers for two pictures is none."""
STATIONARY_SECONDS = 3.0
STATIONARY_SHARE = 0.25
"""Of its own height: an object that has moved less in STATIONARY_SECONDS stays where it is."""
FORGETTING = 0.9
"""Weight of a vote for a class when the next one comes: a class seen wrongly at the start wears off."""


@dataclass(frozen=True)
class Track:
    """One object, as it is now."""

    track_id: int
    label: str
    confidence: float
    """Of the detection that it was last seen by, 0 to 1."""
    xyxy: NDArray[np.float64]
    """(4,) pixels."""
    velocity: NDArray[np.float64]
    """(2,) of the centre, pixels a second."""
    stationary: bool
    age_seconds: float


class Target:
    """What the tracker knows of one object.

    Args:
        xyxy: where it was seen first, (4,) pixels.
        class_id: as what.
        confidence: how surely, 0 to 1.
        group: classes of one group are taken for each other.
        seconds: when, event time.
    """

    def __init__(
        self, xyxy: NDArray[np.float64], class_id: int, confidence: float, group: int, seconds: float
    ) -> None:
        self.filter = BoxFilter(xyxy)
        self.group = group
        self.track_id: int | None = None
        self.unseen_seconds = 0.0
        self.supported = True
        self._born = seconds
        self._hits = 1
        self._confidence = confidence
        self._votes = {class_id: confidence}
        self._anchor = _foot(xyxy)
        self._anchored_at = seconds
        self._stationary = False

    @property
    def confirmed(self) -> bool:
        """Seen often enough to be believed."""
        return self._hits >= CONFIRM_HITS

    @property
    def born(self) -> float:
        """Event time at which it was seen first, seconds."""
        return self._born

    @property
    def stationary(self) -> bool:
        """Has stayed where it is for a while."""
        return self._stationary

    def predict(self, elapsed: float) -> None:
        """``elapsed`` seconds go by unseen."""
        self.filter.predict(elapsed)
        self.unseen_seconds += elapsed
        self.supported = False

    def see(self, xyxy: NDArray[np.float64], class_id: int, confidence: float, seconds: float) -> None:
        """It was seen at ``xyxy`` (4,) pixels."""
        self.filter.correct(xyxy)
        self.unseen_seconds, self.supported = 0.0, True
        self._hits += 1
        self._confidence = confidence
        for known in self._votes:
            self._votes[known] *= FORGETTING
        self._votes[class_id] = self._votes.get(class_id, 0.0) + confidence
        self.watch(seconds)

    def rest(self, seconds: float) -> None:
        """Nothing moves at event time ``seconds``, so it is where it was."""
        self.filter.rest()
        self.watch(seconds)

    def watch(self, seconds: float) -> None:
        """Is it staying where it is?"""
        box = self.filter.xyxy
        foot = _foot(box)
        if float(np.linalg.norm(foot - self._anchor)) > STATIONARY_SHARE * (box[3] - box[1]):
            self._anchor, self._anchored_at, self._stationary = foot, seconds, False
        elif seconds - self._anchored_at >= STATIONARY_SECONDS:
            self._stationary = True

    def track(self, labels: Sequence[str], seconds: float) -> Track:
        """As it is at event time ``seconds``; only of a confirmed one."""
        assert self.track_id is not None
        return Track(
            track_id=self.track_id,
            label=labels[max(self._votes, key=self._votes.__getitem__)],
            confidence=self._confidence,
            xyxy=self.filter.xyxy,
            velocity=self.filter.velocity,
            stationary=self._stationary,
            age_seconds=seconds - self._born,
        )


def _foot(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([(xyxy[0] + xyxy[2]) / 2, xyxy[3]])
