"""One owner's time with a camera: on which of its frames it decides."""

from datetime import datetime, timedelta

from safecity.ownership import OVERLAP

WARM = timedelta(seconds=2.0)
"""Event time that a new owner looks before it decides, while the old one still does: its tracks are grown and
its background is learned by then."""
HANDOVER_SECONDS = 20.0
"""For so long an owner that has to go waits for its successor."""
END_SECONDS = 5.0
"""A camera that somebody else has is given up after so long, though it sends no frames to go by."""


class Tenure:
    """From the first frame until a successor has begun. Times of frames are event time, ``now`` is monotonic
    seconds.

    Args:
        epoch: of this owner.
        warm: the owner before it goes on until this one decides.
        now: when it was told to take the camera.
    """

    def __init__(self, epoch: int, *, warm: bool = False, now: float = 0.0) -> None:
        self.epoch = epoch
        self.since: datetime | None = None
        """Event time of the first frame that is decided on; None before the first frame came."""
        self._warm = warm
        self._speaks_from = now + HANDOVER_SECONDS if warm else now
        self._deciding = False
        self._decide_by = 0.0
        self._until: datetime | None = None
        self._end_by: float | None = None
        self._over = False

    def speaks(self, now: float) -> bool:
        """Whether the camera's status is this owner's to give, and not that of the one before or after it."""
        return self._until is None and (self.since is not None or now >= self._speaks_from)

    def begin(self, captured_at: datetime, now: float) -> bool:
        """A frame is to be analysed; True for the first one."""
        if self.since is not None:
            return False
        self.since = captured_at + (WARM if self._warm else timedelta(0))
        self._decide_by = now + 2 * WARM.total_seconds()
        return True

    def decides(self, captured_at: datetime, now: float) -> bool:
        """Whether what this frame shows is told; frames come in order."""
        if self._until is not None and captured_at >= self._until:
            self._over = True
            return False
        if not self._deciding and self.since is not None:
            # By the clock as well: a camera whose time is set back is not ignored until it has caught up.
            self._deciding = captured_at >= self.since or now >= self._decide_by
        return self._deciding

    def succeeded(self, since: datetime, now: float) -> None:
        """A successor decides from the event time ``since`` on."""
        self._until, self._end_by = since + OVERLAP, now + END_SECONDS

    def is_over(self, now: float) -> bool:
        """Whether nothing more of the camera will be told."""
        return self._over or (self._end_by is not None and now >= self._end_by)
