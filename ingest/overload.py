"""A shard's cameras against its budget: opened one after the other, measured, given less and more."""

import random
from collections.abc import Iterator, Mapping, Sequence

from ingest.admission import Admission, Place
from ingest.cost_meter import ShardMeter, Used
from ingest.ladder import Setting, ladder_of
from safecity.camera import Camera

OPENED_PER_SECOND = 5.0
TAKEN_PER_SECOND = 10.0
"""Cameras that are taken over: somebody waits for it, or nobody watches them now."""


class Overload:
    """Decides; the shard measures and does it. Recordings that are played fast wait for their analysis and
    take no part.

    Args:
        cameras: all of the shard.
        budget: cores.
        now: monotonic seconds.
        process_seconds: CPU time that the process has used.
    """

    def __init__(self, cameras: Sequence[Camera], budget: float, now: float, process_seconds: float) -> None:
        ordered = sorted(cameras, key=lambda camera: -camera.priority)
        self._waiting = [
            (now + (index + random.random()) / OPENED_PER_SECOND, camera)
            for index, camera in enumerate(ordered)
        ]
        places = [Place(c.id, c.priority, ladder_of(c)) for c in cameras if not c.is_fast]
        self._live = {place.camera_id for place in places}
        self._admission = Admission(places, budget, now)
        self._meter = ShardMeter(now, process_seconds)
        self._weighed_at = now
        self._fast_seconds: dict[str, float] = {}

    def add(self, camera: Camera, now: float) -> None:
        """One more camera, to be opened when it is its turn (``now``: monotonic seconds)."""
        last = max((at for at, _ in self._waiting), default=now - 1 / TAKEN_PER_SECOND)
        self._waiting.append((max(now, last + 1 / TAKEN_PER_SECOND), camera))
        self._waiting.sort(key=lambda waiting: waiting[0])
        if not camera.is_fast:
            self._live.add(camera.id)
            self._admission.add(Place(camera.id, camera.priority, ladder_of(camera)))

    def remove(self, camera_id: str) -> None:
        """A camera has gone, opened or not."""
        self._waiting = [(at, camera) for at, camera in self._waiting if camera.id != camera_id]
        self._fast_seconds.pop(camera_id, None)
        if camera_id in self._live:
            self._live.discard(camera_id)
            self._admission.remove(camera_id)
            self._meter.end(camera_id)

    def cost(self, camera_id: str) -> float | None:
        """Cores that a camera costs now; None while that is not known."""
        cost = self._meter.load().costs.get(camera_id)
        return None if cost is None else cost.total

    @property
    def use(self) -> float:
        """Cores that the cameras ask for."""
        return self._meter.load().use

    def due(self, now: float) -> Iterator[tuple[str, Setting]]:
        """The cameras that are to be opened at ``now``, the most important first, and with what."""
        while self._waiting and self._waiting[0][0] <= now:
            _, camera = self._waiting.pop(0)
            if camera.id not in self._live:
                yield camera.id, ladder_of(camera)[0]
                continue
            self._meter.begin(camera.id, now, Used())
            yield camera.id, self._admission.admit(camera.id, self._meter.load(), now)

    def weigh(
        self,
        now: float,
        process_seconds: float,
        used: Mapping[str, Used],
        *,
        away: frozenset[str],
        lag: float,
        waited: float,
    ) -> dict[str, Setting]:
        """What changes, by camera; mostly nothing.

        Args:
            now: monotonic seconds.
            process_seconds: CPU time that the process has used.
            used: the counters of the cameras that are open.
            away: cameras that give nothing now.
            lag: seconds that the analysis was behind at most, since the last time.
            waited: seconds that the analysis had nothing to do, since the last time.
        """
        elapsed = now - self._weighed_at
        fast = {i: u.decode_seconds + u.analysis_seconds for i, u in used.items() if i not in self._live}
        live = {camera: counters for camera, counters in used.items() if camera in self._live}
        self._meter.update(
            now,
            process_seconds,
            live,
            elsewhere=sum(seconds - self._fast_seconds.get(i, 0.0) for i, seconds in fast.items()),
            lag=lag,
            busy_share=1.0 - min(1.0, waited / elapsed) if elapsed > 0 else 0.0,
        )
        self._weighed_at, self._fast_seconds = now, fast
        changes = self._admission.decide(self._meter.load(away), now)
        for camera_id in changes:
            self._meter.begin(camera_id, now, live[camera_id])
        return changes
