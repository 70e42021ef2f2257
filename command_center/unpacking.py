"""What a record of the bus says: into a batch for the store, or into the folder of pictures."""

import re
from typing import TypeVar

from pydantic import ValidationError

from command_center.media import MediaNameError, MediaStore
from command_center.metrics import CentreMetrics
from command_center.perseverance import Perseverance
from command_center.store.rows import Batch
from safecity.bus.port import Record
from safecity.cloudevents import RUN_HEADER, TRACE_HEADER
from safecity.event import Event, Trace
from safecity.message import NAME_PATTERN
from safecity.redaction import redact
from safecity.status import Status

M = TypeVar("M", Event, Trace, Status)


class UnreadableError(Exception):
    """A message that cannot be used, now or later; the message says why."""


class Unpacker:
    """Reads records.

    Args:
        media: takes pictures.
        metrics: told of each picture.
        disk: tries until pictures are on it.
    """

    def __init__(self, media: MediaStore, metrics: CentreMetrics, disk: Perseverance) -> None:
        self._media = media
        self._metrics = metrics
        self._disk = disk
        self._pictures: dict[str, bytes] = {}

    def keep_pictures(self) -> None:
        """Put the pictures of what was unpacked on the disk.

        Raises:
            StoppedError: the centre is to end before the disk takes them.
        """
        pictures, self._pictures = self._pictures, {}
        self._disk.persist(lambda: self._media.save_all(pictures))
        self._metrics.media.inc(len(pictures))

    def unpack(self, record: Record, batch: Batch) -> None:
        """Put what a record says into a batch; a picture waits for :meth:`keep_pictures`.

        Raises:
            UnreadableError: nobody can read it, now or later.
        """
        if record.topic == "snapshots":
            self._take_picture(record)
        elif record.topic == "replays":
            self._unpack_replayed(record, batch)
        elif record.value is None:
            raise UnreadableError("a record without a value")
        elif record.topic == "events":
            trace = record.header(TRACE_HEADER)
            batch.events.append((_decode(Event, record.value), _decode(Trace, trace) if trace else None))
        else:
            status = _decode(Status, record.value)
            batch.statuses[status.camera_id] = status

    def _unpack_replayed(self, record: Record, batch: Batch) -> None:
        run = (record.header(RUN_HEADER) or b"").decode(errors="replace")
        if not re.fullmatch(NAME_PATTERN, run):
            raise UnreadableError(f"header {RUN_HEADER}: no name of a run")
        if record.header("media-name") is not None:
            self._take_picture(record, replace=False)
        elif record.value is None:
            raise UnreadableError("a record without a value")
        else:
            batch.replayed.append((run, _decode(Event, record.value)))

    def _take_picture(self, record: Record, *, replace: bool = True) -> None:
        name, picture = (record.header("media-name") or b"").decode(errors="replace"), record.value
        if not picture or not picture.startswith(b"\xff\xd8"):
            raise UnreadableError("no JPEG")
        try:
            there = name in self._pictures or self._media.find(name) is not None
        except MediaNameError as error:
            raise UnreadableError(f"header media-name: {error}") from None
        # A replay never writes over what was seen live.
        if replace or not there:
            self._pictures[name] = picture


def _decode(kind: type[M], value: bytes) -> M:
    try:
        return kind.from_bytes(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        path = ".".join(str(part) for part in first["loc"])
        raise UnreadableError(
            redact(f"no {kind.__name__}: {path + ': ' if path else ''}{first['msg']}")
        ) from None
