"""What was recorded gives the same events as what came; what copying costs; what a kill -9 costs."""

import hashlib
import json
import os
import signal
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import av
import pytest
from av.packet import Packet

from detectors.detector import build_detector
from ingest.attention import Attention, DecodePolicy
from ingest.frame import Frame
from ingest.intake import Intake
from ingest.pipeline import CameraPipeline
from ingest.recorder import Recorder
from ingest.recording_check import check_segment
from ingest.recording_index import OPEN, Segment, open_segments, recorded, segment_path
from ingest.recording_recovery import finish_left
from ingest.sources import open_source
from safecity.demo.scenes import FOOTAGE, SCENES
from safecity.message import format_utc
from safecity.settings import DetectorSettings, RecordingSettings
from tests.ingest.recordings import BEGIN, camera, encode, record
from tests.ingest.replay.command import replay
from tests.system.processes import Part, parts, wait_until

DAY = timedelta(days=1)
CARD = """name = "script"
licence = "none"
head = "end_to_end"
file = "script.jsonl"
sha256 = "{digest}"
source = "tests"
labels = ["person", "car"]
[input]
width = 100
height = 100
"""


def events_of(cameras, detector):
    """Events of some recordings of one camera, one after the other, as JSON lines."""
    first = cameras[0]
    intake = Intake(first.analysed_fps)
    pipeline = CameraPipeline(first, detector, start_confidence=0.5)
    lines, index = [], 0
    for of in cameras:
        source = open_source(of, (), 0.0, threading.Event(), Attention(DecodePolicy.FULL))
        for capture in source.captures():
            if intake.outcome(capture, capture.captured_at.timestamp()) is None:
                frame = Frame(of.id, index, capture.captured_at, capture.received_at, capture.picture)
                lines += [d.event.to_bytes() for d in pipeline.process(frame).decisions]
            index += 1
        source.close()
    return lines


def recorded_again(originals, folder, **settings):
    """The originals as the recorder kept them."""
    recorder = None
    for of in originals:
        recorder = record(of, folder, **settings)
    assert recorder is not None
    found = recorded(folder, "gate", BEGIN - DAY, BEGIN + DAY)
    again = [
        originals[0].model_copy(update={"source": camera(folder / s.path).source, "start_time": None})
        for s in found.segments
    ]
    return found.segments, again


def test_the_street_recorded_gives_the_events_of_the_street_itself(tmp_path):
    scene = {key: SCENES[0][key] for key in ("zones", "lines", "rules")}
    original = camera(FOOTAGE, analysed_fps=2, **scene)
    detector = build_detector(DetectorSettings())
    segments, again = recorded_again([original], tmp_path / "rec", segment_seconds=10)
    wanted = events_of([original], detector)
    assert len(segments) > 3
    assert len(wanted) >= 2
    assert events_of(again, detector) == wanted


def walk_in_and_out(folder: Path, pictures: int) -> DetectorSettings:
    """A detector that sees a person walk through the picture, again and again."""
    lines = []
    for number in range(pictures):
        step = number % 60
        box = [0.02 * step, 0.4, 0.02 * step + 0.05, 0.6]
        lines.append([{"label": "person", "confidence": 0.9, "box": box}] if step < 45 else [])
    script = "\n".join(map(json.dumps, lines))
    (folder / "script.jsonl").write_text(script)
    digest = hashlib.sha256(script.encode()).hexdigest()
    (folder / "script.toml").write_text(CARD.format(digest=digest))
    return DetectorSettings(backend="scripted", model=str(folder / "script.toml"), labels=("person",))


@dataclass(frozen=True)
class Hour:
    """An hour of footage in five files, and what the recorder made of it."""

    folder: Path
    segments: tuple[Segment, ...]

    @property
    def words(self) -> tuple[object, ...]:
        return "--recorded", "gate", "--site", self.folder / "site.json"

    def events_of(self, *words: object, code: int = 0) -> tuple[list[str], dict]:
        """The lines of the event file of a replay, and its summary."""
        out = self.folder / "out.jsonl"
        said = json.loads(replay(*words, "--out", out, "--json", code=code).stdout)
        return out.read_text().splitlines(), said


