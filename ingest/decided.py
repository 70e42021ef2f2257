"""What the rules have decided, on its way to the disk: nothing else happens to it before it is there."""

import structlog

from ingest.journal import Journal
from ingest.metrics import WorkerMetrics
from ingest.outbox import Outbox, OutboxError, Outgoing

_log = structlog.get_logger()


class Decided:
    """Keeps what the outbox's disk refuses, and tries again.

    Args:
        outbox: where it goes.
        journal: the record of decided events, if wanted.
        metrics: told what is not on the disk.
    """

    def __init__(self, outbox: Outbox, journal: Journal | None, metrics: WorkerMetrics) -> None:
        self._outbox, self._journal, self._metrics = outbox, journal, metrics
        self._unsaved: list[Outgoing] = []

    def add(self, message: Outgoing) -> None:
        """An event, or the picture of the event that comes next; :meth:`save` is to follow."""
        self._unsaved.append(message)

    def save(self) -> bool:
        """Put into the outbox what is not in it yet; False when there is nothing, or the disk refuses it."""
        if not self._unsaved:
            return False
        try:
            with self._metrics.timed("outbox"):
                self._outbox.append(self._unsaved)
        except OutboxError as error:
            _log.error(
                "the outbox's disk takes nothing; events are kept in memory: free some space",
                waiting=len(self._events()),
                error=str(error),
            )
        else:
            if self._journal is not None:
                self._journal.write(self._events())
            self._unsaved = []
        self._metrics.outbox_failed.set(len(self._unsaved))
        return not self._unsaved

    def _events(self) -> list[bytes]:
        return [message.value for message in self._unsaved if message.topic == "events"]
