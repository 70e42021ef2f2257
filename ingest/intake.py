"""What becomes of a picture as it comes: is it analysed, and if not, what is said of it."""

from ingest.ledger import Outcome
from ingest.sampling import Sampler
from ingest.sources.base import Capture


class Intake:
    """Sorts one camera's captures.

    Args:
        rate: pictures a second of event time that are to be analysed.

    Attributes:
        every: under overload only the first picture of so many slots is analysed, and the others are shed.
            The slots stay those of ``rate``: what is analysed now would have been analysed anyway.
    """

    def __init__(self, rate: float) -> None:
        self._seen = Sampler(rate)
        # Sampled apart: what was not decoded must not take the slot of the key frame after it.
        self._unseen = Sampler(rate)
        self.every = 1
        self._analysed: int | None = None

    def outcome(self, capture: Capture, seconds: float) -> Outcome | None:
        """What became of a capture of event time ``seconds`` (s since the epoch); None: it is to be
        analysed."""
        if capture.picture is not None:
            return self._thinned() if self._seen.takes(seconds) else Outcome.SAMPLED_OUT
        if capture.unseen is Outcome.STILL and not self._unseen.takes(seconds):
            return Outcome.SAMPLED_OUT
        return capture.unseen or Outcome.CORRUPT

    def _thinned(self) -> Outcome | None:
        slot = self._seen.slot
        if self._analysed is not None and self._analysed // self.every == slot // self.every:
            return Outcome.SHED
        self._analysed = slot
        return None
