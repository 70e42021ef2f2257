"""The recorder: copies that are exact, segments at key frames, pre-roll and post-roll, gaps, a full disk."""

import resource
import threading
from datetime import timedelta

import av
import pytest

from ingest.pre_roll import PreRoll
from ingest.recorder import Recorder
from ingest.recording_index import Segment, recorded
from safecity.settings import RecordingSettings
from tests.ingest.recordings import BEGIN, Collecting, camera, captures, encode, payloads, record

DAY = timedelta(days=1)


def listed(folder):
    return recorded(folder, "gate", BEGIN - DAY, BEGIN + DAY)


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("fps", [25, 30])
def test_every_picture_falls_at_the_event_time_that_it_had(tmp_path, fps, b_frames):
    of = camera(encode(tmp_path / "in.mp4", 10 * fps, fps=fps, gop=fps, b_frames=b_frames))
    record(of, tmp_path / "rec", segment_seconds=3)
    segments = listed(tmp_path / "rec").segments
    assert len(segments) == 4
    again = [
        at
        for segment in segments
        for at in captures(camera(tmp_path / "rec" / segment.path, start_time=None))
    ]
    assert again == captures(of)


def test_packets_are_copied_bit_by_bit_and_segments_begin_with_a_key_frame(tmp_path):
    source = encode(tmp_path / "in.mp4", 300)
    record(camera(source), tmp_path / "rec", segment_seconds=2)
    files = [tmp_path / "rec" / segment.path for segment in listed(tmp_path / "rec").segments]
    assert len(files) == 5
    assert payloads(files) == payloads([source])
    for file in files:
        with av.open(str(file)) as container:
            assert next(iter(container.demux(video=0))).is_keyframe


def test_the_index_says_what_is_in_each_segment(tmp_path):
    record(camera(encode(tmp_path / "in.mp4", 300)), tmp_path / "rec", segment_seconds=5)
    first, second = listed(tmp_path / "rec").segments
    assert (first.start, first.end) == (BEGIN, BEGIN + timedelta(seconds=5))
    assert (second.start, second.end) == (first.end, BEGIN + timedelta(seconds=10))
    assert (first.codec, first.width, first.height, first.packets) == ("h264", 320, 240, 150)
    file = tmp_path / "rec" / first.path
    assert first.size_bytes == file.stat().st_size
    assert file.stat().st_mode & 0o077 == 0
    assert str(first.path) == "gate/2026-03-01/20260301T120000.123457Z.mp4"


def test_a_closed_segment_is_an_ordinary_mp4_file(tmp_path):
    record(camera(encode(tmp_path / "in.mp4", 90)), tmp_path / "rec")
    (segment,) = listed(tmp_path / "rec").segments
    content = (tmp_path / "rec" / segment.path).read_bytes()
    kinds, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        kinds.append(content[at + 4 : at + 8])
        at += size if size != 1 else int.from_bytes(content[at + 8 : at + 16], "big")
    assert b"moof" not in kinds
    assert kinds.count(b"moov") == 1


def test_around_an_event_pre_roll_and_post_roll_are_kept_and_nothing_else(tmp_path):
    of = camera(
        encode(tmp_path / "in.mp4", 900, gop=15),
        recording="events",
        pre_roll_seconds=2,
        post_roll_seconds=3,
    )
    collecting = Collecting()
    source_packets = collecting.packets
    captures(of, collecting)
    recorder = Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=0))

    class WithEvent:
        def take(self, tapped):
            recorder.take(tapped)
            if tapped.event_time == BEGIN + timedelta(seconds=10):
                recorder.event(tapped.event_time)

        def away(self, reason):
            recorder.away(reason)

    captures(of, WithEvent())
    assert len(source_packets) == 900
    (segment,) = listed(tmp_path / "rec").segments
    assert BEGIN + timedelta(seconds=7.4) <= segment.start <= BEGIN + timedelta(seconds=8)
    assert BEGIN + timedelta(seconds=13) <= segment.end <= BEGIN + timedelta(seconds=13.2)


