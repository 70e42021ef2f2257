"""Footage through the command: the same bytes whatever the way, and what becomes of broken files."""

import json

import pytest

from tests.ingest.replay.command import AT, PARTS, YARD, replay, told


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    replay(YARD, *AT, "--out", folder / "a.jsonl", "--observations", folder / "o.jsonl")
    return folder


def test_events_come_in_order_of_event_time_then_id(whole):
    events = told(whole / "a.jsonl")
    keys = [(event["occurred_at"], event["event_id"], event["revision"]) for event in events]
    assert keys == sorted(keys)
    assert {event["kind"] for event in events} == {"line_crossed", "loitering", "zone_entered"}
    assert all(event["occurred_at"].startswith("2026-03-01T12:00:0") for event in events)


def test_another_speed_and_number_of_processes_give_the_same_bytes(whole, tmp_path):
    replay(YARD, *AT, "--processes", 2, "--speed", 1, "--out", tmp_path / "b.jsonl")
    assert (tmp_path / "b.jsonl").read_bytes() == (whole / "a.jsonl").read_bytes()


def test_two_contiguous_parts_in_one_command_give_the_same_bytes_as_the_whole(whole, tmp_path):
    replay(*PARTS, *AT, "--out", tmp_path / "b.jsonl", "--observations", tmp_path / "o.jsonl")
    assert (tmp_path / "b.jsonl").read_bytes() == (whole / "a.jsonl").read_bytes()
    assert (tmp_path / "o.jsonl").read_bytes() == (whole / "o.jsonl").read_bytes()


def test_a_run_cut_in_two_differs_only_by_what_begins_anew_at_the_cut(whole, tmp_path):
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    replay(PARTS[0], *AT, "--out", first)
    replay(PARTS[1], *AT, "--start", "2026-03-01T12:00:06Z", "--out", second)
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(first.read_bytes() + second.read_bytes())
    uncut = (whole / "a.jsonl").read_text().splitlines()
    before = [line for line in uncut if json.loads(line)["occurred_at"] < "2026-03-01T12:00:06"]
    assert first.read_text().splitlines() == before
    replay("diff", whole / "a.jsonl", cut, "--json", tmp_path / "d.json", code=1)
    found = json.loads((tmp_path / "d.json").read_text())
    assert found["counts"]["same"] >= len(before)
    for event in [*found["gone"], *found["new"], *(pair["before"] for pair in found["changed"])]:
        assert event["occurred_at"] >= "2026-03-01T12:00:06"


def test_what_lasts_is_left_open_where_the_footage_ends_as_nobody_saw_its_end(whole, tmp_path):
    said = json.loads(replay(PARTS[0], *AT, "--out", tmp_path / "1.jsonl", "--json").stdout)
    newest = {event["event_id"]: event for event in told(tmp_path / "1.jsonl")}
    left = {key for key, event in newest.items() if event["phase"] != "closed"}
    assert left
    assert said["left_open"] == len(left)
    assert all(newest[key]["closed_at"] is None for key in left)
    # Nothing is told that the uncut footage would not tell.
    assert (whole / "a.jsonl").read_bytes().startswith((tmp_path / "1.jsonl").read_bytes())


def test_stretches_that_a_gap_parts_run_side_by_side_with_the_same_result(tmp_path):
    listed = tmp_path / "segments.txt"
    listed.write_text(
        f"# path and start\n{PARTS[1]} 2026-03-01T12:10:00Z\n{PARTS[0]} 2026-03-01T17:00:00+05:00\n"
    )
    words = (listed, "--camera", "yard", "--rules", AT[-1], "--json")
    one = json.loads(replay(*words, "--out", tmp_path / "a.jsonl").stdout)
    two = json.loads(replay(*words, "--out", tmp_path / "b.jsonl", "--processes", 2).stdout)
    assert (tmp_path / "a.jsonl").read_bytes() == (tmp_path / "b.jsonl").read_bytes()
    assert one["sha256"] == two["sha256"]
    (gap,) = one["gaps"]
    assert (gap["begin"], gap["end"]) == ("2026-03-01T12:00:06.000000Z", "2026-03-01T12:10:00.000000Z")
    assert {event["occurred_at"][14:16] for event in told(tmp_path / "a.jsonl")} == {"00", "10"}


def test_verify_says_how_it_ran_again_and_that_nothing_differs():
    said = json.loads(replay(PARTS[1], *AT, "--verify", "--json").stdout)["verify"]
    assert said["same"]
    assert said["first_sha256"] == said["second_sha256"]
    assert "2 processes" in said["how"]


def test_a_truncated_video_is_read_as_far_as_it_goes(whole, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(YARD.read_bytes()[:150_000])
    done = replay(broken, *AT, "--out", tmp_path / "b.jsonl", "--json", code=3)
    (file,) = json.loads(done.stdout)["files"]
    assert 0 < file["frames"] < file["frames_said"] == 100
    assert not file["complete"]
    assert file["reason"]
    kept = (tmp_path / "b.jsonl").read_text().splitlines()
    assert kept
    assert set(kept) <= set((whole / "a.jsonl").read_text().splitlines())


def test_a_corrupt_video_says_so_and_the_rest_is_kept(tmp_path):
    content = bytearray(YARD.read_bytes())
    content[60_000:90_000] = bytes(30_000)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    done = replay(broken, *AT, "--out", tmp_path / "b.jsonl", "--json", code=3)
    (file,) = json.loads(done.stdout)["files"]
    assert file["corrupt"] > 0
    assert told(tmp_path / "b.jsonl")


@pytest.mark.parametrize("content", [b"", b"no video at all" * 100])
def test_of_what_is_no_video_nothing_is_read(tmp_path, content):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    done = replay(broken, *AT, "--out", tmp_path / "b.jsonl", "--json", code=1)
    (file,) = json.loads(done.stdout)["files"]
    assert file["frames"] == 0
    assert file["reason"]
    assert (tmp_path / "b.jsonl").read_bytes() == b""


def test_after_a_file_without_a_length_the_next_has_no_time(tmp_path):
    empty = tmp_path / "empty.mp4"
    empty.write_bytes(b"")
    done = replay(PARTS[0], empty, PARTS[1], *AT, "--json", code=3)
    files = json.loads(done.stdout)["files"]
    assert [file["complete"] for file in files] == [True, False, False]
    assert "segment list" in files[2]["reason"]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (("nowhere.mp4", *AT), "no such file"),
        ((YARD, "--camera", "yard", "--rules", AT[-1]), "--start"),
        ((YARD, *AT, "--start", "2026-03-01T12:00:00"), "time zone"),
        ((YARD, *AT, "--out", "no/such/folder/a.jsonl"), "no folder"),
        ((YARD, *AT, "--out", "-", "--json"), "standard output"),
        ((), "footage"),
    ],
)
def test_wrong_input_is_said_with_exit_code_2(words, wanted):
    assert wanted in replay(*words, code=2).stderr


def test_a_mistake_in_the_rules_names_its_path_and_what_is_wanted(tmp_path):
    wrong = tmp_path / "wrong.toml"
    wrong.write_text(AT[-1].read_text().replace("dwell_seconds = 3", 'dwell_seconds = "three"'))
    said = replay(YARD, *AT[:-1], wrong, code=2).stderr
    assert "wrong.toml: rules[2].dwell_seconds: Input should be a valid number" in said
