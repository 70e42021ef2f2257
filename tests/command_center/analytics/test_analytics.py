"""Export to Parquet and the questions, over a scene of which every answer is known."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import cv2
import duckdb
import numpy as np
import pytest

from command_center.analytics.export import Exported, Wanted, export_events, stored_events
from safecity.bus import open_bus
from safecity.observation import Observation, TrackState
from safecity.settings import load_site
from tests.command_center.conftest import wait_until
from tests.command_center.messages import BEGIN, make_event, publish_event

ZONES = [
    {"name": "west", "polygon": [[0.0, 0.0], [0.4, 0.0], [0.4, 1.0], [0.0, 1.0]]},
    {"name": "east", "polygon": [[0.6, 0.0], [1.0, 0.0], [1.0, 1.0], [0.6, 1.0]]},
]


def safecity(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "safecity", *map(str, arguments)], capture_output=True, text=True
    )


def seen(at, *tracks):
    """A frame: tracks are number and x of the foot point."""
    states = [
        TrackState(track_id=number, label="person", confidence=0.9, box=(x - 0.05, 0.3, x + 0.05, 0.7))
        for number, x in tracks
    ]
    return Observation(
        camera_id="cam-1",
        captured_at=at,
        frame_index=int((at - BEGIN).total_seconds() * 5),
        width=640,
        height=360,
        tracks=states,
    )


@pytest.fixture
def lake(tmp_path):
    """Track 1 stands 10 s in the west and walks to the east for 5 s; track 2 is only in the east, for 4 s.

    Track 1 is out of the west for a second in between, which is the same visit.
    """
    frames = []
    for number in range(5 * 20 + 1):
        seconds = number / 5
        tracks = []
        if seconds <= 10:
            tracks.append((1, 0.5 if 4 < seconds < 5 else 0.2))
        elif seconds < 15:
            tracks.append((1, 0.5))
        else:
            tracks.append((1, 0.8))
        if 2 <= seconds <= 6:
            tracks.append((2, 0.9))
        frames.append(seen(BEGIN + timedelta(seconds=seconds), *tracks))
    frames.append(seen(BEGIN + timedelta(days=1)))
    (tmp_path / "seen.jsonl").write_bytes(b"\n".join(f.to_bytes() for f in frames) + b"\nnothing\n")
    events = [make_event(n) for n in range(5)] + [make_event(5, kind="line_crossed", at=3600)]
    events.append(make_event(1, revision=2))
    (tmp_path / "events.jsonl").write_bytes(b"\n".join(event.to_bytes() for event in events))
    site = {
        "timezone": "Asia/Karachi",
        "data_dir": str(tmp_path / "data"),
        "cameras": [{"id": "cam-1", "source": "rtsp://127.0.0.1/1", "zones": ZONES}],
    }
    (tmp_path / "site.json").write_text(json.dumps(site))
    files = ("--events", tmp_path / "events.jsonl", "--observations", tmp_path / "seen.jsonl")
    done = safecity(
        "export", "parquet", "--site", tmp_path / "site.json", *files, "--out", tmp_path / "lake", "--json"
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said["events"], said["unreadable_lines"]) == (6, 1)
    return tmp_path / "lake"


def ask(*arguments):
    done = safecity("analyse", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_a_folder_a_day_and_any_tool_reads_it(lake):
    days = sorted(path.parent.name for path in lake.glob("observations/*/*.parquet"))
    assert days == ["day=2026-03-01", "day=2026-03-02"]
    files = f"{lake}/observations/*/*.parquet"
    query = "SELECT count(*), count(track_id), min(captured_at), min(local_hour), max(zones) FROM "
    rows, tracks, first, hour, _ = duckdb.sql(f"{query} read_parquet('{files}')").fetchall()[0]
    assert (rows, tracks) == (101 + 21 + 1, 101 + 21)
    assert first.astimezone(UTC) == BEGIN
    assert hour == 17


def test_what_is_on_the_bus_is_exported_as_what_is_in_a_file(lake, tmp_path):
    site_file = tmp_path / "site.json"
    with open_bus(load_site(site_file)) as bus:
        bus.ensure_topics()
        producer = bus.producer("test")
        for line in (tmp_path / "seen.jsonl").read_bytes().splitlines():
            producer.publish("observations", key="cam-1", value=line)
        producer.flush(10.0)
        producer.close()
    files = ("--observations", "topic", "--events", tmp_path / "events.jsonl")
    done = safecity("export", "parquet", "--site", site_file, *files, "--out", tmp_path / "bus", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["unreadable_lines"] == 1
    rows = [
        duckdb.sql(f"SELECT * FROM read_parquet('{folder}/observations/*/*.parquet') ORDER BY ALL").fetchall()
        for folder in (lake, tmp_path / "bus")
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 123


def test_the_newest_revision_of_an_event_counts_once_in_its_hour(lake, tmp_path):
    rows = ask("counts", lake, "--timezone", "Asia/Karachi", "--csv", tmp_path / "counts.csv")
    assert [(r["kind"], r["place"], r["label"], r["local_hour"], r["events"]) for r in rows] == [
        ("line_crossed", "yard", "person", "2026-03-01T18:00:00", 1),
        ("zone_entered", "yard", "person", "2026-03-01T17:00:00", 5),
    ]
    lines = (tmp_path / "counts.csv").read_text().splitlines()
    assert lines[0] == "camera_id,kind,place,direction,label,local_hour,events"
    assert len(lines) == 3


def test_dwell_joins_a_visit_over_a_short_absence(lake):
    assert [(r["zone"], r["visits"], r["longest_seconds"]) for r in ask("dwell", lake)] == [
        ("east", 2, 5.0),
        ("west", 1, 10.0),
    ]


def test_origin_and_destination(lake):
    assert [(r["origin"], r["destination"], r["tracks"]) for r in ask("od", lake)] == [
        ("east", "east", 1),
        ("west", "east", 1),
    ]


def test_the_heat_map_is_hot_where_somebody_stood(lake, tmp_path):
    cv2.imwrite(str(tmp_path / "gate.png"), np.full((180, 320, 3), 128, np.uint8))
    cells = ask(
        *("heatmap", lake, "--camera", "cam-1", "--columns", 10, "--rows", 10),
        *("--background", tmp_path / "gate.png", "--png", tmp_path / "heat.png"),
    )
    assert sum(cell["seen"] for cell in cells) == 122
    assert sorted({c["col"] for c in cells}) == [2, 5, 8, 9]
    assert len({c["row"] for c in cells}) == 1
    assert cv2.imread(str(tmp_path / "heat.png")).std() > 10


@pytest.mark.parametrize("question", ["counts", "dwell", "od"])
def test_every_answer_can_be_drawn(lake, tmp_path, question):
    ask(question, lake, "--png", tmp_path / "plot.png")
    assert cv2.imread(str(tmp_path / "plot.png")).std() > 5


def test_an_empty_folder_is_told_with_what_to_do(tmp_path):
    done = safecity("analyse", "dwell", tmp_path)
    assert done.returncode == 2
    assert "safecity export parquet --observations FILE" in done.stderr


def test_events_come_from_the_store_when_no_file_is_given(running, tmp_path):
    """The store of a centre that runs."""
    for number in range(25):
        publish_event(running.producer, make_event(number))
    wait_until(lambda: running.stored() == 25)
    wanted = Wanted(BEGIN + timedelta(seconds=5), BEGIN + timedelta(seconds=15))
    done = Exported()
    site = running.centre.site
    export_events(stored_events(site, wanted), site, wanted, tmp_path / "lake", done)
    assert done.events == 10
    (file,) = done.files
    query = f"SELECT min(occurred_at), max(occurred_at) FROM '{file}'"
    times = [time.astimezone(UTC) for time in duckdb.sql(query).fetchall()[0]]
    assert times == [wanted.begin, datetime(2026, 3, 1, 12, 0, 14, tzinfo=UTC)]
