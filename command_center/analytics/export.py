"""Events out of the store, and observations and events out of JSON lines, into Parquet."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from command_center.analytics.parquet import TableWriter
from command_center.analytics.tables import TABLES, event_row, observation_rows, zones_of
from command_center.store import queries
from command_center.store.rows import Cursor, Filter, Order
from command_center.store.store import Store
from safecity.bus import open_bus
from safecity.bus.reading import read_to_end
from safecity.cli import UsageError
from safecity.event import Event
from safecity.message import Message
from safecity.observation import Observation
from safecity.settings import Site

M = TypeVar("M", bound=Message)

PAGE = 1000
RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass
class Exported:
    """What was written."""

    events: int = 0
    observations: int = 0
    unreadable: int = 0
    """Lines that were neither."""
    files: list[Path] = field(default_factory=list)


@dataclass(frozen=True)
class Wanted:
    """What is to be exported: of event time from ``begin`` to before ``end``."""

    begin: datetime
    end: datetime
    run: str = "live"

    def holds(self, at: datetime) -> bool:
        """Whether an event time is in it."""
        return self.begin <= at < self.end


def export_events(events: Iterable[Event], site: Site, wanted: Wanted, out: Path, done: Exported) -> None:
    """Write events: the newest revision of each that ``events`` gives."""
    newest: dict[str, Event] = {}
    for event in events:
        known = newest.get(event.event_id)
        if wanted.holds(event.occurred_at) and (known is None or event.revision > known.revision):
            newest[event.event_id] = event
    zone = ZoneInfo(site.timezone)
    writer = TableWriter(out, "events", TABLES["events"], "occurred_at", wanted.run)
    writer.write(event_row(event, zone, wanted.run) for event in newest.values())
    done.files += writer.close()
    done.events += writer.rows


def export_observations(
    observations: Iterable[Observation], site: Site, wanted: Wanted, out: Path, done: Exported
) -> None:
    """Write observations, with the zones of the site file that each object stands in."""
    zone = ZoneInfo(site.timezone)
    zones = {camera.id: zones_of(camera) for camera in site.cameras}
    nowhere = zones_of(None)
    writer = TableWriter(out, "observations", TABLES["observations"], "captured_at", wanted.run)
    for observation in observations:
        if wanted.holds(observation.captured_at):
            inside = zones.get(observation.camera_id, nowhere)
            writer.write(observation_rows(observation, inside, zone, wanted.run))
    done.files += writer.close()
    done.observations += writer.rows


def stored_events(site: Site, wanted: Wanted) -> Iterator[Event]:
    """Events of the centre's store, oldest first.

    Raises:
        StoreError: it does not answer.
        UsageError: there is none.
    """
    database = site.centre.database
    file = site.in_data_dir("centre") / "store.sqlite"
    if database is None and not file.is_file():
        raise UsageError(f"there is no store at {file}; has the centre run with this site file?")
    url = database.get_secret_value() if database else f"sqlite:///{file}"
    with closing(Store(url)) as store:
        after: Cursor | None = None
        while True:
            chosen = Filter(None, None, wanted.begin, wanted.end)
            found, after = queries.page(store, chosen, Order.OLDEST, PAGE, after)
            yield from (item.event for item in found)
            if after is None:
                return


def events_in(path: Path, done: Exported) -> Iterator[Event]:
    """Events of a file of JSON lines; lines that are none are counted."""
    return _lines(path, Event.from_bytes, done)


def observations_in(path: Path, done: Exported) -> Iterator[Observation]:
    """Observations of a file of JSON lines; lines that are none are counted."""
    return _lines(path, Observation.from_bytes, done)


def observations_on_bus(site: Site, done: Exported) -> Iterator[Observation]:
    """Observations that the site's bus has now; what is none is counted.

    Raises:
        BusError: it is away.
    """
    with open_bus(site) as bus:
        for record in read_to_end(bus, "observations"):
            try:
                yield Observation.from_bytes(record.value or b"")
            except ValidationError:
                done.unreadable += 1


def _lines(path: Path, read: Callable[[bytes], M], done: Exported) -> Iterator[M]:
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.strip():
                    continue
                try:
                    yield read(line)
                except ValidationError:
                    done.unreadable += 1
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}") from None
