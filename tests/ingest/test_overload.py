"""Overload in a real worker: more cameras than fit, by priority, all in the ledger, and back again."""

import json
from itertools import pairwise

import pytest

from ingest.cost_meter import Used
from ingest.intake import Intake
from ingest.ledger import Outcome
from ingest.overload import Overload
from ingest.sampling import Sampler
from ingest.sources.base import Capture
from safecity.bus import open_bus
from safecity.camera import Camera
from safecity.settings import load_site
from safecity.status import CameraStep, Status
from tests.ingest.test_memory import write_street
from tests.system.processes import Part, parts, wait_until

STEPS = list(CameraStep)


def write_site(folder, cameras, **worker):
    document = {
        "name": "overloaded",
        "data_dir": str(folder / "data"),
        "bus": {"backend": "embedded"},
        "worker": {"processes": 1, "metrics_port": 0, "status_seconds": 1.0, **worker},
        "cameras": cameras,
    }
    site = folder / "site.json"
    site.write_text(json.dumps(document))
    return site


class Statuses:
    """The newest status of each camera, and how far down each has been."""

    def __init__(self, site):
        self._bus = open_bus(load_site(site))
        self._consumer = self._bus.consumer(["status"], group=None)
        self.newest, self.deepest, self.all = {}, {}, []

    def read(self):
        for record in self._consumer.poll(0.2):
            status = Status.from_bytes(record.value)
            self.all.append(status)
            self.newest[status.camera_id] = status
            deepest = max(STEPS.index(status.step), self.deepest.get(status.camera_id, 0))
            self.deepest[status.camera_id] = deepest
        return self

    def close(self):
        self._consumer.close()
        self._bus.close()


def test_the_lowest_priority_is_shed_and_everything_comes_back_when_the_load_ends(tmp_path):
    loop = write_street(tmp_path / "loop.mp4", seconds=6).as_uri()
    once = write_street(tmp_path / "once.mp4", seconds=40).as_uri()
    cameras = [
        {"id": "high", "source": loop, "playback": "loop", "priority": 10, "analysed_fps": 2},
        *(
            {"id": f"low-{n}", "source": loop, "playback": "loop", "priority": 1, "analysed_fps": 2}
            for n in range(2)
        ),
        # What makes the load, and ends.
        *(
            {"id": f"passing-{n}", "source": once, "priority": 5, "analysed_fps": 10, "look_at": "picture"}
            for n in range(3)
        ),
    ]
    site, summary = write_site(tmp_path, cameras, cpu_share=0.5), tmp_path / "summary.json"
    worker = Part(["worker", "--site", str(site), "--summary", str(summary)], tmp_path / "log", {})
    with parts(worker):
        worker.start()
        wait_until(lambda: (tmp_path / "data" / "bus.sqlite").exists(), 60, "the bus")
        statuses = Statuses(site)
        low = ["low-0", "low-1"]
        wait_until(lambda: statuses.read().deepest.get("low-0", 0) == len(STEPS) - 1, 60, "low to be paused")
        paused = next(s for s in statuses.all if s.step is CameraStep.PAUSED)
        assert paused.decode == "none"
        assert paused.analysed_fps == 0
        assert "overloaded" in paused.reason
        wait_until(
            lambda: {statuses.read().newest[name].step for name in ("high", *low)} == {CameraStep.FULL},
            240,
            "everything to come back",
        )
        assert statuses.newest["low-0"].reason is None
        assert statuses.newest["high"].analysed_fps == 2
        high_was_touched = [
            s for s in statuses.all if s.camera_id == "high" and s.step is not CameraStep.FULL
        ]
        for status in high_was_touched:
            same_time = [s for s in statuses.all if abs(s.reported_at - status.reported_at).seconds < 2]
            assert all(s.step is CameraStep.PAUSED for s in same_time if s.camera_id in low)
        assert "camera's step" in worker.said
        statuses.close()
        assert worker.stop() == 0
    ledgers = json.loads(summary.read_text())["ledger"]
    assert all(ledger["residue"] == ledger["in_flight"] == 0 for ledger in ledgers.values())
    assert all(ledgers[name]["shed"] > 100 for name in low)
    assert ledgers["high"]["shed"] <= min(ledgers[name]["shed"] for name in low)


