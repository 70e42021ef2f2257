"""Event time of a live stream: the camera's own clock, tied to the time of arrival."""

JUMP_SECONDS = 5.0
DRIFT = 0.001
"""The camera's clock may be slower than ours by so many seconds a second."""


class ArrivalClock:
    """Turns time stamps of a stream into wall time.

    A picture's delay varies, the camera's clock hardly does: the smallest distance between arrival and time
    stamp that was seen is the one with the least delay in it, and holds for all pictures. It is let rise
    slowly, for a camera whose clock drifts, and is taken anew when the camera's clock jumps.
    """

    def __init__(self) -> None:
        self._offset: float | None = None
        self._arrival = 0.0

    def event_time(self, stamp: float | None, arrival: float) -> float:
        """Event time in seconds since the epoch.

        Args:
            stamp: the picture's time stamp in the stream, seconds; None when it has none.
            arrival: wall clock when it came, seconds since the epoch.
        """
        if stamp is None:
            return arrival
        offset = arrival - stamp
        if self._offset is None or abs(offset - self._offset) > JUMP_SECONDS:
            self._offset = offset
        else:
            rise = DRIFT * max(0.0, arrival - self._arrival)
            self._offset = min(offset, self._offset + rise)
        self._arrival = arrival
        return stamp + self._offset


class CameraClock:
    """How far the camera's clock is from ours; since the first picture, while it has not told the time."""

    def __init__(self) -> None:
        self._first: float | None = None

    def error(self, stamp: float | None, arrival: float, camera_time: float | None) -> float | None:
        """The picture's time by the camera's clock less its arrival, seconds; the delay on the way is in it.

        Args:
            stamp: the picture's time stamp in the stream, seconds; None when it has none.
            arrival: wall clock when it came, seconds since the epoch.
            camera_time: the camera's wall clock at the time stamp 0; None when it has not said.
        """
        if stamp is None:
            return None
        if self._first is None:
            self._first = arrival - stamp
        return stamp + (self._first if camera_time is None else camera_time) - arrival
