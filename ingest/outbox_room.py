"""The room in an outbox: how full it is, said long before it matters, and what goes when it is."""

import time
from collections.abc import Mapping, Sequence

import structlog

from ingest.fill_level import FillLevel
from ingest.metrics import WorkerMetrics
from ingest.outbox import Backlog, Outbox, Outgoing

FULL_EVERY_SECONDS = 60.0
LOUD = 0.95
MEGABYTE = 1024 * 1024
LIMIT_BYTES = 1024 * MEGABYTE

_log = structlog.get_logger()


class OutboxRoom:
    """Watches one outbox, and keeps it within its bound.

    Args:
        metrics: told what waits and what was given up.
        limit_bytes: the bound; events and their pictures are kept beyond it, until the disk is full.
    """

    def __init__(self, metrics: WorkerMetrics, limit_bytes: int) -> None:
        self._metrics = metrics
        self._limit_bytes = limit_bytes
        self._level = FillLevel()
        self._said_full_at = float("-inf")

    def look(self, outbox: Outbox) -> Backlog:
        """See what waits, and tell.

        Raises:
            OutboxError: the disk is broken.
        """
        backlog = outbox.backlog()
        self._metrics.outbox_messages.set(backlog.messages)
        self._metrics.outbox_bytes.set(backlog.size_bytes)
        self._metrics.outbox_limit.set(self._limit_bytes)
        self._metrics.outbox_oldest.set(backlog.oldest_seconds)
        share = backlog.size_bytes / self._limit_bytes
        if (level := self._level.rises_to(share)) is not None:
            say = _log.error if level >= LOUD else _log.warning
            say(
                f"the outbox is {level:.0%} full; when it is full, the oldest observations and statuses go",
                megabytes=round(backlog.size_bytes / MEGABYTE, 1),
                messages=backlog.messages,
                oldest_seconds=round(backlog.oldest_seconds),
            )
        elif self._level.clears(share):
            _log.info("the outbox has room again", messages=backlog.messages)
        return backlog

    def put_by(self, outbox: Outbox, messages: Sequence[Outgoing]) -> Backlog:
        """Keep best-effort messages on disk, and give up the oldest where there is no room.

        Raises:
            OutboxError: the disk takes nothing; none of ``messages`` was kept.
        """
        if messages:
            outbox.append(messages, best_effort=True)
        lost = outbox.give_up(self._limit_bytes)
        for topic, count in lost.items():
            self._metrics.lost.labels(topic).inc(count)
        backlog = self.look(outbox)
        if time.monotonic() - self._said_full_at > FULL_EVERY_SECONDS:
            self._say_full(lost, backlog)
        return backlog

    def _say_full(self, lost: Mapping[str, int], backlog: Backlog) -> None:
        if backlog.size_bytes > self._limit_bytes:
            text = "the outbox is over its bound with events alone; they are kept until the disk is full"
        elif lost:
            text = "the outbox is full; the oldest observations and statuses are given up, events are kept"
        else:
            return
        self._said_full_at = time.monotonic()
        _log.error(text, megabytes=round(backlog.size_bytes / MEGABYTE, 1), given_up=dict(lost))