def test_an_event_just_before_the_camera_goes_is_kept(tmp_path):
    of = camera(encode(tmp_path / "in.mp4", 150), recording="events", pre_roll_seconds=2)
    recorder = Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=0))

    class EventAtTheEnd:
        def take(self, tapped):
            recorder.take(tapped)

        def away(self, reason):
            recorder.event(BEGIN + timedelta(seconds=4.9))
            recorder.away(reason)

    captures(of, EventAtTheEnd())
    (segment,) = listed(tmp_path / "rec").segments
    assert segment.end == BEGIN + timedelta(seconds=5)


def test_the_pre_roll_is_bounded_in_bytes(tmp_path):
    collecting = Collecting()
    captures(camera(encode(tmp_path / "in.mp4", 600)), collecting)
    most = sum(tapped.packet.size for tapped in collecting.packets) // 4
    pre_roll = PreRoll(seconds=3600, most_bytes=most)
    sizes = []
    for tapped in collecting.packets:
        pre_roll.keep(tapped)
        sizes.append(pre_roll.size_bytes)
    assert max(sizes) <= most
    kept = pre_roll.take()
    assert kept[0].packet.is_keyframe
    assert kept[-1] is collecting.packets[-1]


def test_a_gap_is_on_record_with_its_reason(tmp_path):
    source = encode(tmp_path / "in.mp4", 90)
    recorder = Recorder(camera(source), tmp_path / "rec", RecordingSettings(least_free_mb=0))
    captures(camera(source), recorder)
    captures(camera(source, start_time=BEGIN + timedelta(seconds=60)), recorder)
    record(camera(source, start_time=BEGIN + timedelta(seconds=120)), tmp_path / "rec")
    found = recorded(tmp_path / "rec", "gate", BEGIN, BEGIN + timedelta(seconds=123))
    gaps = [
        ((g.start - BEGIN).total_seconds(), (g.end - BEGIN).total_seconds(), g.reason) for g in found.gaps
    ]
    assert gaps == [(3, 60, "camera away"), (63, 120, "worker down")]


def test_the_same_footage_twice_is_kept_once(tmp_path):
    of = camera(encode(tmp_path / "in.mp4", 300))
    record(of, tmp_path / "rec", segment_seconds=5)
    before = listed(tmp_path / "rec").segments
    record(of, tmp_path / "rec", segment_seconds=5)
    assert listed(tmp_path / "rec").segments == before


def test_too_little_free_disk_stops_the_recording_and_nothing_else(tmp_path):
    of = camera(encode(tmp_path / "in.mp4", 90))
    recorder = Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=10**9))
    assert len(captures(of, recorder)) == 90
    assert recorder.trouble == "disk full"
    assert listed(tmp_path / "rec").segments == ()


def test_a_disk_that_refuses_in_the_middle_leaves_what_was_written_readable(tmp_path):
    """The kernel's limit of a file's size stands for the disk: the write fails just as it does there."""
    of = camera(encode(tmp_path / "in.mp4", 3000, gop=30))
    size = (tmp_path / "in.mp4").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, before[1]))
    try:
        recorder = Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=0))
        assert len(captures(of, recorder)) == 3000
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert recorder.trouble is not None
    assert "too large" in recorder.trouble
    # The next start finishes what there is.
    record(camera(tmp_path / "in.mp4", start_time=BEGIN + timedelta(hours=1)), tmp_path / "rec")
    first = listed(tmp_path / "rec").segments[0]
    assert first.start == BEGIN
    assert first.recovered
    assert 30 < first.seconds < 60
    assert payloads([tmp_path / "rec" / first.path]) == payloads([tmp_path / "in.mp4"])[: first.packets]


def test_a_recorder_told_of_events_from_another_thread_records_them(tmp_path):
    of = camera(encode(tmp_path / "in.mp4", 300), recording="events", post_roll_seconds=1)
    recorder = Recorder(of, tmp_path / "rec", RecordingSettings(least_free_mb=0))
    thread = threading.Thread(target=recorder.event, args=(BEGIN + timedelta(seconds=1),))
    thread.start()
    thread.join()
    captures(of, recorder)
    (segment,) = listed(tmp_path / "rec").segments
    assert isinstance(segment, Segment)
    assert 2.0 <= segment.seconds < 3.1
