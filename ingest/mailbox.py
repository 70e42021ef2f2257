"""The mailbox between a camera's reader and its analysis: one slot, the newest frame wins."""

import threading

from ingest.frame import Frame


class Mailbox:
    """One slot for one camera's frames.

    Args:
        wake: set whenever a frame is put in, so that one thread can serve many mailboxes.
    """

    def __init__(self, wake: threading.Event) -> None:
        self._wake = wake
        self._changed = threading.Condition()
        self._frame: Frame | None = None

    def put(self, frame: Frame) -> Frame | None:
        """Put the newest frame in, and get the one back that nobody had taken."""
        with self._changed:
            displaced, self._frame = self._frame, frame
        self._wake.set()
        return displaced

    def put_when_free(self, frame: Frame, stopping: threading.Event) -> bool:
        """Wait until the slot is free, and put the frame in; False when ``stopping`` was set before."""
        with self._changed:
            while self._frame is not None:
                if stopping.is_set():
                    return False
                self._changed.wait(0.2)
            self._frame = frame
        self._wake.set()
        return True

    def take(self) -> Frame | None:
        """The frame in the slot, which is free then; None when there is none."""
        with self._changed:
            frame, self._frame = self._frame, None
            if frame is not None:
                self._changed.notify()
        return frame
