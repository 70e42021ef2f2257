"""Waking those who follow the live stream. They read from the store, so nobody slow misses an event."""

import asyncio
import threading
from datetime import datetime

from safecity.status import Status


class Live:
    """What is new, told by the consumer's thread and awaited in the server's event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = 0
        self._statuses: dict[str, tuple[int, Status]] = {}
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()
        self.followers = 0
        self.closed = False

    def tell(self, statuses: dict[str, Status]) -> None:
        """Something was stored, and these statuses are new; from any thread."""
        with self._lock:
            self._version += 1
            for camera_id, status in statuses.items():
                self._statuses[camera_id] = (self._version, status)
            waiting = list(self._waiting)
        for loop, event in waiting:
            loop.call_soon_threadsafe(event.set)

    def reports(self) -> dict[str, datetime]:
        """When each camera reported that was told of, by the worker's clock."""
        with self._lock:
            return {camera_id: status.reported_at for camera_id, (_, status) in self._statuses.items()}

    def close(self) -> None:
        """Let every follower go; from any thread."""
        self.closed = True
        self.tell({})

    def statuses_since(self, version: int) -> tuple[int, list[Status]]:
        """Statuses that came after ``version``, and the version they lead up to."""
        with self._lock:
            return self._version, [status for seen, status in self._statuses.values() if seen > version]

    async def wait(self, version: int, timeout: float) -> bool:
        """Wait until more than ``version`` was told; False when ``timeout`` seconds went by without."""
        entry = (asyncio.get_running_loop(), asyncio.Event())
        with self._lock:
            if self._version > version or self.closed:
                return True
            self._waiting.add(entry)
        try:
            await asyncio.wait_for(entry[1].wait(), timeout)
        except TimeoutError:
            return False
        finally:
            with self._lock:
                self._waiting.discard(entry)
        return True
