"""What a run's samples and journals come to."""

import json

import pytest

from ingest.simulation.outcome import outcome_of
from ingest.simulation.samples import Sample, Samples, slope
from ingest.simulation.sizing import Measured, breaking_points, size_city
from ingest.simulation.usage import Usage, usage_of

MB = 1_000_000


def samples(memory, lag, duration=90.0):
    """One a second; ``memory`` and ``lag`` give a value for each."""
    taken = [
        Sample(float(at), {"centre": Usage(0.25 * at, memory(at))}, {"events": lag(at)})
        for at in range(round(duration))
    ]
    return Samples(duration, begin=1000.0, taken=taken)


def test_growth_is_that_after_the_warm_up():
    grown = samples(lambda at: 50 * MB + (at * MB if at < 30 else 30 * MB), lambda at: 3)
    assert grown.memory_growth_mb()["centre"] == pytest.approx(0.0, abs=0.01)
    leaking = samples(lambda at: at * MB // 10, lambda at: 2 * at)
    assert leaking.memory_growth_mb()["centre"] == pytest.approx(6.0, rel=0.01)
    assert leaking.lag_growth() == pytest.approx(2.0)
    assert leaking.cores()["centre"] == pytest.approx(0.25)
    assert leaking.highest_lag() == 178


def test_two_values_are_no_line():
    assert slope([1.0, 2.0], [1.0, 5.0]) == 0.0


def test_what_this_process_uses_rises():
    import os

    before = usage_of(os.getpid())
    sum(number * number for number in range(3_000_000))
    after = usage_of(os.getpid())
    assert after.cpu_seconds > before.cpu_seconds
    assert after.memory_bytes > MB
    assert usage_of(2**22 + 1) is None


def test_lost_twice_and_unknown_are_told_apart(tmp_path):
    names = {number: f"{number:032x}" for number in range(5)}

    def line(number, picture=True):
        event_id = names[number]
        return json.dumps(
            {"event_id": event_id, "revision": 1, "snapshot": f"{event_id}-1.jpg" if picture else None}
        )

    def row(number, captured="1970-01-01T00:20:00Z"):
        trace = {"captured_at": captured}
        return {"event_id": names[number], "revision": 1, "latency_ms": 10.0 * number, "trace": trace}

    journal, media = tmp_path / "decided.jsonl", tmp_path / "media"
    journal.write_text("\n".join([line(0), line(1), line(2), line(3, picture=False)]) + "\n")
    for number in (0, 1):
        path = media / names[number][:2] / f"{names[number]}-1.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"jpeg")
    early = "1970-01-01T00:16:41Z"
    rows = [row(0, early), row(1), row(1), row(3), row(4)]
    outcome = outcome_of([journal], rows, media, samples(lambda at: MB, lambda at: 0))
    assert (outcome.decided, outcome.stored) == (4, 4)
    assert outcome.lost == 2, "one event, and its picture"
    assert (outcome.pictures_lost, outcome.duplicates, outcome.unknown) == (1, 1, 1)
    assert sorted(outcome.latencies_ms) == [10.0, 10.0, 30.0, 40.0], "not that of the warm-up"


MEASURED = Measured(
    cameras=100,
    publishing_cores=0.1,
    broker_cores=0.05,
    centre_cores=0.06,
    centre_busy=0.03,
    store_cores=0.01,
    log_bytes_a_second={
        "observations": 100_000.0,
        "events": 1_000.0,
        "snapshots": 50_000.0,
        "status": 9_000.0,
    },
    rows_a_second=2.0,
    row_bytes=3_000.0,
    picture_bytes_a_second=50_000.0,
)


def test_a_city_ten_times_as_large_needs_ten_times_as_much():
    one, ten = size_city(MEASURED, 100, 10.0), size_city(MEASURED, 1000, 10.0)
    assert one["basis"] == "measured"
    assert ten["basis"] == "extrapolated"
    assert one["store_rows_day"] == 172_800
    for name in ("store_rows_day", "centre_cores", "broker_in_mbit_s"):
        assert ten[name] == pytest.approx(10 * one[name], rel=0.02)
    assert one["worker_cores"] == pytest.approx(10.1)
    # A day of observations, seven of events and pictures; statuses are compacted.
    assert one["broker_disk_gb"] == pytest.approx((100_000 + 7 * 51_000) * 86_400 / 1e9, abs=0.1)
    assert one["broker_out_mbit_s"] == pytest.approx(8 * 60_000 / 1e6, abs=0.01)
    assert (one["centres"], ten["centres"]) == (1, 1)
    assert size_city(MEASURED, 3000, 10.0)["centres"] == 3


def test_the_first_to_break_comes_first():
    points = breaking_points(MEASURED, cores=2, producers=2)
    assert [point["cameras"] for point in points] == sorted(point["cameras"] for point in points)
    assert points[0]["what"].startswith("this machine")
    assert points[0]["cameras"] == int(100 * 2 / 0.22)
    assert {"one centre's core", "the broker, all cores"} <= {point["what"] for point in points}
