"""Where a run goes: files, a folder of pictures, the bus, a centre."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from ingest.replay.output import STDOUT, EventFile
from ingest.replay.sending import BusSink, open_centre
from ingest.replay.session import ObservationFile, Sink, SnapshotFolder
from safecity.cli import UsageError
from safecity.settings import Site


@dataclass(frozen=True)
class Destinations:
    """What the user asked for."""

    events: Path | None = None
    observations: Path | None = None
    snapshots: Path | None = None
    bus: Site | None = None
    """The site whose bus it goes to."""
    centre: str | None = None
    """URL or site file."""
    run: str = ""
    """The name that bus and centre know it by."""

    @property
    def wants_pictures(self) -> bool:
        """Whether any of them takes the events' pictures."""
        return self.snapshots is not None or self.bus is not None or self.centre is not None

    def check(self) -> None:
        """Find out before the work, not after it, that a folder is missing.

        Raises:
            UsageError: it is.
        """
        for path in (self.events, self.observations):
            if path is not None and path != STDOUT and not path.absolute().parent.is_dir():
                raise UsageError(f"{path}: there is no folder {path.absolute().parent}; make it first")

    @contextmanager
    def opened(self) -> Iterator[tuple[EventFile, list[Sink]]]:
        """The event file, and the others; on leaving, all of it is where it belongs.

        Raises:
            SendError: bus or centre did not take it.
            OSError: a file cannot be written.
        """
        with ExitStack() as stack:
            sinks: list[Sink] = []
            if self.bus is not None:
                sinks.append(stack.enter_context(BusSink(self.bus, self.run)))
            if self.centre is not None:
                sinks.append(stack.enter_context(open_centre(self.centre, self.run)))
            if self.observations is not None:
                sinks.append(stack.enter_context(ObservationFile(self.observations)))
            if self.snapshots is not None:
                sinks.append(SnapshotFolder(self.snapshots))
            yield stack.enter_context(EventFile(self.events)), sinks
