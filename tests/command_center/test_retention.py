"""Retention: by whole days, once for all centres."""

import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from command_center.centre import Centre
from command_center.retention import CLAIM, EVERY_SECONDS, first_day_kept
from command_center.store import queries
from command_center.store.rows import Batch
from tests.command_center.conftest import wait_until
from tests.command_center.messages import make_event, make_picture, make_trace

KARACHI = ZoneInfo("Asia/Karachi")


@pytest.mark.parametrize(
    ("now", "first"),
    [
        ("2026-03-10T18:59:00+00:00", "2026-02-27T19:00:00+00:00"),  # 23:59 in Karachi
        ("2026-03-10T19:01:00+00:00", "2026-02-28T19:00:00+00:00"),  # a minute past midnight
    ],
)
def test_a_day_begins_at_the_sites_midnight(now, first):
    assert first_day_kept(datetime.fromisoformat(now), 10, KARACHI) == datetime.fromisoformat(first)


def test_a_day_without_midnight_twice_a_year_is_a_day_too():
    berlin = ZoneInfo("Europe/Berlin")
    kept = first_day_kept(datetime(2026, 3, 30, 10, tzinfo=UTC), 1, berlin)
    assert kept == datetime(2026, 3, 28, 23, tzinfo=UTC)


def test_events_and_pictures_of_days_past_go_and_the_rest_stays(make_site):
    centre = Centre.open(make_site(event_retention_days=2, media_retention_days=1))
    try:
        centre.store.record(Batch(events=[(make_event(n), make_trace()) for n in (1, 2)]))
        now = datetime.now(UTC)
        for number, age in ((1, timedelta(days=3)), (2, timedelta(hours=1))):
            name = make_event(number).snapshot
            centre.media.save(name, make_picture())
            at = (now - age).timestamp()
            os.utime(centre.media.find(name), (at, at))
        centre.retention.run(now)
        assert queries.totals(centre.store).stored == 2
        assert centre.media.find(make_event(1).snapshot) is None
        assert centre.media.find(make_event(2).snapshot) is not None
        centre.retention.run(now + timedelta(days=4))
        assert queries.totals(centre.store).stored == 0
    finally:
        centre.close()


def test_it_runs_by_itself_in_one_centre_of_all(make_site):
    first, second = Centre.open(make_site()), Centre.open(make_site())
    ran = []
    for centre in (first, second):
        centre.retention.run = lambda now: ran.append(now)
        centre.retention.start()
    try:
        wait_until(lambda: ran)
        wait_until(lambda: not second.store.claim(CLAIM, EVERY_SECONDS))
        assert len(ran) == 1
    finally:
        first.close()
        second.close()
