"""Workers that share 40 cameras over a real Kafka: they join, leave, freeze and are killed; cameras change.

One run, on record from beginning to end; the tests look at different parts of the record.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from command_center.fence import successor
from safecity.bus import open_bus
from safecity.event import Event, Trace
from safecity.observation import Observation
from safecity.ownership import OVERLAP, Hold, Ownership
from safecity.settings import load_site
from safecity.status import CameraState, Status
from tests.scripted_cameras import (
    ENTERED,
    ZONE,
    ScriptedCameras,
    scripted_cameras,
    write_cameras,
    write_worker,
)
from tests.system.processes import Part, parts, wait_until

# The run is one fixture, and takes minutes where other work goes on.
pytestmark = [pytest.mark.kafka, pytest.mark.timeout(900)]

CAMERAS = [f"cam-{number:02}" for number in range(40)]
MATCH_SECONDS = 1.9
"""Crossings are four seconds apart: an event belongs to the one that is nearer than this."""


@dataclass
class Heard:
    """Everything that was said on the bus."""

    events: list[tuple[Event, Trace]] = field(default_factory=list)
    observations: dict[str, list[Observation]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[str, list[Ownership]] = field(default_factory=lambda: defaultdict(list))
    statuses: dict[str, list[Status]] = field(default_factory=lambda: defaultdict(list))
    marks: dict[str, float] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    """Output of commands, by name."""

    def take(self, record) -> None:
        if record.value is None:
            return
        if record.topic == "events":
            trace = Trace.from_bytes(record.header("safecity-trace"))
            self.events.append((Event.from_bytes(record.value), trace))
        elif record.topic == "observations":
            self.observations[record.key].append(Observation.from_bytes(record.value))
        elif record.topic == "owners":
            self.owners[record.key].append(Ownership.from_bytes(record.value))
        else:
            self.statuses[record.key].append(Status.from_bytes(record.value))

    def mark(self, name: str) -> None:
        self.marks[name] = time.time()

    def owner(self, camera_id: str) -> Ownership | None:
        """Its newest."""
        said = self.owners.get(camera_id)
        return max(said, key=lambda o: (o.epoch, o.at)) if said else None

    def held_by(self, worker: str) -> set[str]:
        newest = {camera_id: self.owner(camera_id) for camera_id in CAMERAS}
        return {i for i, o in newest.items() if o and o.worker == worker and o.hold is Hold.HOLDS}

    def holders(self, when: float) -> dict[str, str]:
        """The worker of each camera at a time."""
        found = {}
        for camera_id, said in self.owners.items():
            claims = [o for o in said if o.hold is Hold.HOLDS and o.since.timestamp() <= when]
            if claims:
                found[camera_id] = max(claims, key=lambda o: o.epoch).worker
        return found


@dataclass
class Run:
    """The workers of one test run."""

    folder: Path
    cameras: ScriptedCameras
    heard: Heard
    workers: dict[str, Part]
    sites: dict[str, Path]

    def command(self, *arguments: str, name: str = "") -> str:
        site = str(self.sites["one"])
        done = subprocess.run(
            [sys.executable, "-m", "safecity", "cameras", *arguments, "--site", site],
            capture_output=True,
            text=True,
            check=True,
        )
        self.heard.said[name] = done.stdout
        return done.stdout

    def apply(self, name: str, **changes: dict) -> str:
        configured = [self.cameras.camera(i, **changes.get(i, {})) for i in CAMERAS]
        file = write_cameras(self.folder / f"{name}.json", configured)
        return self.command("apply", str(file), "--json", name=name)

    def settled(self, *workers: str) -> bool:
        held = [len(self.heard.held_by(worker)) for worker in workers]
        return sum(held) == len(CAMERAS) and min(held) > 0

    def play(self) -> None:
        self.apply("first")
        self.workers["one"].start()
        self.workers["two"].start()
        wait_until(lambda: self.settled("one", "two"), 150, "two workers to share the cameras")
        time.sleep(4)
        self.heard.mark("two")
        time.sleep(4)
        self.workers["three"].start()
        wait_until(lambda: self.settled("one", "two", "three"), 150, "the third to take its share")
        time.sleep(4)
        self.heard.mark("three")
        assert self.workers["one"].stop() == 0, self.workers["one"].said
        self.heard.mark("one stopped")
        wait_until(lambda: self.settled("two", "three"), 60, "the others to have the first one's cameras")
        time.sleep(2)
        self.freeze()
        self.heard.mark("killing")
        os.killpg(self.workers["two"].process.pid, signal.SIGKILL)
        wait_until(lambda: self.settled("three"), 40, "the last to have all cameras")
        self.heard.mark("resumed")
        time.sleep(3)
        self.change()
        self.command("list", "--json", name="list")
        assert self.workers["three"].stop() == 0, self.workers["three"].said

    def freeze(self) -> None:
        """One sleeps until its cameras are another's, and wakes up in the belief that they are its own."""
        self.heard.mark("freezing")
        os.killpg(self.workers["two"].process.pid, signal.SIGSTOP)
        wait_until(lambda: self.settled("three"), 40, "the other to have the frozen one's cameras")
        time.sleep(3)
        self.heard.mark("waking")
        os.killpg(self.workers["two"].process.pid, signal.SIGCONT)
        wait_until(lambda: self.settled("two", "three"), 60, "it to have its share again")
        time.sleep(4)

    def change(self) -> None:
        self.heard.mark("changing")
        self.apply(
            "changed", **{CAMERAS[0]: {"zones": [ZONE], "rules": [ENTERED]}, CAMERAS[1]: {"priority": 9}}
        )
        wait_until(lambda: any(e.kind == "zone_entered" for e, _ in self.heard.events), 30, "the new rule")
        self.command("remove", CAMERAS[2], name="remove")
        wait_until(
            lambda: self.heard.statuses[CAMERAS[2]][-1].state is CameraState.STOPPED, 30, "it to be closed"
        )
        self.heard.mark("removed")
        to = (json.loads(self.heard.said["first"])["added"][CAMERAS[3]] + 1) % 12
        self.command("move", CAMERAS[3], "--to", str(to), "--json", name="move")
        time.sleep(3)
        self.heard.mark("end")


