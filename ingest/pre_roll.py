"""The newest packets of a stream, in memory: what an event's recording begins with. Bounded in bytes."""

from collections import deque

from ingest.packet_tap import TappedPacket

MOST_BYTES = 24_000_000
"""A minute of a camera of 3 Mbit/s; one that sends more keeps less."""


class PreRoll:
    """Keeps whole groups of pictures, each from its key frame on.

    Args:
        seconds: of event time that are wanted.
        most_bytes: bound of what is kept.
    """

    def __init__(self, seconds: float, most_bytes: int = MOST_BYTES) -> None:
        self._seconds = seconds
        self._most_bytes = most_bytes
        self._groups: deque[list[TappedPacket]] = deque()
        self.size_bytes = 0

    def keep(self, tapped: TappedPacket) -> None:
        """The next packet; what is older than wanted, or too much, goes."""
        if tapped.packet.is_keyframe:
            self._groups.append([])
        if not self._groups:
            return
        self._groups[-1].append(tapped)
        self.size_bytes += tapped.packet.size
        now = tapped.event_time
        while (
            len(self._groups) > 1 and (now - self._groups[1][0].event_time).total_seconds() >= self._seconds
        ):
            self._drop()
        while self._groups and self.size_bytes > self._most_bytes:
            self._drop()

    def take(self) -> list[TappedPacket]:
        """Everything that is kept, from a key frame on; nothing is kept after that."""
        taken = [tapped for group in self._groups for tapped in group]
        self.clear()
        return taken

    def clear(self) -> None:
        """The stream is another one now."""
        self._groups.clear()
        self.size_bytes = 0

    def _drop(self) -> None:
        self.size_bytes -= sum(tapped.packet.size for tapped in self._groups.popleft())
