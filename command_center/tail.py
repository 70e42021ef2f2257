"""What other centres on the same store have stored, for those who follow the live stream of this one."""

import time

import structlog

from command_center.background import Background
from command_center.live import Live
from command_center.store import queries
from command_center.store.database import StoreError
from command_center.store.store import Store
from safecity.redaction import redact

EVENTS_EVERY, STATUSES_EVERY = 0.2, 1.0

_log = structlog.get_logger()


class Tail(Background):
    """Looks into a store that other processes write to, while somebody follows. A thread of its own.

    Followers read events from the store themselves: it is enough to wake them. Statuses are handed to them.

    Args:
        store: a shared one.
        live: told when something is new.
    """

    def __init__(self, store: Store, live: Live) -> None:
        super().__init__("tail")
        self._store = store
        self._live = live
        self._sequence = 0
        self._statuses_due = 0.0

    def _run(self) -> None:
        while not self._stopping.wait(EVENTS_EVERY):
            if not self._live.followers:
                continue
            try:
                self._look()
            except StoreError as error:
                # The consumer says so louder.
                _log.debug("the live stream waits for the store", reason=redact(error))

    def _look(self) -> None:
        sequence = queries.last_sequence(self._store)
        if sequence != self._sequence:
            self._sequence = sequence
            self._live.tell({})
        if time.monotonic() >= self._statuses_due:
            self._statuses_due = time.monotonic() + STATUSES_EVERY
            told = self._live.reports()
            new = [
                camera_id
                for camera_id, reported_at in self._store.reports().items()
                if camera_id not in told or told[camera_id] < reported_at
            ]
            if new:
                self._live.tell(self._store.statuses(new))