@pytest.fixture(scope="module")
def hour(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hour")
    source = encode(folder / "in.mp4", 60 * 12, fps=1, gop=2)
    starts = [BEGIN + number * timedelta(minutes=12) for number in range(5)]
    yard = {
        "zones": [{"name": "yard", "polygon": [[0.3, 0.0], [0.7, 0.0], [0.7, 1.0], [0.3, 1.0]]}],
        "rules": [{"kind": "zone_entered", "name": "in", "zone": "yard"}],
        "motion_gate": False,
        "health": {"enabled": False},
        "analysed_fps": 1,
    }
    originals = [camera(source, start_time=start, **yard) for start in starts]
    segments, _ = recorded_again(originals, folder / "recordings", segment_seconds=20)
    detector = walk_in_and_out(folder, 4 * 3600).model_dump(mode="json", exclude_none=True)
    one = {"id": "gate", "source": source.as_uri(), "playback": "fast", **yard}
    site = {"data_dir": str(folder), "detector": detector, "cameras": [one]}
    (folder / "site.json").write_text(json.dumps(site))
    listed = [{"path": str(source), "start": start.isoformat()} for start in starts]
    (folder / "originals.json").write_text(json.dumps(listed))
    return Hour(folder, segments)


def test_a_recorded_hour_of_short_segments_gives_the_events_of_the_original_files(hour):
    assert len(hour.segments) >= 150
    assert hour.segments[-1].end - hour.segments[0].start == timedelta(hours=1)
    files = (hour.folder / "originals.json", "--camera", "gate", "--site", hour.folder / "site.json")
    wanted, _ = hour.events_of(*files)
    assert len(wanted) > 50
    again, said = hour.events_of(*hour.words, "--from", BEGIN.isoformat(), "--to", hour.segments[-1].end)
    assert again == wanted
    assert said["timed_by"] == "the recorder"
    assert len(said["files"]) == len(hour.segments)
    assert said["gaps"] == []


def test_pictures_outside_the_times_are_left_out_and_what_is_missing_is_said(hour):
    begin, end = BEGIN + timedelta(minutes=50, seconds=7), BEGIN + timedelta(minutes=61)
    lines, said = hour.events_of(*hour.words, "--from", begin.isoformat(), "--to", end.isoformat())
    times = [datetime.fromisoformat(json.loads(line)["occurred_at"]) for line in lines]
    assert times
    assert min(times) >= begin
    assert said["looked_at"] == 9 * 60 + 53
    assert said["files"][0]["left_out"] > 0
    assert [file["complete"] for file in said["files"]] == [True] * len(said["files"])
    (gap,) = said["gaps"]
    assert gap["begin"] == format_utc(hour.segments[-1].end)
    assert gap["end"] == format_utc(end)
    assert gap["reason"]


def test_a_segment_that_is_not_finished_is_said_and_not_read(hour):
    last, end = hour.segments[-1], BEGIN + timedelta(hours=2)
    opened = hour.folder / "recordings" / segment_path("gate", last.end)
    opened.write_bytes(b"half of a picture")
    opened.with_name(opened.stem + OPEN).write_text("{}")
    words = (*hour.words, "--from", (BEGIN + timedelta(minutes=59)).isoformat())
    try:
        _, said = hour.events_of(*words, "--to", end.isoformat(), code=3)
        assert Path(said["files"][-1]["path"]) == opened
        assert "not finished" in said["files"][-1]["reason"]
        assert said["looked_at"] == 60
        _, before = hour.events_of(*words, "--to", last.end.isoformat())
        assert all(file["complete"] for file in before["files"])
    finally:
        opened.unlink()
        opened.with_name(opened.stem + OPEN).unlink()


def test_a_recorded_file_that_is_broken_costs_only_itself(hour):
    broken = hour.folder / "recordings" / hour.segments[1].path
    kept = broken.read_bytes()
    broken.write_bytes(kept[: len(kept) // 3])
    try:
        to = (BEGIN + timedelta(minutes=1)).isoformat()
        _, said = hour.events_of(*hour.words, "--from", BEGIN.isoformat(), "--to", to, code=3)
        assert [file["complete"] for file in said["files"]] == [True, False, True]
    finally:
        broken.write_bytes(kept)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        (("in.mp4",), "leave out in.mp4"),
        (("--camera", "yard"), "leave out --camera"),
        (("--start", "2026-03-01T12:00:00Z"), "leave out --start"),
        (("--to", "2026-03-01T11:00:00Z"), "after --from"),
        (("--to", "noon"), "--to: 'noon' is no time"),
        (("--from", "2025-03-01T12:00:00Z", "--to", "2025-03-01T13:00:00Z"), "there are the days 2026-03-01"),
    ],
)
def test_what_does_not_go_with_recorded_is_said(hour, more, wanted):
    times = ("--from", "2026-03-01T12:00:00Z", "--to", "2026-03-01T13:00:00Z")
    assert wanted in replay(*hour.words, *times, *more, code=2).stderr


def test_recorded_wants_its_times(hour):
    assert "--from and --to" in replay(*hour.words, code=2).stderr


class Timed:
    """A tap that counts the processor time of another one."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder, self.seconds, self.bytes = recorder, 0.0, 0

    def take(self, tapped):
        begin = time.thread_time()
        self.recorder.take(tapped)
        self.seconds += time.thread_time() - begin
        self.bytes += tapped.packet.size

    def away(self, reason):
        begin = time.thread_time()
        self.recorder.away(reason)
        self.seconds += time.thread_time() - begin


def write_padded(path: Path, seconds: int, fps: int, bytes_a_picture: int) -> Path:
    """A stream of 4 Mbit/s: the decoder is not asked, so its packets are filled with noise."""
    with av.open(str(encode(path.with_suffix(".small.mp4"), fps, fps=fps, gop=fps))) as small:
        packets = [p for p in small.demux(video=0) if p.size]
        with av.open(str(path), "w") as output:
            stream = output.add_stream_from_template(small.streams.video[0])
            for number in range(seconds * fps):
                like = packets[number % fps]
                noise = os.urandom(bytes_a_picture)
                packet = Packet(len(noise).to_bytes(4, "big") + noise)
                packet.time_base, packet.stream = like.time_base, stream
                packet.pts = packet.dts = number * like.duration
                packet.is_keyframe = like.is_keyframe
                output.mux(packet)
    return path


def test_recording_costs_less_than_two_percent_of_a_core(tmp_path):
    """Processor time of the thread, whatever else the machine does; 4 Mbit/s, 25 pictures a second."""
    seconds = 120
    of = camera(write_padded(tmp_path / "in.mp4", seconds, 25, 20_000), decode="key_frames")
    timed = Timed(Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=0)))
    source = open_source(of, (), 0.0, threading.Event(), Attention(DecodePolicy.KEY_FRAMES), timed)
    for _ in source.captures():
        pass
    timed.away("camera away")
    source.close()
    share = timed.seconds / seconds
    print(f"\nrecording {timed.bytes * 8 / seconds / 1e6:.1f} Mbit/s: {100 * share:.2f} % of a core")
    assert timed.bytes > seconds * 490_000
    assert timed.recorder.segments >= 1
    assert share < 0.02


def test_a_worker_killed_while_recording_loses_at_most_the_open_segment(tmp_path):
    site = tmp_path / "site.json"
    document = {
        "data_dir": str(tmp_path / "data"),
        "worker": {"processes": 1, "metrics_port": 0},
        "recording": {"segment_seconds": 2, "least_free_mb": 0},
        "cameras": [
            {"id": "gate", "source": FOOTAGE.as_uri(), "playback": "loop", "recording": "continuous"}
        ],
    }
    site.write_text(json.dumps(document))
    folder = tmp_path / "data" / "recordings"

    def listed():
        return recorded(folder, "gate", datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))

    worker = Part(["worker", "--site", str(site)], tmp_path / "log", {})
    with parts(worker):
        worker.start()
        wait_until(lambda: len(listed().segments) >= 3, 90, "three segments")
        os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
    wait_until(lambda: not shard_writes(folder), 10, "the shard to be gone")
    before = listed().segments
    assert [check_segment(folder, segment) for segment in before] == [None] * len(before)
    (left,) = open_segments(folder, "gate")
    finished = finish_left(folder, "gate")
    after = listed()
    assert after.segments[: len(before)] == before
    if finished:
        assert [folder / segment.path for segment in finished] == [left]
        assert check_segment(folder, finished[0]) is None
        assert abs((finished[0].start - before[-1].end).total_seconds()) < 0.5
    assert len(after.segments) == len(before) + len(finished)
    assert open_segments(folder, "gate") == []


def shard_writes(folder: Path) -> bool:
    """Whether some process still has a file of the recordings open."""
    for entry in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            if str(entry.readlink()).startswith(str(folder)):
                return True
        except OSError:
            continue
    return False
