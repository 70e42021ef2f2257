"""Listens to the bus beside the centre, through every fault: what was seen, held and refused."""

import contextlib
import json
import random
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from safecity.bus import open_bus
from safecity.bus.port import BusError, Record
from safecity.settings import Site

TOPICS = ("events", "observations", "owners", "dead-letter")


class Listener:
    """Reads everything from the beginning, and can say some of it again."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._ended = threading.Event()
        self._events: list[Record] = []
        self._offsets: dict[Any, int] = {}
        self.seen: dict[str, list[float]] = defaultdict(list)
        """By camera, event times of the frames that were analysed."""
        self.fenced: list[dict[str, Any]] = []
        """Events that the centre refused."""
        self.buried: list[str] = []
        """Why other messages were put aside."""
        self.owners: dict[str, tuple[int, str]] = {}
        """By camera, the newest epoch and its worker."""
        self._thread = threading.Thread(target=self._run, name="chaos-listener")
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._ended.set()
        self._thread.join(30)

    def held_by(self, worker: str) -> set[str]:
        """The cameras that a worker has, as far as the bus knows."""
        return {camera for camera, (_, owner) in list(self.owners.items()) if owner == worker}

    def repeat(self, dice: random.Random) -> int:
        """Publish some of the events again, in another order; how many."""
        again = dice.sample(self._events, min(len(self._events), 40))
        with open_bus(self._site) as bus:
            producer = bus.producer("chaos")
            for record in again:
                producer.publish("events", key=record.key or "", value=record.value, headers=record.headers)
            producer.flush(10.0)
            producer.close()
        return len(again)

    def _run(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(BusError):
                self._listen()
            self._ended.wait(0.5)

    def _listen(self) -> None:
        with open_bus(self._site) as bus:
            bus.ensure_topics()
            consumer = bus.consumer(
                list(TOPICS),
                group=None,
                on_assigned=lambda parts: {p: self._offsets.get(p, 0) for p in parts},
            )
            try:
                while not self._ended.is_set():
                    for record in consumer.poll(0.2):
                        self._offsets[record.source] = record.offset + 1
                        self._take(record)
            finally:
                consumer.close()

    def _take(self, record: Record) -> None:
        if record.value is None:
            return
        said = json.loads(record.value)
        if record.topic == "events":
            self._events.append(record)
        elif record.topic == "observations":
            self.seen[said["camera_id"]].append(datetime.fromisoformat(said["captured_at"]).timestamp())
        elif record.topic == "dead-letter":
            reason = (record.header("dead-letter-reason") or b"").decode()
            if "epoch" in reason:
                self.fenced.append(said)
            else:
                self.buried.append(reason)
        elif said["hold"] == "holds" and said["epoch"] > self.owners.get(said["camera_id"], (-1, ""))[0]:
            self.owners[said["camera_id"]] = said["epoch"], said["worker"]


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True
