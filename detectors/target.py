"""One object that is followed: where it is, what it is, whether it stays where it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from detectors.kalman import BoxFilter
from detectors.tracker_state import TargetState

CONFIRM_HITS = 3
"""Detections that make an object of a suspicion: what flickers for two pictures is none,"""
CONFIRM_SECONDS = 0.45
"""unless they lie so far apart: at two pictures a second the third comes late."""
STATIONARY_SECONDS = 3.0
STATIONARY_SHARE = 0.25
"""Of its own height: an object that has moved less in STATIONARY_SECONDS stays where it is."""
LOST_SECONDS = 3.0
"""A track unseen for so long has ended."""
MOST_LOST_SECONDS = 120.0
"""What has stood still is waited for as long as it had stood, but not longer than this: a parked car behind a
lorry, or over a restart."""
SUSPICION_SECONDS = 0.5
"""What is not confirmed, was not there in the next picture and is unseen for so long was nothing."""
FORGETTING = 0.9
"""Weight of a vote for a class when the next one comes: a class seen wrongly at the start wears off."""

COLOUR_MEMORY = 0.85
"""Weight of the colours that were known when new ones are seen."""


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
        self.colours: NDArray[np.float32] | None = None
        self._born = self._last_seen = seconds
        self._box = xyxy
        self._hits = 1
        self._missed = False
        self._confidence = confidence
        self._votes = {class_id: confidence}
        self._anchor = _foot(xyxy)
        self._anchored_at = seconds
        self._stationary = False

    @classmethod
    def restored(cls, state: TargetState, votes: dict[int, float], group: int) -> Self:
        """As it was; ``votes`` by class."""
        target = cls(np.zeros(4), max(votes, key=votes.__getitem__), state.confidence, group, state.born)
        target.filter = BoxFilter.restored(state.filter)
        target.track_id, target.unseen_seconds, target.supported = state.track_id, state.unseen_seconds, False
        target._hits, target._votes = max(state.hits, CONFIRM_HITS), votes
        target._anchor, target._anchored_at = np.array(state.anchor), state.anchored_at
        target._stationary = state.stationary
        target._box = target.filter.xyxy
        return target

    def state(self, labels: Sequence[str]) -> TargetState:
        """As it is; only of a confirmed one."""
        assert self.track_id is not None
        return TargetState(
            track_id=self.track_id,
            filter=self.filter.state(),
            votes={labels[class_id]: vote for class_id, vote in self._votes.items()},
            confidence=self._confidence,
            hits=self._hits,
            born=self._born,
            unseen_seconds=self.unseen_seconds,
            anchor=(float(self._anchor[0]), float(self._anchor[1])),
            anchored_at=self._anchored_at,
            stationary=self._stationary,
        )

    @property
    def stationary(self) -> bool:
        """Has stayed where it is for a while."""
        return self._stationary

    def lives(self, seconds: float) -> bool:
        """Whether it is still waited for at event time ``seconds``."""
        if not self.confirmed:
            return self.unseen_seconds <= (SUSPICION_SECONDS if self._missed else LOST_SECONDS)
        if not self._stationary:
            return self.unseen_seconds <= LOST_SECONDS
        stood = seconds - self.unseen_seconds - self._anchored_at
        return self.unseen_seconds <= min(max(stood, LOST_SECONDS), MOST_LOST_SECONDS)

    @property
    def confirmed(self) -> bool:
        """Seen often enough to be believed."""
        lasting = self._hits >= 2 and self._last_seen - self._born >= CONFIRM_SECONDS
        return self._hits >= CONFIRM_HITS or lasting

    @property
    def born(self) -> float:
        """Event time at which it was seen first, seconds."""
        return self._born

    def predict(self, elapsed: float) -> None:
        """``elapsed`` seconds go by unseen."""
        self._missed = not self.supported
        if self._stationary and self._missed:
            self.filter.rest()
        self.filter.predict(elapsed)
        self.unseen_seconds += elapsed
        self.supported = False

    def see(self, xyxy: NDArray[np.float64], class_id: int, confidence: float, seconds: float) -> None:
        """It was seen at ``xyxy`` (4,) pixels."""
        self.filter.correct(xyxy)
        # The filter lags a little, and a detection trembles a little: halfway is nearest to the truth.
        self._box = (self.filter.xyxy + xyxy) / 2
        self._last_seen = seconds
        self.unseen_seconds, self.supported = 0.0, True
        self._hits += 1
        self._confidence = confidence
        for known in self._votes:
            self._votes[known] *= FORGETTING
        self._votes[class_id] = self._votes.get(class_id, 0.0) + confidence
        self.watch(seconds)

    def wear(self, colours: NDArray[np.float32]) -> None:
        """It was seen clearly in ``colours`` (d,)."""
        if self.colours is None:
            self.colours = colours
            return
        mixed = COLOUR_MEMORY * self.colours + (1 - COLOUR_MEMORY) * colours
        self.colours = (mixed / max(float(np.linalg.norm(mixed)), 1e-6)).astype(np.float32)

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
            xyxy=self._box,
            velocity=self.filter.velocity,
            stationary=self._stationary,
            age_seconds=seconds - self._born,
        )


def _foot(xyxy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.array([(xyxy[0] + xyxy[2]) / 2, xyxy[3]])