def test_recordings_played_fast_are_not_shed(tmp_path):
    source = write_street(tmp_path / "street.mp4", seconds=10).as_uri()
    cameras = [{"id": f"cam-{n}", "source": source, "playback": "fast"} for n in range(3)]
    site, summary = write_site(tmp_path, cameras, cpu_share=0.05), tmp_path / "summary.json"
    worker = Part(["worker", "--site", str(site), "--summary", str(summary)], tmp_path / "log", {})
    with parts(worker):
        worker.start()
        wait_until(lambda: worker.said.count("state=ended") == 3, 120, "the recordings to end")
        assert "camera's step" not in worker.said
        assert worker.stop() == 0
    ledgers = json.loads(summary.read_text())["ledger"].values()
    assert [(ledger["received"], ledger["residue"]) for ledger in ledgers] == [(250, 0)] * 3
    # The very last frame may still have been waiting when the worker was stopped.
    assert all(ledger["shed"] <= 1 for ledger in ledgers)


def capture(seconds):
    class Picture:
        """Stands for a picture: the intake only asks whether there is one."""

    return Capture(Picture(), seconds, seconds)


@pytest.mark.parametrize("every", [2, 5])
def test_what_is_analysed_at_a_lower_rate_would_have_been_analysed_anyway(every):
    times = [1_700_000_000.013 + number / 25 for number in range(500)]
    sampler = Sampler(5.0)
    full = [seconds for seconds in times if sampler.takes(seconds)]
    intake, analysed, shed = Intake(5.0), [], 0
    for number, seconds in enumerate(times):
        intake.every = every if 100 <= number < 400 else 1
        outcome = intake.outcome(capture(seconds), seconds)
        shed += outcome is Outcome.SHED
        if outcome is None:
            analysed.append(seconds)
    assert set(analysed) <= set(full)
    assert shed == len(full) - len(analysed) > 0
    during = [seconds for seconds in analysed if times[105] <= seconds < times[400]]
    gaps = {round(later - sooner, 2) for sooner, later in pairwise(during)}
    assert gaps == {every / 5}
    assert [s for s in analysed if s >= times[400]] == [s for s in full if s >= times[400]]


def test_cameras_come_and_go_and_what_is_left_is_measured_as_before():
    def camera(camera_id, **more):
        return Camera(id=camera_id, source="rtsp://127.0.0.1/x", **more)

    overload = Overload([], 1.0, 0.0, 0.0)
    for camera_id in ("gate", "yard", "lane"):
        overload.add(camera(camera_id), 0.0)
    overload.remove("lane")
    opened = {}
    for tick in range(100):
        opened |= dict(overload.due(tick / 100))
    assert {i: setting.step for i, setting in opened.items()} == dict.fromkeys(opened, CameraStep.FULL)
    assert set(opened) == {"gate", "yard"}

    def weigh(seconds, *camera_ids):
        used = {i: Used(seconds * 0.1, seconds * 0.05, round(seconds * 5)) for i in camera_ids}
        total = seconds * 0.15 * len(camera_ids)
        return overload.weigh(seconds, total, used, away=frozenset(), lag=0.0, waited=1.0)

    for second in range(1, 21):
        assert weigh(second, "gate", "yard") == {}
    assert overload.cost("gate") == pytest.approx(0.15, rel=0.1)
    overload.remove("yard")
    assert overload.cost("yard") is None
    for second in range(21, 41):
        assert weigh(second, "gate") == {}
    assert overload.use == pytest.approx(0.15, rel=0.2)
    overload.add(camera("yard"), 41.0)
    assert [camera_id for camera_id, _ in overload.due(41.2)] == ["yard"]
