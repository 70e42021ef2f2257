"""Trying until the disk takes it: nothing is given up, the bus keeps what waits."""

import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from command_center.metrics import CentreMetrics
from command_center.store.database import StoreError
from safecity.redaction import redact

LONGEST_WAIT = 10.0

_log = structlog.get_logger()

T = TypeVar("T")


class StoppedError(Exception):
    """The centre is to end while a batch cannot be stored: the bus keeps the batch."""


class Perseverance:
    """Repeats what the store or the disk does not take.

    Args:
        stopping: set when the centre is to end.
        metrics: told of each failure.
    """

    def __init__(self, stopping: threading.Event, metrics: CentreMetrics) -> None:
        self._stopping = stopping
        self._metrics = metrics
        self.storing = True
        """Whether the store and the disk took what came last."""

    def persist(self, attempt: Callable[[], T]) -> T:
        """Try until the disk takes it.

        Raises:
            StoppedError: the centre is to end before it does.
        """
        wait = 0.5
        while True:
            try:
                result = attempt()
            except (StoreError, OSError) as error:
                self._metrics.store_failures.inc()
                self.storing = False
                _log.error(
                    "the centre cannot store: is the disk full? Nothing is lost, the bus keeps it",
                    reason=redact(error),
                )
                if self._stopping.wait(wait):
                    raise StoppedError from None
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                self.storing = True
                return result
