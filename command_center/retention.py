"""Deleting what is older than the site wants kept."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog

from command_center.background import Background
from command_center.clips import Clips
from command_center.media import MediaStore
from command_center.store import queries
from command_center.store.database import StoreError
from command_center.store.store import Store
from safecity.redaction import redact
from safecity.settings import Site
from safecity.steady_clock import STEADY

CLAIM = "retention"
EVERY_SECONDS, LOOK_SECONDS = 3600.0, 60.0
ROWS_AT_ONCE = 5000

_log = structlog.get_logger()


class Retention(Background):
    """Looks now and then for events and pictures that are past their time, in a thread of its own.

    Of several centres on one store one does it, once an hour: whichever asks first. A day goes as a whole, so
    that what is counted by day is either all there or gone.

    Args:
        store: loses old events.
        media: loses old pictures.
        site: says how old, and when its days begin.
        clips: lose old clips.
    """

    def __init__(self, store: Store, media: MediaStore, site: Site, clips: Clips) -> None:
        super().__init__("retention")
        self._store = store
        self._media = media
        self._site = site
        self._clips = clips

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._store.claim(CLAIM, EVERY_SECONDS):
                    self.run(STEADY.now())
            except (StoreError, OSError) as error:
                _log.warning("retention: trying again later", reason=redact(error))
            self._stopping.wait(LOOK_SECONDS)

    def run(self, now: datetime) -> None:
        """Delete what is past its time at ``now``. Many rows take several short transactions.

        Raises:
            StoreError: the store does not answer; what is left goes the next time.
            OSError: a picture cannot be deleted.
        """
        settings, zone = self._site.centre, ZoneInfo(self._site.timezone)
        before = first_day_kept(now, settings.event_retention_days, zone)
        rows = 0
        while not self._stopping.is_set():
            deleted = queries.delete_stored_before(self._store, before, ROWS_AT_ONCE)
            rows += deleted
            if not deleted:
                break
        rows += queries.delete_replayed_before(self._store, before)
        queries.delete_takeovers_before(self._store, before)
        oldest = (now - first_day_kept(now, settings.media_retention_days, zone)).total_seconds()
        pictures = self._media.delete_older_than(oldest) + self._clips.delete_older_than(oldest)
        if rows or pictures:
            _log.info("deleted by retention", events=rows, pictures=pictures)


def first_day_kept(now: datetime, days: int, zone: ZoneInfo) -> datetime:
    """The midnight from which on everything is kept: ``days`` whole days, and what there is of today.

    Args:
        now: aware.
        days: that are kept.
        zone: whose midnight it is.
    """
    day = now.astimezone(zone).date() - timedelta(days=days)
    return datetime.combine(day, time(), zone).astimezone(UTC)
