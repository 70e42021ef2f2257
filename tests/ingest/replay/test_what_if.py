"""Rules over stored observations, and runs compared, through the command."""

import json

import pytest

from tests.ingest.replay.command import AT, RULES, YARD, replay, told


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    replay(
        *(YARD, *AT, "--out", folder / "a.jsonl"),
        *("--observations", folder / "o.jsonl", "--snapshots", folder / "pictures"),
    )
    return folder


@pytest.fixture(scope="module")
def other_rules(run):
    other = run / "other.toml"
    other.write_text(RULES.read_text().replace("dwell_seconds = 3", "dwell_seconds = 4"))
    replay("--observations", run / "o.jsonl", "--rules", other, "--out", run / "b.jsonl")
    return run / "b.jsonl"


def test_the_same_rules_over_the_observations_give_the_same_events(run, tmp_path):
    replay("--observations", run / "o.jsonl", "--rules", RULES, "--out", tmp_path / "w.jsonl")
    without_pictures = [{**event, "snapshot": None} for event in told(run / "a.jsonl")]
    assert told(tmp_path / "w.jsonl") == without_pictures
    assert replay("diff", run / "a.jsonl", tmp_path / "w.jsonl").stdout.endswith(
        f"{len(without_pictures)} same, 0 changed, 0 gone, 0 new\n"
    )


def test_another_rule_changes_only_its_own_events(run, other_rules, tmp_path):
    replay("diff", run / "a.jsonl", other_rules, "--json", tmp_path / "d.json", code=1)
    found = json.loads((tmp_path / "d.json").read_text())
    touched = [*found["gone"], *found["new"], *(pair["before"] for pair in found["changed"])]
    assert {event["rule"] for event in touched} == {"junction-loitering"}
    assert found["counts"]["same"] == sum(e["rule"] != "junction-loitering" for e in told(run / "a.jsonl"))
    assert all(pair["changes"]["attributes"][1]["dwell_seconds"] >= 4 for pair in found["changed"])


def test_the_page_has_its_pictures_in_it_and_asks_for_nothing(run, other_rules, tmp_path):
    page = tmp_path / "d.html"
    replay("diff", run / "a.jsonl", other_rules, "--snapshots", run / "pictures", "--html", page, code=1)
    content = page.read_text()
    assert "data:image/jpeg;base64,/9j/" in content
    assert "http://" not in content
    assert "https://" not in content
    assert "<script" not in content


def test_a_camera_is_chosen_and_a_line_that_is_none_is_said(run, tmp_path):
    mixed = tmp_path / "mixed.jsonl"
    lines = (run / "o.jsonl").read_text().splitlines()
    others = [line.replace('"camera_id":"yard"', '"camera_id":"gate"') for line in lines]
    mixed.write_text("\n".join([*lines, "{broken", *others]) + "\n")
    words = ("--observations", mixed, "--rules", RULES, "--json")
    both = json.loads(replay(*words, code=3).stdout)
    assert both["observations"] == 2 * len(lines)
    assert both["unreadable"] == 1
    assert f"line {len(lines) + 1}" in both["reasons"][0]
    one = json.loads(replay(*words, "--camera", "yard").stdout)
    assert one["observations"] == len(lines)


def test_observations_that_came_twice_count_once(run, tmp_path):
    twice = tmp_path / "twice.jsonl"
    lines = (run / "o.jsonl").read_text().splitlines(keepends=True)
    twice.write_text("".join(line * 2 for line in lines))
    said = json.loads(replay("--observations", twice, "--rules", RULES, "--json").stdout)
    assert (said["observations"], said["late"]) == (len(lines), len(lines))


def test_what_is_no_event_file_is_refused(run):
    assert "line 1: no event" in replay("diff", run / "o.jsonl", run / "a.jsonl", code=2).stderr
