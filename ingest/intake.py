"""What becomes of a picture as it comes: is it analysed, and if not, what is said of it."""

from ingest.ledger import Outcome
from ingest.sampling import Sampler
from ingest.sources.base import Capture


class Intake:
    """Sorts one camera's captures.

    Args:
        rate: pictures a second of event time that are to be analysed.
    """

    def __init__(self, rate: float) -> None:
        self._seen = Sampler(rate)
        # Sampled apart: what was not decoded must not take the slot of the key frame after it.
        self._unseen = Sampler(rate)

    def outcome(self, capture: Capture, seconds: float) -> Outcome | None:
        """What became of a capture of event time ``seconds`` (s since the epoch); None: it is to be
        analysed."""
        if capture.picture is not None:
            return None if self._seen.takes(seconds) else Outcome.SAMPLED_OUT
        if capture.unseen is Outcome.STILL and not self._unseen.takes(seconds):
            return Outcome.SAMPLED_OUT
        return capture.unseen or Outcome.CORRUPT
