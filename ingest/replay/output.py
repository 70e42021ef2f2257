"""The event file: written as it goes, in its final order at the end."""

import hashlib
import sys
from pathlib import Path
from typing import BinaryIO, Self

from ingest.replay.stretch import Key, ToldEvent

STDOUT = Path("-")


class EventFile:
    """JSON lines in order of event time, then event id, then revision.

    What is told late (a better picture of an event that is over) makes the order of telling another one. So a
    file is written as events are told, to be whole if the replay is ended, and put in order when it is done.

    Args:
        path: of the file; ``-``: standard output, once the order is known; None: only counted.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[tuple[Key, bytes]] = []
        self._file: BinaryIO | None = None
        if path is not None and path != STDOUT:
            self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Put in order, also what there is when it is ended early."""
        lines = [line for _, line in sorted(self._lines)]
        if self._file is not None and self._path is not None:
            self._file.close()
            if self._lines != sorted(self._lines):
                ordered = self._path.with_name(f".{self._path.name}.ordered")
                ordered.write_bytes(b"".join(lines))
                ordered.replace(self._path)
        elif self._path == STDOUT:
            sys.stdout.buffer.write(b"".join(lines))
            sys.stdout.buffer.flush()

    def write(self, event: ToldEvent) -> None:
        """Take the next event."""
        line = event.value + b"\n"
        self._lines.append((event.key, line))
        if self._file is not None:
            self._file.write(line)
            self._file.flush()

    @property
    def lines(self) -> list[bytes]:
        """All so far, in their final order."""
        return [line for _, line in sorted(self._lines)]

    @property
    def sha256(self) -> str:
        """Of the file in its final order."""
        return hashlib.sha256(b"".join(self.lines)).hexdigest()
