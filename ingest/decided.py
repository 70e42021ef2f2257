"""What the rules have decided, on its way to the disk: nothing else happens to it before it is there."""

import structlog

from ingest.journal import Journal
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, OutboxError, Outgoing

_log = structlog.get_logger()


class Decided:
    """Keeps what the outbox's disk refuses, and tries again.

    Memory has a bound too. Above it the oldest pictures are given up, and counted: an event without its
    picture is still an event. When events alone fill it, :attr:`is_full` says that no more can be decided.

    Args:
        outbox: where it goes.
        journal: the record of decided events, if wanted.
        metrics: told what is not on the disk.
        limit_bytes: of what is kept in memory.
    """

    def __init__(
        self, outbox: Outbox, journal: Journal | None, metrics: WorkerMetrics, limit_bytes: int
    ) -> None:
        self._outbox, self._journal, self._metrics = outbox, journal, metrics
        self._limit_bytes = limit_bytes
        self._unsaved: list[Outgoing] = []
        self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether the disk refuses events and memory has no room for more of them."""
        return self._size >= self._limit_bytes

    def add(self, message: Outgoing) -> None:
        """An event, or the picture of the event that comes next; :meth:`save` is to follow."""
        self._unsaved.append(message)
        self._size += len(message.value)

    def save(self) -> bool:
        """Put into the outbox what is not in it yet; False when there is nothing, or the disk refuses it."""
        if not self._unsaved:
            return False
        try:
            with self._metrics.timed("outbox"):
                self._outbox.append(self._unsaved)
        except OutboxError as error:
            self._give_up_pictures()
            _log.error(
                "the outbox's disk takes nothing, and no frame is analysed until it does: free some space"
                if self.is_full
                else "the outbox's disk takes nothing; events are kept in memory: free some space",
                waiting=len(self._events()),
                error=str(error),
            )
        else:
            if self._journal is not None:
                self._journal.write(self._events())
            self._unsaved, self._size = [], 0
        self._metrics.outbox_failed.set(len(self._unsaved))
        return not self._unsaved

    def _give_up_pictures(self) -> None:
        kept = []
        for message in self._unsaved:
            if self._size > self._limit_bytes and message.topic == "snapshots":
                self._size -= len(message.value)
                self._metrics.pictures_lost.inc()
            else:
                kept.append(message)
        self._unsaved = kept

    def _events(self) -> list[bytes]:
        return [message.value for message in self._unsaved if message.topic == "events"]
