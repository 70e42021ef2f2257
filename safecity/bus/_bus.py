"""A bus over a log."""

from collections.abc import Callable, Sequence
from typing import Self

from safecity.bus._consumer import LogConsumer
from safecity.bus._log import Log
from safecity.bus._producer import LogProducer
from safecity.bus.port import TOPICS, OnAssigned, OnRevoked, TopicSpec


class LogBus:
    """See :class:`safecity.bus.port.Bus`.

    Args:
        open_log: opens the log, or gives the one there is.
    """

    def __init__(self, open_log: Callable[[], Log]) -> None:
        self._open_log = open_log

    def producer(self, client_id: str) -> LogProducer:
        """A new producer."""
        return LogProducer(self._open_log, client_id)

    def consumer(
        self,
        topics: Sequence[str],
        *,
        group: str | None,
        from_start: bool = True,
        on_assigned: OnAssigned | None = None,
        on_revoked: OnRevoked | None = None,
    ) -> LogConsumer:
        """A new member of ``group``; see the port."""
        return LogConsumer(self._open_log, topics, group, from_start, on_assigned, on_revoked)

    def ensure_topics(self, specs: Sequence[TopicSpec] = tuple(TOPICS.values())) -> None:
        """Create the topics that are missing."""
        log = self._open_log()
        try:
            log.ensure(specs)
        finally:
            log.close()

    def check(self, writes: Sequence[str] = (), reads: Sequence[str] = ()) -> Sequence[str]:
        """Whoever reaches a log of this machine may use it; see the port."""
        log = self._open_log()
        try:
            return [topic for topic in (*writes, *reads) if not log.partitions([topic])]
        finally:
            log.close()

    def close(self) -> None:
        """Nothing is held between calls."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