@pytest.fixture(scope="module")
def run(kafka_broker, tmp_path_factory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("shared")
    bus = {
        "backend": "kafka",
        "bootstrap_servers": [kafka_broker.address],
        "topic_prefix": f"t{uuid.uuid4().hex[:8]}.",
    }
    names = ("one", "two", "three")
    sites = {name: write_worker(folder, name, bus) for name in names}
    workers = {n: Part(["worker", "--site", str(sites[n])], folder / f"{n}.log", {}) for n in names}
    heard, ended = Heard(), threading.Event()

    def listen() -> None:
        with open_bus(load_site(sites["one"])) as opened:
            opened.ensure_topics()
            consumer = opened.consumer(["events", "observations", "owners", "status"], group=None)
            while not ended.is_set():
                for record in consumer.poll(0.2):
                    heard.take(record)
            consumer.close()

    listener = threading.Thread(target=listen)
    with scripted_cameras() as cameras, parts(*workers.values()):
        played = Run(folder, cameras, heard, workers, sites)
        listener.start()
        try:
            played.play()
            time.sleep(1)
        finally:
            ended.set()
            listener.join(10)
        yield played


def moved(run: Run, before: str, after: str) -> set[str]:
    earlier, later = (run.heard.holders(run.heard.marks[mark]) for mark in (before, after))
    return {camera_id for camera_id in CAMERAS if earlier[camera_id] != later[camera_id]}


def series(run: Run, camera_id: str, since: float, until: float) -> list[int]:
    """Numbers of the analysed frames, in the order in which they were told."""
    return [
        o.frame_index for o in run.heard.observations[camera_id] if since <= o.captured_at.timestamp() < until
    ]


def test_new_cameras_are_spread_over_the_partitions(run):
    added = json.loads(run.heard.said["first"])["added"]
    counts = [list(added.values()).count(number) for number in range(12)]
    assert sorted(set(counts)) == [3, 4]


def test_a_third_worker_takes_about_a_third_of_the_cameras(run):
    assert len(CAMERAS) // 3 - 5 <= len(moved(run, "two", "three")) <= len(CAMERAS) // 3 + 5
    assert set(run.heard.holders(run.heard.marks["three"]).values()) == {"one", "two", "three"}
    to = {run.heard.holders(run.heard.marks["three"])[i] for i in moved(run, "two", "three")}
    assert to == {"three"}, "none goes from one of the old ones to the other"


def test_no_other_camera_misses_a_frame_when_a_worker_joins(run):
    begin, end = run.heard.marks["two"], run.heard.marks["three"]
    stayed = set(CAMERAS) - moved(run, "two", "three")
    assert len(stayed) > 20
    for camera_id in stayed:
        numbers = series(run, camera_id, begin, end)
        assert len(numbers) > 10
        assert numbers == sorted(set(numbers)), "it was never opened anew"
        said = [s for s in run.heard.statuses[camera_id] if begin < s.reported_at.timestamp() < end]
        assert len({(status.worker, status.epoch) for status in said}) == 1
        # What a slow machine overtakes is in the ledger, and nothing else is missing.
        later = [s for s in run.heard.statuses[camera_id] if s.epoch == said[0].epoch]
        ledger = next((s for s in later if s.reported_at.timestamp() > end), later[-1]).ledger
        lost = ledger.received - ledger.analysed - ledger.in_flight
        assert numbers[-1] - numbers[0] + 1 - len(numbers) <= lost


def is_overtaken(run: Run, camera_id: str) -> bool:
    """Whether the machine was too slow for some of its frames, as the ledger says: they may hold anything."""
    return any(status.ledger.overwritten for status in run.heard.statuses[camera_id])


def believed(run: Run) -> list[tuple[Event, Trace]]:
    """What a centre stores of it."""
    takeovers = {
        camera_id: {o.epoch: o.since for o in said if o.hold is Hold.HOLDS}
        for camera_id, said in run.heard.owners.items()
    }
    return [(e, t) for e, t in run.heard.events if successor(takeovers, e.camera_id, t) is None]


def crossings_told(run: Run, camera_id: str, since: float, until: float) -> dict[float, list[Trace]]:
    """The events of each crossing that happened."""
    happened = run.cameras.crossings(camera_id, since, until)
    told = {when: [] for when in happened}
    for event, trace in believed(run):
        at = event.occurred_at.timestamp()
        if event.camera_id != camera_id or event.kind != "line_crossed":
            continue
        if since + MATCH_SECONDS < at < until - MATCH_SECONDS:
            nearest = min(happened, key=lambda when: abs(when - at))
            in_time = abs(nearest - at) < MATCH_SECONDS
            assert in_time or is_overtaken(run, camera_id), "an event of which nothing was to be seen"
            told[nearest].append(trace)
    return {
        w: traces for w, traces in told.items() if since + 2 * MATCH_SECONDS < w < until - 2 * MATCH_SECONDS
    }


def around(run: Run, camera_id: str, when: float) -> str:
    """What was said of a camera about a moment, to see what went wrong."""
    lines = [f"{camera_id}, crossing at 0.00"]
    for said in run.heard.owners[camera_id]:
        since = said.since.timestamp() - when
        at = said.at.timestamp() - when
        lines.append(f"{at:8.2f} {said.worker} {said.hold.value} epoch {said.epoch} since {since:.2f}")
    for seen in run.heard.observations[camera_id]:
        at = seen.captured_at.timestamp() - when
        tracks = [(t.track_id, round((t.box[0] + t.box[2]) / 2, 2)) for t in seen.tracks]
        if abs(at) < 6:
            lines.append(f"{at:8.2f} frame {seen.frame_index} {tracks}")
    for event, trace in run.heard.events:
        at = trace.captured_at.timestamp() - when
        if event.camera_id == camera_id and abs(at) < 6:
            lines.append(f"{at:8.2f} {event.kind} by {trace.worker} epoch {trace.epoch}")
    return "\n".join(lines)


def check_told(run: Run, camera_id: str, since: float, until: float) -> int:
    """Each crossing is told, and once but for the moment in which both owners decide; how many there were.

    Strict as long as the machine keeps up with the cameras.
    """
    hand_overs = [o.since.timestamp() for o in run.heard.owners[camera_id] if o.hold is Hold.HOLDS]
    crossings = crossings_told(run, camera_id, since, until)
    for when, traces in crossings.items():
        assert traces or is_overtaken(run, camera_id), around(run, camera_id, when)
        near = any(abs(when - at) < 2 * OVERLAP.total_seconds() for at in hand_overs)
        assert len(traces) <= 1 or near or is_overtaken(run, camera_id), around(run, camera_id, when)
    return len(crossings)


def test_nothing_of_an_event_is_missed_or_told_twice_while_one_joins_and_one_leaves(run):
    begin, end = run.heard.marks["two"], run.heard.marks["freezing"]
    assert sum(check_told(run, camera_id, begin, end) for camera_id in CAMERAS) > 40 * 4
    assert len(moved(run, "three", "freezing")) > 8, "the one that left had cameras"


def test_a_worker_that_wakes_up_is_believed_only_about_what_it_alone_has_seen(run):
    freezing, waking, end = (run.heard.marks[mark] for mark in ("freezing", "waking", "killing"))
    taken = moved(run, "freezing", "waking")
    assert len(taken) > 8
    for camera_id in taken:
        resumed = max(o.since.timestamp() for o in run.heard.owners[camera_id] if o.at.timestamp() < waking)
        assert resumed - freezing < 15
        check_told(run, camera_id, resumed, end)
    assert set(run.heard.holders(end).values()) == {"two", "three"}


def test_cameras_of_a_killed_worker_are_resumed_within_15_seconds(run):
    killed, resumed = run.heard.marks["killing"], []
    for camera_id in moved(run, "killing", "resumed"):
        times = sorted(o.captured_at.timestamp() for o in run.heard.observations[camera_id])
        resumed.append(next(t for t in times if t > killed + 1) - killed)
    assert len(resumed) > 8
    resumed.sort()
    print(f"resumed after {resumed[0]:.1f} to {resumed[-1]:.1f} s")
    assert resumed[-1] < 15
    stayed = set(CAMERAS) - moved(run, "killing", "resumed")
    for camera_id in stayed:
        check_told(run, camera_id, killed, run.heard.marks["changing"])


def test_each_take_over_has_a_higher_epoch_and_events_carry_it(run):
    for camera_id in CAMERAS:
        claims = [o for o in run.heard.owners[camera_id] if o.hold is Hold.HOLDS]
        epochs = list(dict.fromkeys(o.epoch for o in claims))  # a word may be said again
        assert epochs == sorted(epochs)
        known = {(o.epoch, o.worker) for o in claims}
        traced = {(t.epoch, t.worker.split("/")[0]) for e, t in run.heard.events if e.camera_id == camera_id}
        assert traced <= known


def test_a_new_rule_is_applied_to_its_camera_alone_and_without_opening_it_anew(run):
    changing, end = run.heard.marks["changing"], run.heard.marks["removed"]
    assert json.loads(run.heard.said["changed"])["changed"] == CAMERAS[:2]
    numbers = series(run, CAMERAS[0], changing - 2, end)
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 4
    entered = [e for e, _ in run.heard.events if e.kind == "zone_entered"]
    assert {e.camera_id for e in entered} == {CAMERAS[0]}
    first = min(e.occurred_at for e in entered)
    crossed = [e for e, _ in run.heard.events if e.camera_id == CAMERAS[0] and e.kind == "line_crossed"]
    assert max(e.occurred_at for e in crossed) < first, "the rule that was taken out decides nothing any more"
    opened_anew = series(run, CAMERAS[1], changing - 2, end)
    assert opened_anew != sorted(set(opened_anew)), "another priority is another place in the worker"
    for camera_id in CAMERAS[4:]:
        numbers = series(run, camera_id, changing - 2, end)
        assert numbers == sorted(set(numbers))


def test_a_removed_camera_is_closed_and_a_moved_one_is_not_touched_when_its_worker_stays(run):
    removed, end = run.heard.marks["removed"], run.heard.marks["end"]
    assert series(run, CAMERAS[2], removed + 1, end + 10) == []
    numbers = series(run, CAMERAS[3], removed - 2, end)
    assert numbers == sorted(set(numbers))
    assert len(numbers) > 4
    listed = {row["id"]: row for row in json.loads(run.heard.said["list"])["cameras"]}
    assert sorted(listed) == sorted(set(CAMERAS) - {CAMERAS[2]})
    move = json.loads(run.heard.said["move"])
    assert listed[CAMERAS[3]]["partition"] == move["to"] != move["from"]
    assert all(row["worker"] == "three" and row["cost_cores"] > 0 for row in listed.values())
