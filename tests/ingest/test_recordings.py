"""What is done with recordings: clips, holds, retention, verification, and the commands."""

import json
import subprocess
import sys
from datetime import timedelta

import av
import numpy as np
import pytest

from ingest.clip import ClipError, cut
from ingest.recording_check import check_segment
from ingest.recording_holds import hold, holds, release
from ingest.recording_index import INDEX, recorded
from ingest.recording_retention import delete_old
from safecity.settings import RecordingSettings
from tests.ingest.recordings import BEGIN, camera, encode, record

DAY = timedelta(days=1)


def at(seconds: float):
    return BEGIN + timedelta(seconds=seconds)


def listed(folder):
    return recorded(folder, "gate", BEGIN - DAY, BEGIN + 30 * DAY).segments


def pictures(path):
    with av.open(str(path)) as container:
        return [(frame.time, frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]


@pytest.fixture
def thirty_seconds(tmp_path):
    folder = tmp_path / "rec"
    record(camera(encode(tmp_path / "in.mp4", 900)), folder, segment_seconds=5)
    return folder


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_clip_over_segments_holds_the_pictures_of_the_time_that_was_asked_for(tmp_path, b_frames):
    source = encode(tmp_path / "in.mp4", 900, b_frames=b_frames)
    record(camera(source), tmp_path / "rec", segment_seconds=5)
    clip = cut(tmp_path / "rec", "gate", at(8.5), at(17), tmp_path / "clip.mp4")
    assert clip.start == at(8)
    assert (clip.codec, clip.plays_in_browsers, clip.masked, clip.gaps) == ("h264", True, False, ())
    wanted = [gray for seconds, gray in pictures(source) if 8 <= seconds < 17]
    got = pictures(tmp_path / "clip.mp4")
    assert len(wanted) <= len(got) <= len(wanted) + 2
    assert all(np.array_equal(a, b) for a, (_, b) in zip(wanted, got, strict=False))
    # With B-frames a picture from after the end may be there: others are predicted from it.
    steps = np.diff([seconds for seconds, _ in got[: len(wanted)]])
    np.testing.assert_allclose(steps, 1 / 30, atol=1e-4)


def test_masks_of_then_and_of_now_are_burned_into_a_clip(tmp_path):
    then = [[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]]
    now = ((0.5, 0.5), (1.0, 0.5), (1.0, 1.0), (0.5, 1.0))
    record(camera(encode(tmp_path / "in.mp4", 150), masks=[then]), tmp_path / "rec")
    clip = cut(tmp_path / "rec", "gate", at(1), at(3), tmp_path / "clip.mp4", [now])
    assert clip.masked
    got = pictures(tmp_path / "clip.mp4")
    assert len(got) == 60
    for _, gray in got:
        assert gray[4:116, 4:156].max() < 30
        assert gray[124:236, 164:316].max() < 30
        assert gray[4:116, 164:316].max() > 80


def test_a_clip_says_what_is_missing_and_when_there_is_nothing(tmp_path, thirty_seconds):
    clip = cut(thirty_seconds, "gate", at(25), at(40), tmp_path / "clip.mp4")
    assert len(clip.gaps) == 1
    assert "not recorded" in clip.gaps[0]
    with pytest.raises(ClipError, match="nothing of gate is recorded there"):
        cut(thirty_seconds, "gate", at(100), at(110), tmp_path / "none.mp4")
    assert not (tmp_path / "none.mp4").exists()


def test_h265_is_recorded_and_said_not_to_play_everywhere(tmp_path):
    record(camera(encode(tmp_path / "in.mp4", 90, codec="libx265")), tmp_path / "rec")
    clip = cut(tmp_path / "rec", "gate", at(0), at(3), tmp_path / "clip.mp4")
    assert (clip.codec, clip.plays_in_browsers) == ("hevc", False)
    assert len(pictures(tmp_path / "clip.mp4")) == 90


def test_old_recordings_go_and_held_ones_stay(thirty_seconds):
    kept = hold(thirty_seconds, "gate", at(6), at(8), "case 4711", at(0))
    settings = RecordingSettings(max_age_days=2)
    done = delete_old(thirty_seconds, settings, BEGIN + 10 * DAY)
    assert done.segments == 5
    assert [s.start for s in listed(thirty_seconds)] == [at(5)]
    assert release(thirty_seconds, kept.hold_id) == kept
    assert holds(thirty_seconds) == ()
    delete_old(thirty_seconds, settings, BEGIN + 10 * DAY)
    assert listed(thirty_seconds) == ()
    assert not (thirty_seconds / "gate" / "2026-03-01").exists()


def test_above_their_share_of_the_disk_the_oldest_go_first(thirty_seconds):
    sizes = [s.size_bytes for s in listed(thirty_seconds)]
    # The share is such that the last four fit, and not a byte more.
    disk = sum(sizes[2:]) * 2
    settings = RecordingSettings(max_disk_share=0.5, max_age_days=1000)
    done = delete_old(thirty_seconds, settings, BEGIN + DAY, disk_bytes=disk)
    assert (done.segments, done.short_bytes) == (2, 0)
    assert [s.start for s in listed(thirty_seconds)] == [at(10), at(15), at(20), at(25)]


def test_nothing_is_deleted_when_the_holds_cannot_be_read(thirty_seconds):
    (thirty_seconds / "holds.json").write_text("{")
    with pytest.raises(ValueError, match="JSON"):
        delete_old(thirty_seconds, RecordingSettings(max_age_days=1), BEGIN + 30 * DAY)
    assert len(listed(thirty_seconds)) == 6


def test_verification_finds_a_changed_byte_and_a_cut_file(thirty_seconds):
    first, second, *rest = listed(thirty_seconds)
    file = thirty_seconds / first.path
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    (thirty_seconds / second.path).write_bytes((thirty_seconds / second.path).read_bytes()[:-1])
    assert check_segment(thirty_seconds, first) == "its content was changed after it was finished"
    assert "bytes" in check_segment(thirty_seconds, second)
    assert all(check_segment(thirty_seconds, segment) is None for segment in rest)


def test_a_cut_line_in_the_index_costs_only_itself(thirty_seconds):
    index = thirty_seconds / "gate" / "2026-03-01" / INDEX
    before = listed(thirty_seconds)
    index.write_text(index.read_text()[:-40])
    assert listed(thirty_seconds) == before[:-1]


def safecity(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "safecity", "recordings", *map(str, arguments)], capture_output=True, text=True
    )


