"""A worker's wall clock, which can be set while it runs: libfaketime, preloaded. It changes nobody else's."""

from pathlib import Path

LIBRARIES = "*/faketime/libfaketime.so.1"


class Clock:
    """Of one worker.

    Args:
        file: what the library reads how wrong the clock is from, once a second.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set_wrong_by(0)

    def set_wrong_by(self, seconds: int) -> None:
        """Set it so far ahead, or back."""
        self._file.write_text(f"{seconds:+d}\n")

    @property
    def environment(self) -> dict[str, str]:
        """Of the worker's process."""
        return {
            "LD_PRELOAD": str(library()),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }


def library() -> Path | None:
    """libfaketime; None where it is not installed."""
    return next(iter(sorted(Path("/usr/lib").glob(LIBRARIES))), None)
