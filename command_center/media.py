"""Pictures of events, as files."""

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from safecity.steady_clock import STEADY

AT_ONCE = 16
_NAME = re.compile(r"[0-9a-f]{32}-[1-9][0-9]{0,8}\.jpg")


class MediaNameError(ValueError):
    """Not the name of a picture."""


class MediaStore:
    """A folder of pictures, in subfolders by the first two letters of their names.

    Args:
        folder: made when missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def save_all(self, pictures: Mapping[str, bytes]) -> None:
        """Keep pictures, by name; on the disk when this returns.

        A disk is asked to write them all at once: one after the other it writes some hundred a second, and
        the centre of a large city would wait for nothing else.

        Raises:
            MediaNameError: no name of a picture.
            OSError: the disk does not take one of them; others may be kept.
        """
        if len(pictures) == 1:
            self.save(*next(iter(pictures.items())))
        elif pictures:
            with ThreadPoolExecutor(min(AT_ONCE, len(pictures))) as pool:
                list(pool.map(self.save, pictures.keys(), pictures.values()))

    def save(self, name: str, picture: bytes) -> None:
        """Keep a picture; on the disk when this returns, and never seen in part.

        Raises:
            MediaNameError: no name of a picture.
            OSError: the disk does not take it.
        """
        path = self._path(name)
        path.parent.mkdir(exist_ok=True)
        # Two centres may have the same picture for a moment; neither writes into the other's file.
        unfinished = path.with_suffix(f".{os.getpid()}.part")
        with unfinished.open("wb") as output:
            output.write(picture)
            output.flush()
            os.fsync(output.fileno())
        unfinished.replace(path)

    def find(self, name: str) -> Path | None:
        """The file of a picture; None when it is not there.

        Raises:
            MediaNameError: no name of a picture.
        """
        path = self._path(name)
        return path if path.is_file() else None

    def delete_older_than(self, seconds: float) -> int:
        """Delete pictures kept longer than that, and say how many."""
        return delete_older_than(self._folder, seconds)

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise MediaNameError("not the name of a picture")
        return self._folder / name[:2] / name


def delete_older_than(folder: Path, seconds: float) -> int:
    """Delete the files in the folders in ``folder`` that are older than that, and say how many."""
    oldest, deleted = STEADY.time() - seconds, 0
    for path in folder.glob("*/*"):
        if path.stat().st_mtime < oldest:
            path.unlink(missing_ok=True)
            deleted += 1
    return deleted
