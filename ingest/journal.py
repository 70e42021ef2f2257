"""The journal: one JSON line for each event that the rules decided, apart from the outbox.

An independent record to hold against what the centre has stored. A line is written as soon as the event
is safe in the outbox, with one write, so that several processes can share the file.
"""

import os
from collections.abc import Sequence
from pathlib import Path


class Journal:
    """Appends to one file.

    Args:
        path: the file; made when missing.

    Raises:
        OSError: it cannot be opened for writing.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, lines: Sequence[bytes]) -> None:
        """Append ``lines`` (without line ends), all in one write."""
        os.write(self._file, b"".join(line + b"\n" for line in lines))