def test_the_commands_list_hold_release_export_and_verify(tmp_path, thirty_seconds):
    where = ("--dir", thirty_seconds)
    span = ("--camera", "gate", "--from", at(1).isoformat(), "--to", at(9).isoformat())
    made = json.loads(safecity("hold", *where, *span, "--reason", "case 1", "--json").stdout)
    said = json.loads(safecity("list", *where, "--json").stdout)
    assert said["holds"] == [made]
    assert len(said["cameras"][0]["segments"]) == 6
    assert said["cameras"][0]["gaps"] == []
    assert "case 1" in safecity("release", made["hold_id"], *where).stdout
    assert safecity("release", made["hold_id"], *where).returncode == 2
    out = tmp_path / "clip.mp4"
    clip = json.loads(safecity("export", *where, *span, "--out", out, "--json").stdout)
    assert clip["seconds"] > 7
    assert out.stat().st_size > 1000
    assert json.loads(safecity("verify", *where, "--json").stdout) == {"checked": 6, "wrong": []}
    (thirty_seconds / listed(thirty_seconds)[0].path).write_bytes(b"something else")
    assert safecity("verify", *where).returncode == 1
    bad = safecity("export", *where, "--camera", "gate", "--from", "noon", "--to", "later", "--out", out)
    assert bad.returncode == 2
    assert "2026-03-01T12:00:00Z" in bad.stderr
