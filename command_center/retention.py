"""Deleting what is older than the site wants kept."""

import time
from datetime import UTC, datetime, timedelta

import structlog

from command_center.clips import Clips
from command_center.media import MediaStore
from command_center.store import queries
from command_center.store.store import Store
from safecity.settings import CentreSettings

EVERY_SECONDS = 3600.0
ROWS_AT_ONCE = 5000
DAY_SECONDS = 86_400

_log = structlog.get_logger()


class Retention:
    """Looks once an hour for events and pictures that are past their time.

    Args:
        store: loses old events.
        media: loses old pictures.
        settings: say how old.
        clips: lose old clips.
    """

    def __init__(self, store: Store, media: MediaStore, settings: CentreSettings, clips: Clips) -> None:
        self._store = store
        self._media = media
        self._settings = settings
        self._clips = clips
        self._next = 0.0

    def run_when_due(self) -> None:
        """Delete, when the last time is an hour ago. Many rows take several short transactions."""
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        before = datetime.now(UTC) - timedelta(days=self._settings.event_retention_days)
        rows = 0
        while deleted := queries.delete_stored_before(self._store, before, ROWS_AT_ONCE):
            rows += deleted
        rows += queries.delete_replayed_before(self._store, before)
        queries.delete_takeovers_before(self._store, before)
        oldest = self._settings.media_retention_days * DAY_SECONDS
        pictures = self._media.delete_older_than(oldest) + self._clips.delete_older_than(oldest)
        if rows or pictures:
            _log.info("deleted by retention", events=rows, pictures=pictures)
