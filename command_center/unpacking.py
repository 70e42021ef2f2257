"""What a record of the bus says: into a batch for the store, or into the folder of pictures."""

import re
from datetime import datetime
from typing import TypeVar

from pydantic import ValidationError

from command_center.fence import successor
from command_center.media import MediaNameError, MediaStore
from command_center.metrics import CentreMetrics
from command_center.perseverance import Perseverance
from command_center.store.rows import Batch
from safecity.bus.port import Record
from safecity.cloudevents import RUN_HEADER, TRACE_HEADER
from safecity.event import Event, Trace
from safecity.message import NAME_PATTERN
from safecity.ownership import Hold, Ownership
from safecity.redaction import redact
from safecity.status import Status

M = TypeVar("M", Event, Trace, Status, Ownership)


class UnreadableError(Exception):
    """A message that cannot be used, now or later; the message says why."""


class ReplacedError(UnreadableError):
    """A message of an owner that had been replaced; the message says by whom."""


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
        self._takeovers: dict[str, dict[int, datetime]] = {}
        """Of the cameras of the batch at hand: since when the owner of each epoch has had them."""
        self._epochs: dict[str, int] = {}
        """Of each camera's newest owner that has reported."""

    def begin(self, takeovers: dict[str, dict[int, datetime]]) -> None:
        """Begin a batch.

        Args:
            takeovers: of the cameras that it has events of, as the store knows them.
        """
        self._takeovers = takeovers

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
            if record.topic != "owners":
                raise UnreadableError("a record without a value")
        elif record.topic == "owners":
            self._take_over(_decode(Ownership, record.value), batch)
        elif record.topic == "events":
            header = record.header(TRACE_HEADER)
            event, trace = _decode(Event, record.value), _decode(Trace, header) if header else None
            if trace is not None:
                self._check_owner(event.camera_id, trace)
            batch.events.append((event, trace))
        else:
            self._take_status(_decode(Status, record.value), batch)

    def _take_over(self, said: Ownership, batch: Batch) -> None:
        if said.hold is Hold.HOLDS and said.since is not None:
            batch.takeovers[said.camera_id, said.epoch] = said.since
            self._takeovers.setdefault(said.camera_id, {})[said.epoch] = said.since

    def _check_owner(self, camera_id: str, trace: Trace) -> None:
        if (epoch := successor(self._takeovers, camera_id, trace)) is not None:
            raise ReplacedError(
                f"decided by {trace.worker} in epoch {trace.epoch} about a frame that was epoch {epoch}'s"
            )

    def _take_status(self, status: Status, batch: Batch) -> None:
        """Keep it, if it is not of an owner that has been replaced."""
        if status.epoch >= self._epochs.get(status.camera_id, 0):
            self._epochs[status.camera_id] = status.epoch
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
