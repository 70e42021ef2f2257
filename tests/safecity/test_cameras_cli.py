"""``safecity cameras``: applied, listed, shown, moved, removed; passwords get onto the bus only on demand."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from safecity.bus import open_bus
from safecity.camera_record import CameraRecord
from safecity.cli import UsageError, app
from safecity.commands import register
from safecity.ownership import Hold, Ownership
from safecity.references import password_in
from safecity.roster import Roster, move
from safecity.settings import SettingsError, load_site
from safecity.status import CameraState, Status

register(app)
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "site.toml"
    path.write_text('timezone = "Asia/Karachi"\n[bus]\nbackend = "embedded"\n')
    return path


def cameras(folder: Path, *documents: dict, **top: object) -> str:
    path = folder / "cameras.json"
    path.write_text(json.dumps({**top, "cameras": documents}))
    return str(path)


def camera(camera_id: str, **more: object) -> dict:
    return {"id": camera_id, "source": f"rtsp://viewer:${{CAMERA_PASSWORD}}@127.0.0.1/{camera_id}", **more}


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["cameras", *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def applied(file: str, site: Path, *more: str) -> dict:
    return json.loads(run("apply", file, "--site", str(site), "--json", *more))


def roster(site: Path) -> Roster:
    with open_bus(load_site(site)) as bus:
        return Roster.read(bus)


def say(site: Path, topic: str, camera_id: str, value: bytes) -> None:
    with open_bus(load_site(site)) as bus:
        bus.ensure_topics()
        producer = bus.producer("test")
        producer.publish(topic, key=camera_id, value=value)
        producer.close()


def status(camera_id: str, cores: float) -> bytes:
    return Status(
        camera_id=camera_id,
        worker="w/0",
        reported_at=NOW,
        since=NOW,
        state=CameraState.LIVE,
        cost_cores=cores,
    ).to_bytes()


def test_applied_again_nothing_changes_and_a_change_changes_one(site, tmp_path):
    both = [camera("gate"), camera("yard")]
    assert set(applied(cameras(tmp_path, *both), site)["added"]) == {"gate", "yard"}
    again = applied(cameras(tmp_path, *both), site)
    assert (again["added"], again["changed"], again["unchanged"]) == ({}, [], ["gate", "yard"])
    partition = roster(site).entries["yard"].partition
    changed = applied(cameras(tmp_path, both[0], camera("yard", priority=9)), site)
    assert (changed["changed"], changed["unchanged"]) == (["yard"], ["gate"])
    entry = roster(site).entries["yard"]
    assert (entry.partition, entry.record.camera["priority"]) == (partition, 9)


def test_cameras_that_are_not_in_the_file_stay_unless_they_are_to_be_pruned(site, tmp_path):
    applied(cameras(tmp_path, camera("gate"), camera("yard")), site)
    assert applied(cameras(tmp_path, camera("gate")), site)["removed"] == []
    assert applied(cameras(tmp_path, camera("gate")), site, "--prune", "--dry-run")["removed"] == ["yard"]
    assert set(roster(site).entries) == {"gate", "yard"}
    assert applied(cameras(tmp_path, camera("gate")), site, "--prune")["removed"] == ["yard"]
    assert set(roster(site).entries) == {"gate"}


def test_a_new_camera_goes_where_the_cameras_cost_least(site, tmp_path):
    first = applied(cameras(tmp_path, *(camera(f"cam-{n}") for n in range(4))), site)["added"]
    assert sorted(first.values()) == [0, 1, 2, 3]
    for camera_id, partition in first.items():
        say(site, "status", camera_id, status(camera_id, 0.06 if partition == 2 else 0.2))
    everything = [camera(f"cam-{n}") for n in range(6)]
    assert applied(cameras(tmp_path, *everything), site)["added"] == {"cam-4": 2, "cam-5": 0}


def test_a_reference_stays_one_on_the_bus_and_nothing_is_shown_of_it(site, tmp_path, monkeypatch):
    monkeypatch.setenv("CAMERA_PASSWORD", "s3cret-of-the-gate")
    applied(cameras(tmp_path, camera("gate"), timezone="Asia/Karachi"), site)
    record = roster(site).entries["gate"].record
    assert record.camera["source"] == "rtsp://viewer:${CAMERA_PASSWORD}@127.0.0.1/gate"
    assert record.camera["timezone"] == "Asia/Karachi"
    for command in (["list"], ["list", "--json"], ["show", "gate"], ["show", "gate", "--json"]):
        output = run(*command, "--site", str(site))
        assert "s3cret" not in output
        assert "viewer" not in output


def test_a_password_is_refused_unless_it_is_meant(site, tmp_path):
    plain = camera("gate", source="rtsp://viewer:hunter2-plain@127.0.0.1/gate")
    with pytest.raises(UsageError, match=r"cameras\[0\]\.source: it holds a password.*\$\{NAME\}"):
        applied(cameras(tmp_path, plain), site)
    assert roster(site).entries == {}
    applied(cameras(tmp_path, plain), site, "--with-passwords")
    for command in (["list", "--json"], ["show", "gate", "--json"]):
        assert "hunter2" not in run(*command, "--site", str(site))


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("rtsp://a:b@h/x", True),
        ("rtsp://a:b${X}@h/x", True),
        ("rtsp://a:${X}@h/x", False),
        ("rtsp://${U}:${X}@h/x", False),
        ("rtsp://a@h/x", False),
        ("rtsp://h/x", False),
        ("${ALL}", False),
        ("clip.mp4", False),
        (None, False),
    ],
)
def test_which_address_holds_a_password(source, holds):
    assert password_in(source) is holds


def test_secrets_need_not_be_known_where_cameras_are_applied(site, tmp_path, monkeypatch):
    monkeypatch.delenv("CAMERA_PASSWORD", raising=False)
    applied(cameras(tmp_path, camera("gate"), {"id": "yard", "source": "${YARD_ADDRESS}"}), site)
    assert roster(site).entries["yard"].record.camera["source"] == "${YARD_ADDRESS}"


def test_a_path_becomes_an_address_that_is_the_same_everywhere(site, tmp_path):
    applied(cameras(tmp_path, {"id": "clip", "source": "clips/a.mp4"}), site)
    source = roster(site).entries["clip"].record.camera["source"]
    assert source == f"file://{tmp_path / 'clips' / 'a.mp4'}"


def test_a_wrong_camera_is_named_and_nothing_is_applied(site, tmp_path):
    wrong = camera("yard", rules=[{"kind": "zone_entered", "name": "in", "zone": "nowhere"}])
    with pytest.raises(SettingsError, match=r"cameras\[1\]\.rules\[0\]\.zone: no zone is called 'nowhere'"):
        applied(cameras(tmp_path, camera("gate"), wrong), site)
    assert roster(site).entries == {}


def test_a_file_without_a_bus_asks_for_one(tmp_path):
    with pytest.raises(UsageError, match=r"no \[bus\] in it.*--site"):
        run("apply", cameras(tmp_path, camera("gate")))


def test_moved_removed_and_unknown(site, tmp_path):
    applied(cameras(tmp_path, camera("gate"), camera("yard")), site)
    assert json.loads(run("move", "gate", "--to", "3", "--site", str(site), "--json"))["to"] == 3
    entry = roster(site).entries["gate"]
    assert (entry.partition, entry.others) == (3, ())
    with pytest.raises(UsageError, match="there are partitions 0 to 3"):
        run("move", "gate", "--to", "9", "--site", str(site))
    run("remove", "gate", "--site", str(site))
    assert set(roster(site).entries) == {"yard"}
    with pytest.raises(UsageError, match="no camera 'gate' on the bus; there are 1: yard"):
        run("show", "gate", "--site", str(site))


def test_a_move_that_was_broken_off_is_told_and_mended_by_applying_again(site, tmp_path):
    file = cameras(tmp_path, camera("gate"))
    applied(file, site)
    with open_bus(load_site(site)) as bus:
        entry = Roster.read(bus).entries["gate"]
        # The old record is there twice now, as it is in the middle of a move.
        move(bus, entry, 2)
        producer = bus.producer("test")
        producer.publish("cameras", key="gate", value=entry.record.to_bytes(), partition=1)
        producer.close()
    found = roster(site).entries["gate"]
    assert (found.partition, found.others) == (2, (1,))
    assert "broken off" in run("list", "--site", str(site))
    assert applied(file, site)["unchanged"] == ["gate"]
    assert roster(site).entries["gate"].others == ()


def test_the_list_says_who_has_what(site, tmp_path):
    applied(cameras(tmp_path, camera("gate"), camera("yard")), site)
    owner = Ownership(
        camera_id="gate", worker="north", member="m", epoch=7, hold=Hold.HOLDS, since=NOW, at=NOW
    )
    say(site, "owners", "gate", owner.to_bytes())
    say(site, "status", "gate", status("gate", 0.125))
    rows = {row["id"]: row for row in json.loads(run("list", "--site", str(site), "--json"))["cameras"]}
    assert rows["gate"]["worker"] == "north"
    assert (rows["gate"]["epoch"], rows["gate"]["state"], rows["gate"]["cost_cores"]) == (7, "live", 0.125)
    assert rows["yard"]["worker"] is None
    assert "nobody" in run("list", "--site", str(site))
    shown = json.loads(run("show", "gate", "--site", str(site), "--json"))
    assert shown["camera"]["source"] == "rtsp://***@127.0.0.1/gate"
    assert shown["status"]["worker"] == "w/0"


def test_a_record_that_cannot_be_read_hides_no_other(site, tmp_path):
    applied(cameras(tmp_path, camera("gate")), site)
    say(site, "cameras", "broken", b"no json")
    say(site, "cameras", "bad", CameraRecord(camera_id="bad", camera={}, applied_at=NOW).to_bytes())
    assert set(roster(site).entries) == {"gate", "bad"}
