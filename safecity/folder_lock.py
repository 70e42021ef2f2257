"""One process a folder: a second instance on the same data gets a clear word instead of a mess."""

import fcntl
import os
from pathlib import Path
from typing import IO, Self


class FolderInUseError(Exception):
    """Another process has the folder; the message says which."""


class FolderLock:
    """An exclusive lock on a folder, held until :meth:`release` or the end of the process.

    Args:
        folder: made when missing.
        purpose: what the holder is, for the message to the second one.

    Raises:
        FolderInUseError: another process has it.
        OSError: the folder cannot be made or written.
    """

    def __init__(self, folder: Path, purpose: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = (folder / "lock").open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder = self._file.read().strip() or "another process"
            self._file.close()
            raise FolderInUseError(
                f"{folder} is in use by {holder}; stop it first, or give this {purpose} a data_dir of its own"
            ) from None
        self._file.truncate(0)
        self._file.write(f"{purpose} (pid {os.getpid()})\n")
        self._file.flush()

    def release(self) -> None:
        """Let the folder go."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
