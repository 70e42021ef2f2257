"""Rules over stored observations, without a pixel."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from pydantic import ValidationError

from ingest.replay.plan import BREAK_SECONDS
from safecity.bus.port import Bus
from safecity.bus.reading import read_to_end
from safecity.camera import Camera
from safecity.event import Event
from safecity.observation import Observation
from safecity.ruleset import RuleSet

BREAK = timedelta(seconds=BREAK_SECONDS)


@dataclass
class Tally:
    """What became of the observations."""

    observations: int = 0
    late: int = 0
    """Not later than the one before of the same camera: came twice, or out of order."""
    unreadable: list[str] = field(default_factory=list)
    """Where, and why; the first few."""
    unreadable_lines: int = 0
    footage_seconds: float = 0.0
    """Event time that was covered, over all cameras, without gaps."""
    first: datetime | None = None
    last: datetime | None = None
    """Event time of the earliest and of the latest observation, over all cameras."""

    def take(self, at: datetime, step: timedelta) -> None:
        """Count an observation, ``step`` after the one before of the same camera."""
        self.observations += 1
        self.footage_seconds += step.total_seconds()
        if self.first is None or at < self.first:
            self.first = at
        if self.last is None or at > self.last:
            self.last = at

    def refuse(self, where: str, error: ValidationError) -> None:
        """Count what is no observation."""
        self.unreadable_lines += 1
        if len(self.unreadable) < 5:
            first = error.errors(include_url=False, include_input=False)[0]
            path = ".".join(map(str, first["loc"]))
            self.unreadable.append(f"{where}: {path + ': ' if path else ''}{first['msg']}")


@dataclass
class _Watched:
    rules: RuleSet
    last: datetime | None = None


def what_if(
    observations: Iterable[Observation], camera_of: Callable[[str], Camera], model: str, tally: Tally
) -> Iterator[Event]:
    """The events that rules make of observations, which come in order of event time for each camera.

    The same rules give the events that the footage gives, with their ids, but for the camera's own faults and
    the names of pictures, which are nothing that observations tell.

    Args:
        observations: of any cameras.
        camera_of: the camera of an id, with the rules to run.
        model: identity of the model that observed.
        tally: counts.
    """
    cameras: dict[str, tuple[Camera, _Watched]] = {}
    for observation in observations:
        known = cameras.get(observation.camera_id)
        if known is None:
            camera = camera_of(observation.camera_id)
            known = cameras[observation.camera_id] = camera, _Watched(_rules(camera, model))
        camera, watched = known
        now = observation.captured_at
        step = now - watched.last if watched.last is not None else timedelta(0)
        if watched.last is not None and step <= timedelta(0):
            tally.late += 1
            continue
        if step > BREAK:
            watched.rules, step = _rules(camera, model), timedelta(0)
        watched.last = now
        tally.take(now, step)
        yield from watched.rules.update(observation).events


def _rules(camera: Camera, model: str) -> RuleSet:
    return RuleSet(camera.rules, camera.scene(model))


def from_file(
    path: Path, camera_id: str | None, tally: Tally, read: Callable[[int], None]
) -> Iterator[Observation]:
    """Observations of a file of JSON lines, one after the other.

    Args:
        path: of the file.
        camera_id: only its; None: of all.
        tally: told of lines that are none.
        read: told how many bytes were read.
    """
    # Lines of other cameras are passed over by their text alone; the canonical form has no blanks.
    mark = f'"camera_id":"{camera_id}"'.encode()
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            read(len(line))
            if not line.strip() or (camera_id is not None and mark not in line):
                continue
            try:
                yield Observation.from_bytes(line)
            except ValidationError as error:
                tally.refuse(f"line {number}", error)


def from_bus(bus: Bus, camera_id: str | None, tally: Tally) -> Iterator[Observation]:
    """Observations that the bus has when the reading begins.

    Raises:
        BusUnavailableError: it is away.
    """
    for record in read_to_end(bus, "observations"):
        if record.value is None or (camera_id is not None and record.key != camera_id):
            continue
        try:
            yield Observation.from_bytes(record.value)
        except ValidationError as error:
            tally.refuse(f"{record.topic}/{record.partition}/{record.offset}", error)
