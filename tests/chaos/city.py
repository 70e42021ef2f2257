"""A city with a broker, workers that share cameras, and a centre; and the hand that harms and mends it."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity import kafka_dev
from safecity.bus.port import BusError
from safecity.cli import UsageError
from safecity.free_port import free_port
from safecity.kafka_dev import Broker
from safecity.kafka_dev.broker import answers
from safecity.settings import load_site
from tests.chaos.clock import Clock, build_library
from tests.chaos.faults import AWAY, DOWN, WRONG_BY, Fault, Strike
from tests.chaos.isolation import fill_disk, mount_disk, switch_link
from tests.chaos.listener import Listener, wait_until
from tests.chaos.verdict import Verdict, free_seconds, judge, seconds_of
from tests.scripted_cameras import ScriptedCameras, scripted_cameras, write_cameras, write_worker
from tests.system.processes import City, Part, parts

CAMERAS = [f"cam-{number:02}" for number in range(12)]
WORKERS = ("one", "two")
NEVER = 600.0
RESTART_SECONDS = 120.0


@dataclass
class Death:
    """A worker was killed."""

    worker: int
    at: float
    """Seconds since 1970."""
    cameras: set[str]


@dataclass
class Hindrance:
    """The bus was away, or a worker down: seconds since 1970."""

    strike: Strike
    begin: float
    end: float = float("inf")

    def stops(self, other: int) -> bool:
        """Whether nobody could take over from worker ``other`` meanwhile."""
        return self.strike.fault in AWAY or self.strike.target != other


@dataclass
class ChaosCity:
    """All of it, running."""

    folder: Path
    broker: Broker
    cameras: ScriptedCameras
    workers: list[Part]
    clocks: list[Clock]
    """Of the workers."""
    centre: City
    listener: Listener
    dice: random.Random
    deaths: list[Death] = field(default_factory=list)
    hindrances: list[Hindrance] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _restarts: list[threading.Thread] = field(default_factory=list)
    _restarting: threading.Lock = field(default_factory=threading.Lock)

    def settled(self) -> bool:
        """Every camera has an owner, and every worker cameras."""
        held = [len(self.listener.held_by(worker)) for worker in WORKERS]
        return sum(held) == len(CAMERAS) and min(held) > 0

    def strike(self, strike: Strike) -> None:
        """Harm."""
        self.note(
            f"{strike.fault}{f' {WORKERS[strike.target]}' if 'worker' in strike.fault else ''}, "
            f"for {strike.lasts} s"
        )
        if strike.fault in AWAY | DOWN:
            self.hindrances.append(Hindrance(strike, time.time()))
        match strike.fault:
            case Fault.KILL_WORKER:
                self.deaths.append(
                    Death(strike.target, time.time(), self.listener.held_by(WORKERS[strike.target]))
                )
                self._signal(self.workers[strike.target], signal.SIGKILL)
                self.workers[strike.target].process.wait()
            case Fault.FREEZE_WORKER:
                self._signal(self.workers[strike.target], signal.SIGSTOP)
            case Fault.SET_CLOCK:
                wrong_by = self.dice.randint(*WRONG_BY) * self.dice.choice((-1, 1))
                self.note(f"by {wrong_by} s")
                self.clocks[strike.target].set_wrong_by(wrong_by)
            case Fault.KILL_CENTRE:
                self._signal(self.centre.centre, signal.SIGKILL)
                self.centre.centre.process.wait()
            case Fault.FREEZE_CENTRE:
                self._signal(self.centre.centre, signal.SIGSTOP)
            case Fault.KILL_BROKER:
                self._signal_broker(signal.SIGKILL)
            case Fault.FREEZE_BROKER:
                self._signal_broker(signal.SIGSTOP)
            case Fault.CUT_LINK:
                switch_link(up=False)
            case Fault.FILL_DISK:
                fill_disk(self._disk(strike.target))
            case Fault.REPEAT:
                with suppress(BusError):
                    self.note(f"said {self.listener.repeat(self.dice)} events again")

    def mend(self, strike: Strike) -> None:
        """Undo it."""
        match strike.fault:
            case Fault.KILL_WORKER:
                self.workers[strike.target].start()
            case Fault.FREEZE_WORKER:
                self._signal(self.workers[strike.target], signal.SIGCONT)
            case Fault.SET_CLOCK:
                self.clocks[strike.target].set_wrong_by(0)
            case Fault.KILL_CENTRE:
                self.centre.centre.start()
            case Fault.FREEZE_CENTRE:
                self._signal(self.centre.centre, signal.SIGCONT)
            case Fault.KILL_BROKER:
                # It takes its time, and more while the link is cut; the other faults do not wait for it.
                self._restarts.append(threading.Thread(target=self._restart_broker, args=(strike,)))
                self._restarts[-1].start()
                return
            case Fault.FREEZE_BROKER:
                self._signal_broker(signal.SIGCONT)
            case Fault.CUT_LINK:
                switch_link(up=True)
            case Fault.FILL_DISK:
                (self._disk(strike.target) / "filler").unlink(missing_ok=True)
        self._mended(strike)

    def recover(self) -> None:
        """Wait until the broker is back."""
        for restart in self._restarts:
            restart.join()

    def note(self, what: str) -> None:
        """Write into the run's log."""
        self.log.append(f"{time.time():.2f} {what}")

    def everything_stored(self, seconds: float) -> bool:
        """Whether, in time, all that is decided by now is in the store or refused."""
        decided = {(e["event_id"], e["revision"]) for e in self.journals()}

        def settled() -> bool:
            refused = {(e["event_id"], e["revision"]) for e in self.listener.fenced}
            return decided <= {*self.centre.stored(), *refused}

        return wait_until(settled, seconds)

    def journals(self) -> list[dict[str, Any]]:
        """Every event that a worker wrote down."""
        lines = [
            line for file in self.folder.glob("decided-*.jsonl") for line in file.read_text().splitlines()
        ]
        return [json.loads(line) for line in lines]

    def verdict(self, seed: int) -> Verdict:
        """What came of it."""
        stored = self.centre.stored()
        times: dict[str, list[float]] = {}
        for event in self._stored_events(set(stored)):
            times.setdefault(event["camera_id"], []).append(seconds_of(event))
        verdict = judge(seed, self.journals(), stored, self.listener.fenced, times)
        verdict.resumed_after = [after for death in self.deaths for after in self._resumed_after(death)]
        return verdict

    def _stored_events(self, stored: set[tuple[str, int]]) -> list[dict[str, Any]]:
        return [e for e in self.journals() if (e["event_id"], e["revision"]) in stored]

    def _resumed_after(self, death: Death) -> Iterator[float]:
        hindered = [(h.begin, h.end) for h in self.hindrances if h.stops(death.worker)]
        for camera in sorted(death.cameras):
            later = [t for t in self.listener.seen[camera] if t > death.at + 0.6]
            yield free_seconds(death.at, min(later, default=death.at + NEVER), hindered)

    def _disk(self, worker: int) -> Path:
        return self.folder / WORKERS[worker] / "data"

    def _mended(self, strike: Strike) -> None:
        for hindrance in self.hindrances:
            if hindrance.strike is strike:
                hindrance.end = time.time()
        self.note(f"mended: {strike.fault}")

    def _restart_broker(self, strike: Strike) -> None:
        with self._restarting:
            # One that is killed is gone before its sockets are.
            wait_until(lambda: not (kafka_dev.is_running(self.broker) or answers(self.broker.port)), 60)
            try:
                self.broker = kafka_dev.start(self.broker.port, self.broker.data, seconds=RESTART_SECONDS)
            except (kafka_dev.BrokerError, UsageError) as error:
                self.note(f"the broker is not back: {error}")  # killed again; the next one starts it
            self._mended(strike)

    def _signal_broker(self, number: int) -> None:
        running = kafka_dev.running_broker(self.broker.data)
        if running is not None:
            with suppress(ProcessLookupError):
                os.kill(running.pid, number)

    @staticmethod
    def _signal(part: Part, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(part.process.pid, number)


@contextmanager
def chaos_city(folder: Path, seed: int) -> Iterator[ChaosCity]:
    """A city in ``folder``, settled; everything ends with it."""
    with ExitStack() as stack:
        broker = kafka_dev.start(0, folder / "kafka")
        stack.callback(_end_broker, folder / "kafka")
        bus = {"backend": "kafka", "bootstrap_servers": [broker.address]}
        for name in WORKERS:
            mount_disk(folder / name / "data")
            stack.callback(subprocess.run, ["umount", str(folder / name / "data")], check=False)
        sites = [write_worker(folder, name, bus) for name in WORKERS]
        library = build_library(folder)
        clocks = [Clock(library, folder / f"{name}.clock") for name in WORKERS]
        workers = [
            Part(
                ["worker", "--site", str(site), "--journal", str(folder / f"decided-{name}.jsonl")],
                folder / f"{name}.log",
                clock.environment,
            )
            for name, site, clock in zip(WORKERS, sites, clocks, strict=True)
        ]
        centre = _centre(folder, bus)
        cameras = stack.enter_context(scripted_cameras())
        stack.enter_context(parts(*workers, centre.centre))
        listener = Listener(load_site(sites[0]))
        stack.callback(listener.close)
        file = write_cameras(folder / "cameras.json", [cameras.camera(camera) for camera in CAMERAS])
        subprocess.run(
            [sys.executable, "-m", "safecity", "cameras", "apply", str(file), "--site", str(sites[0])],
            check=True,
            capture_output=True,
        )
        city = ChaosCity(folder, broker, cameras, workers, clocks, centre, listener, random.Random(seed))
        stack.callback(city.recover)
        stack.callback(switch_link, up=True)
        for part in (*workers, centre.centre):
            part.start()
        assert wait_until(city.settled, 60), "the workers did not share the cameras"
        assert wait_until(centre.ready, 60), "the centre did not get ready"
        yield city


def _centre(folder: Path, bus: dict[str, Any]) -> City:
    port = free_port()
    site = folder / "centre.json"
    site.write_text(
        json.dumps(
            {"name": "chaos", "data_dir": str(folder / "centre"), "bus": bus, "centre": {"port": port}}
        )
    )
    centre = Part(["command-center", "--site", str(site)], folder / "centre.log", {})
    return City(folder, port, site, centre, centre)


def _end_broker(data: Path) -> None:
    if (running := kafka_dev.running_broker(data)) is not None:
        with suppress(ProcessLookupError):
            os.kill(running.pid, signal.SIGCONT)
        kafka_dev.stop(running, seconds=10.0)
    shutil.rmtree(data, ignore_errors=True)
