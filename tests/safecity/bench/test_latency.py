"""``safecity bench latency`` on real processes, and its arithmetic."""

from itertools import pairwise

import pytest

from safecity.bench.delivery import browser_available
from safecity.bench.latency import STAGES, stage_rows
from tests.safecity.bench.commands import bench_json

MILLISECOND = 1.0
"""A browser's clock tells no less."""


def assert_holds(document, buses):
    assert [run["bus"] for run in document["runs"]] == buses
    for run in document["runs"]:
        assert run["decided"] == run["stored"] == run["delivered"] >= run["counted"] > 0
        rows = [row for row in document["rows"] if row["bus"] == run["bus"]]
        assert [row["stage"] for row in rows] == list(STAGES[1:])
        for row in rows:
            assert row["events"] == run["counted"]
            assert row["p50"] <= row["p95"] <= row["p99"]
            assert row["step_p50"] <= row["step_p95"] <= row["step_p99"]
        for before, after in pairwise(rows):
            assert before["p50"] <= after["p50"] + MILLISECOND, (before, after)


def test_each_event_is_followed_to_the_live_stream(tmp_path):
    options = ("--duration", "12", "--no-browser", "--without-kafka")
    document = bench_json(tmp_path / "latency.json", "latency", *options)
    assert_holds(document, ["embedded"])
    assert "no browser" in document["runs"][0]["follower"]


@pytest.mark.kafka
@pytest.mark.browser
def test_each_event_is_followed_to_the_page_over_kafka_too(tmp_path, kafka_broker):
    if not browser_available():
        pytest.skip("NO CHROMIUM, SO THE PAGE'S LATENCY WAS NOT TESTED: apt-get install chromium")
    plot = tmp_path / "latency.png"
    options = ("--duration", "12", "--browser", "--kafka", kafka_broker.address, "--plot", str(plot))
    document = bench_json(tmp_path / "latency.json", "latency", *options, timeout=240)
    assert_holds(document, ["embedded", "kafka"])
    assert "Chromium" in document["runs"][0]["follower"]
    assert plot.read_bytes().startswith(b"\x89PNG")


def test_percentiles_are_since_capture_and_since_the_stage_before():
    # Event n takes n ms more from stage to stage than from capture to received.
    times = [[10.0, 10.0, 10.0 + n / 1000, 10.0 + 2 * n / 1000, 11.0, 12.0] for n in range(101)]
    rows = {row["stage"]: row for row in stage_rows("bus", times)}
    assert [rows["received"][share] for share in ("p50", "p95", "p99")] == [0, 0, 0]
    assert [rows["decided"][share] for share in ("p50", "p95", "p99")] == [50, 95, 99]
    assert [rows["published"][share] for share in ("p50", "p95", "p99")] == [100, 190, 198]
    assert [rows["published"][share] for share in ("step_p50", "step_p95", "step_p99")] == [50, 95, 99]
    assert rows["browser"]["p50"] == 2000
    assert rows["browser"]["step_p99"] == 1000
