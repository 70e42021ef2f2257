"""The cameras on the bus: read, applied, removed, moved. Secrets stay references all the way."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self, TypeVar

from pydantic import ValidationError

from safecity.bus.port import Bus, BusUnavailableError, Consumer, Producer, Record
from safecity.camera_record import MOVED_HEADER, CameraRecord
from safecity.message import Message
from safecity.ownership import Ownership
from safecity.placing import place
from safecity.status import Status

TOPIC = "cameras"
READ_SECONDS = 30.0
FLUSH_SECONDS = 30.0

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Entry:
    """A camera on the bus."""

    record: CameraRecord
    partition: int
    others: tuple[int, ...] = ()
    """Partitions that hold an older record of it: a move was broken off."""


@dataclass(frozen=True)
class Roster:
    """What is on the bus about cameras."""

    entries: Mapping[str, Entry]
    partitions: Sequence[int]
    statuses: Mapping[str, Status]
    owners: Mapping[str, Ownership]

    @classmethod
    def read(cls, bus: Bus) -> Self:
        """Read it all.

        Raises:
            BusUnavailableError: the bus is away.
        """
        bus.ensure_topics()
        consumer = bus.consumer([TOPIC, "status", "owners"], group=None)
        try:
            newest = {
                (r.topic, r.partition if r.topic == TOPIC else -1, r.key or ""): r
                for r in _read_to_end(consumer)
            }
            partitions = [s.partition for s in consumer.assignment() if s.topic == TOPIC]
        finally:
            consumer.close()
        found = [record for record in newest.values() if record.value is not None]
        return cls(_entries(found), partitions, _messages(found, Status), _messages(found, Ownership))

    def costs(self) -> dict[str, float]:
        """Cores by camera, as far as they were measured."""
        measured = {camera_id: status.cost_cores for camera_id, status in self.statuses.items()}
        return {camera_id: cores for camera_id, cores in measured.items() if cores is not None}


@dataclass(frozen=True)
class Applied:
    """What became of the cameras of a file, by id."""

    added: Mapping[str, int]
    """With the partition that each was put into."""
    changed: tuple[str, ...]
    unchanged: tuple[str, ...]
    removed: tuple[str, ...]


def apply(
    bus: Bus, roster: Roster, cameras: Mapping[str, dict[str, Any]], *, prune: bool, dry_run: bool = False
) -> Applied:
    """Put cameras on the bus: new ones where the cameras cost least, known ones where they are.

    Args:
        bus: where to.
        roster: what is there.
        cameras: configurations by id, as under ``[[cameras]]``.
        prune: remove what is there and not in ``cameras``.
        dry_run: only say what would be done.

    Raises:
        BusError: not everything was taken; apply again.
    """
    now = datetime.now(UTC)
    records = {
        camera_id: CameraRecord(camera_id=camera_id, camera=camera, applied_at=now)
        for camera_id, camera in cameras.items()
    }
    known = {camera_id: entry.partition for camera_id, entry in roster.entries.items()}
    added = place([i for i in records if i not in known], known, roster.costs(), roster.partitions)
    changed = [
        i for i, record in records.items() if i in known and not _same(record, roster.entries[i].record)
    ]
    removed = [i for i in known if i not in records] if prune else []
    done = Applied(
        added, tuple(changed), tuple(i for i in records if i in known and i not in changed), tuple(removed)
    )
    if dry_run:
        return done
    with _publishing(bus) as publisher:
        for camera_id in (*added, *changed):
            publisher.put(records[camera_id], added.get(camera_id, known.get(camera_id, 0)))
        for camera_id in removed:
            publisher.remove(roster.entries[camera_id])
        for camera_id in records:
            if camera_id in known:
                publisher.tidy(roster.entries[camera_id])
    return done


def remove(bus: Bus, entry: Entry) -> None:
    """Take a camera off the bus: its worker closes it.

    Raises:
        BusError: it was not taken.
    """
    with _publishing(bus) as publisher:
        publisher.remove(entry)


def move(bus: Bus, entry: Entry, to: int) -> None:
    """Put a camera into another partition. Its worker keeps it until that partition's has it.

    Raises:
        BusError: it was not taken, or only half; move it again.
    """
    record = entry.record.model_copy(update={"applied_at": datetime.now(UTC)})
    with _publishing(bus) as publisher:
        # First the new record: broken off in between, a camera is there twice, not gone.
        publisher.put(record, to, moved_from=entry.partition)
        for partition in {entry.partition, *entry.others} - {to}:
            publisher.bury(record.camera_id, partition, moved_to=to)


class _Publisher:
    def __init__(self, producer: Producer) -> None:
        self._producer = producer

    def put(self, record: CameraRecord, partition: int, moved_from: int | None = None) -> None:
        self._publish(record.camera_id, record.to_bytes(), partition, moved_from)
        if moved_from is not None:
            self._producer.flush(FLUSH_SECONDS)

    def bury(self, camera_id: str, partition: int, moved_to: int | None = None) -> None:
        self._publish(camera_id, None, partition, moved_to)

    def remove(self, entry: Entry) -> None:
        for partition in (*entry.others, entry.partition):
            self.bury(entry.record.camera_id, partition)

    def tidy(self, entry: Entry) -> None:
        """Bury what a move that was broken off has left."""
        for partition in entry.others:
            self.bury(entry.record.camera_id, partition, moved_to=entry.partition)

    def _publish(self, camera_id: str, value: bytes | None, partition: int, moved: int | None) -> None:
        headers = () if moved is None else ((MOVED_HEADER, str(moved).encode()),)
        self._producer.publish(TOPIC, key=camera_id, value=value, headers=headers, partition=partition)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self._producer.flush(FLUSH_SECONDS)
        finally:
            self._producer.close(1.0)


def _publishing(bus: Bus) -> _Publisher:
    return _Publisher(bus.producer("safecity-cameras"))


def _read_to_end(consumer: Consumer) -> list[Record]:
    records: list[Record] = []
    deadline = time.monotonic() + READ_SECONDS
    while True:
        records += consumer.poll(0.2, max_records=5000)
        lag = consumer.lag()
        if lag and not any(lag.values()):
            return records
        if time.monotonic() > deadline:
            raise BusUnavailableError(f"the cameras on the bus could not be read within {READ_SECONDS:g} s")


def _entries(records: Sequence[Record]) -> dict[str, Entry]:
    places: dict[str, list[tuple[CameraRecord, int]]] = {}
    for record in records:
        if record.topic == TOPIC and record.value is not None:
            try:
                read = CameraRecord.from_bytes(record.value)
            except ValidationError:
                continue  # its worker says so
            places.setdefault(read.camera_id, []).append((read, record.partition))
    entries = {}
    for camera_id, found in sorted(places.items()):
        found.sort(key=lambda item: item[0].applied_at)
        *older, (newest, partition) = found
        entries[camera_id] = Entry(newest, partition, tuple(number for _, number in older))
    return entries


def _messages(records: Sequence[Record], kind: type[M]) -> dict[str, M]:
    topic = "status" if kind is Status else "owners"
    found = {}
    for record in records:
        if record.topic == topic and record.value is not None:
            try:
                found[record.key or ""] = kind.from_bytes(record.value)
            except ValidationError:
                continue
    return found


def _same(one: CameraRecord, other: CameraRecord) -> bool:
    return bool(one.model_dump(mode="json")["camera"] == other.model_dump(mode="json")["camera"])
