"""A worker's wall clock, which can be set while it runs (clock.c, preloaded). It changes nobody else's."""

import shutil
import struct
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """Of one worker.

    Args:
        library: see :func:`build_library`.
        file: says how wrong the clock is.
    """

    def __init__(self, library: Path, file: Path) -> None:
        self.environment = {"LD_PRELOAD": str(library), "SAFECITY_WRONG_CLOCK": str(file)}
        """Of the worker's process."""
        self._file = file
        file.write_bytes(bytes(8))

    def set_wrong_by(self, seconds: int) -> None:
        """Set it so far ahead, or back."""
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", seconds))


def compiler() -> str | None:
    """What builds the library; None where there is none."""
    return shutil.which("cc")


def build_library(folder: Path) -> Path:
    """What a worker is started with for its clock to be set."""
    library = folder / "clock.so"
    options = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", library, SOURCE, "-ldl")
    subprocess.run([compiler() or "cc", *options], check=True)
    return library
