"""Which picture of an object is its best evidence: the largest, surest one that shows it whole.

Decided by what was observed alone, so that the same observations give the same revisions of events, with or
without pictures. An event goes out at once with the picture at hand. Where its rule wants the best picture,
a better one that comes later is kept (one for each event, taken again only when better by :data:`MARGIN`),
and goes out with a revision of its own when the object has gone, or after :data:`WAIT`, and with the event's
last revision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from safecity.event import Event, Phase, TrackEvidence
from safecity.observation import TrackState
from safecity.rules.base import evidence_of

MARGIN = 1.25
"""A picture so many times better than the one before is worth another."""
WAIT = timedelta(seconds=10)
"""An operator gets the best picture of so long at the latest; then every so often while it goes on."""
GONE = timedelta(seconds=3)
"""An object unseen for so long gets no better picture."""
EDGE = 0.004
"""Relative: a box that comes so near to the picture's border may be cut."""


class Picture(Enum):
    """The picture that goes with a revision of an event."""

    NOW = "now"
    """Of the frame in which it was decided."""
    KEPT = "kept"
    """That which was kept last for the event."""
    SAME = "same"
    """That of the revision before."""


@dataclass(frozen=True)
class Ruling:
    """What is to be published."""

    event: Event
    picture: Picture


def quality(track: TrackState) -> float:
    """How well an object is seen: rises with size and confidence; half for one that may be cut."""
    x1, y1, x2, y2 = track.box
    whole = min(x1, y1, 1 - x2, 1 - y2) > EDGE
    side = ((x2 - x1) * (y2 - y1)) ** 0.5
    return float(side * track.confidence * (1.0 if whole else 0.5))


@dataclass
class _Candidate:
    event: Event
    """Its newest revision, as it was published."""
    track_id: int
    best: float
    last_seen: datetime
    told_at: datetime
    kept: TrackEvidence | None = None
    """The object in the picture that is kept and was not yet sent."""


class EvidenceBook:
    """The events of one camera that may get a better picture."""

    def __init__(self) -> None:
        self._candidates: dict[str, _Candidate] = {}

    @property
    def waiting(self) -> frozenset[str]:
        """The ids of the events that may get one."""
        return frozenset(self._candidates)

    def take(self, event: Event, track: TrackState | None, *, at: datetime) -> Ruling:
        """A rule's event, as it is to be published.

        Args:
            event: as the rule decided.
            track: the one object it is about, when its best picture is wanted.
            at: event time.
        """
        candidate = self._candidates.get(event.event_id)
        if candidate is None:
            if track is not None and event.revision == 1:
                found = _Candidate(event, track.track_id, quality(track), at, at)
                self._candidates[event.event_id] = found
            wants_new = event.revision == 1 or event.phase is Phase.UPDATED
            return Ruling(event, Picture.NOW if wants_new else Picture.SAME)
        revision = candidate.event.revision + 1
        event = event.model_copy(update={"revision": revision})
        if event.phase is Phase.CLOSED:
            del self._candidates[event.event_id]
        if len(event.tracks) != 1:
            # It is about more than the one object now: the picture of this moment shows them.
            candidate.event, candidate.kept = event, None
            return Ruling(event, Picture.NOW if event.phase is Phase.UPDATED else Picture.SAME)
        return self._with_best(candidate, event, at)

    def look(self, tracks: Sequence[TrackState], at: datetime) -> frozenset[str]:
        """The ids of the events for which the picture at ``at`` is to be kept: it is the best so far."""
        seen = {track.track_id: track for track in tracks}
        better = set()
        for event_id, candidate in self._candidates.items():
            track = seen.get(candidate.track_id)
            if track is None or len(candidate.event.tracks) != 1:
                continue
            candidate.last_seen = at
            if (value := quality(track)) > MARGIN * candidate.best:
                candidate.best, candidate.kept = value, evidence_of(track)
                better.add(event_id)
        return frozenset(better)

    def due(self, at: datetime) -> list[Ruling]:
        """Revisions whose only news is a better picture, which is not waited for any longer."""
        rulings = []
        for event_id, candidate in list(self._candidates.items()):
            gone, ended = at - candidate.last_seen > GONE, candidate.event.phase is Phase.CLOSED
            waited = at - candidate.told_at >= WAIT
            if candidate.kept is not None and (gone or waited):
                phase = Phase.CLOSED if ended else Phase.UPDATED
                update = {"revision": candidate.event.revision + 1, "phase": phase}
                rulings.append(self._with_best(candidate, candidate.event.model_copy(update=update), at))
            if ended and (gone or waited):
                del self._candidates[event_id]
        return rulings

    def _with_best(self, candidate: _Candidate, event: Event, at: datetime) -> Ruling:
        picture = Picture.SAME
        evidence, candidate.kept = candidate.kept, None
        if evidence is not None:
            picture = Picture.KEPT
            event = event.model_copy(update={"tracks": (evidence,), "box": evidence.box})
        elif len(candidate.event.tracks) == 1:
            event = event.model_copy(update={"tracks": candidate.event.tracks, "box": candidate.event.box})
        candidate.event, candidate.told_at = event, at
        return Ruling(event, picture)
