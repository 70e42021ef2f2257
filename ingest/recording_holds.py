"""Holds: recordings that retention must not delete, with the reason. A file, readable without a program."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import Field, TypeAdapter

from safecity.message import Message, Name, UtcTime

FILE = "holds.json"


class Hold(Message):
    """Keeps one camera's recordings of a time."""

    hold_id: str = Field(description="derived from all the rest")
    camera_id: Name
    start: UtcTime
    end: UtcTime
    reason: str = Field(description="why, for those who look later")
    held_at: UtcTime = Field(description="wall clock")

    def covers(self, camera_id: str, start: datetime, end: datetime) -> bool:
        """Whether any of ``start`` to ``end`` is held."""
        return camera_id == self.camera_id and self.start < end and self.end > start


_HOLDS = TypeAdapter(tuple[Hold, ...])


def holds(folder: Path) -> tuple[Hold, ...]:
    """All holds on the recordings in ``folder``.

    Raises:
        OSError, ValueError: the file is there and cannot be read; then nothing may be deleted.
    """
    try:
        return _HOLDS.validate_json((folder / FILE).read_bytes())
    except FileNotFoundError:
        return ()


def hold(folder: Path, camera_id: str, start: datetime, end: datetime, reason: str, now: datetime) -> Hold:
    """Keep a camera's recordings from ``start`` to ``end``, also those that are still to come.

    Raises:
        OSError, ValueError: the file cannot be read or written.
    """
    digest = hashlib.sha256(f"{camera_id}\n{start}\n{end}\n{reason}\n{now}".encode()).hexdigest()
    new = Hold(hold_id=digest[:8], camera_id=camera_id, start=start, end=end, reason=reason, held_at=now)
    with _changing(folder) as known:
        known.append(new)
    return new


def release(folder: Path, hold_id: str) -> Hold | None:
    """End a hold; None when there is no such one.

    Raises:
        OSError, ValueError: the file cannot be read or written.
    """
    with _changing(folder) as known:
        found = next((item for item in known if item.hold_id == hold_id), None)
        if found is not None:
            known.remove(found)
        return found


@contextmanager
def _changing(folder: Path) -> Iterator[list[Hold]]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / f"{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        known = list(holds(folder))
        yield known
        unfinished = folder / f"{FILE}.part"
        with unfinished.open("wb") as output:
            output.write(json.dumps(json.loads(_HOLDS.dump_json(tuple(known))), indent=2).encode())
            output.flush()
            os.fsync(output.fileno())
        unfinished.replace(folder / FILE)
