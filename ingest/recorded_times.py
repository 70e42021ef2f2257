"""The event times of a recorded file: written into it, so that the file alone tells them exactly.

An MP4 file begins at zero and has a clock of its own choosing. What ties it to the stream that it was copied
from is kept as JSON in the file's comment, so that a picture that is read from it falls at the same event
time, to the microsecond, as it did when it came.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from ingest.packet_tap import Anchor
from safecity.message import format_utc

_KIND = "safecity-recording-1"


@dataclass(frozen=True)
class RecordedTimes:
    """Ties a file's time stamps to event time."""

    camera_id: str
    anchor: Anchor
    """Of the stream's own time stamps."""
    time_base: Fraction
    """Of the stream's own time stamps, seconds a tick."""
    shift: int
    """The stream's time stamps less the file's, in ticks of ``time_base``."""

    def event_time(self, pts: int, file_base: Fraction) -> datetime:
        """Event time, UTC, of the file's time stamp ``pts``, in ticks of ``file_base``."""
        return self.anchor.event_time(round(pts * file_base / self.time_base) + self.shift, self.time_base)

    def to_comment(self) -> str:
        """As it is written into the file."""
        return json.dumps(
            {
                "kind": _KIND,
                "camera_id": self.camera_id,
                "begin": format_utc(self.anchor.begin),
                "origin": self.anchor.origin,
                "time_base": str(self.time_base),
                "shift": self.shift,
            }
        )

    @classmethod
    def from_comment(cls, comment: str) -> "RecordedTimes | None":
        """What a file's comment says; None: it is no recording of ours."""
        try:
            said = json.loads(comment)
            if said["kind"] != _KIND:
                return None
            anchor = Anchor(datetime.fromisoformat(said["begin"]), float(said["origin"]))
            return cls(str(said["camera_id"]), anchor, Fraction(said["time_base"]), int(said["shift"]))
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            return None
