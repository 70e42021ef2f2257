"""Work that a centre does beside its API: a thread that is begun, and ends when it is told."""

import threading
from abc import ABC, abstractmethod


class Background(ABC):
    """A thread of its own.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End, after the work at hand."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout)

    @abstractmethod
    def _run(self) -> None:
        """Work until ``_stopping`` is set."""
