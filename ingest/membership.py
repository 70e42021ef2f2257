"""A worker among the workers: member of the group that shares the topic ``cameras``, in a thread of its own.

It reads what the bus says, has :class:`~ingest.assignment.Assignment` decide, and passes on what that wants:
orders to the shards, and the worker's word to the topic ``owners``.
"""

import threading
import time
import uuid
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue

import structlog
from pydantic import ValidationError

from ingest.assignment import Action, Assignment, ToShard
from ingest.orders import Began
from ingest.placed import placed_of
from safecity.bus import open_bus
from safecity.bus.port import Bus, BusError, Consumer, Producer, Record, TopicPartition
from safecity.camera_record import MOVED_HEADER
from safecity.ownership import Ownership
from safecity.redaction import redact
from safecity.settings import SettingsError, Site
from safecity.steady_clock import STEADY

GROUP = "safecity-workers"
CAMERAS, OWNERS = "cameras", "owners"
POLL_SECONDS = 0.1
FLUSH_SECONDS = 5.0
RETRY_SECONDS = 2.0
LEAVE_SECONDS = 25.0
"""Longest time to wait, when the worker is to end, for others to take over."""

_log = structlog.get_logger()


class Membership:
    """Joins the group on :meth:`start` and is left by :meth:`leave`. The bus may be away at any time: the
    cameras at hand go on.

    Args:
        site: its bus, time zone and networks.
        worker: name of the worker.
        shards: how many there are.
    """

    def __init__(self, site: Site, worker: str, shards: int) -> None:
        self._site = site
        self._bus: Bus = open_bus(site)
        self._member = uuid.uuid4().hex[:12]
        self._assignment = Assignment(worker, self._member, shards)
        self._inbox: SimpleQueue[Began | int] = SimpleQueue()
        self._orders: SimpleQueue[ToShard] = SimpleQueue()
        self._unsaid: list[Ownership] = []
        self._producer: Producer | None = None
        self._away = False
        self._leaving, self._left = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)

    @property
    def partitions(self) -> int:
        """How many partitions the worker holds."""
        return len(self._assignment.partitions)

    @property
    def cameras(self) -> int:
        """How many cameras it has, those included that wait for their new owner."""
        return len(self._assignment)

    @property
    def left(self) -> bool:
        """Whether everything is handed over."""
        return self._left.is_set()

    def start(self) -> None:
        """Join; again adds nothing."""
        if self._thread.ident is None:
            self._thread.start()

    def leave(self) -> None:
        """Hand everything over and leave; returns at once, see :attr:`left`."""
        self._leaving.set()
        if self._thread.ident is None:
            self._left.set()

    def close(self) -> None:
        """End the thread, which has nothing more to do."""
        self._left.set()
        if self._thread.ident is not None:
            self._thread.join(FLUSH_SECONDS)
        self._bus.close()

    def began(self, began: Began) -> None:
        """A shard has begun with a camera."""
        self._inbox.put(began)

    def crashed(self, shard: int) -> None:
        """A shard is a new process."""
        self._inbox.put(shard)

    def orders(self) -> Iterable[ToShard]:
        """What the shards are to do now."""
        while True:
            try:
                yield self._orders.get_nowait()
            except Empty:
                return

    def _run(self) -> None:
        while not self._left.is_set():
            try:
                self._serve()
            except BusError as error:
                self._lose_bus(error)
                if self._leaving.is_set():
                    self._left.set()
                self._left.wait(RETRY_SECONDS)
            except Exception as error:  # noqa: BLE001  a thread that ended would keep partitions that nobody serves
                _log.error("the membership failed and begins anew; the cameras at hand go on", exc_info=error)
                for partition in sorted(self._assignment.partitions):
                    self._do(self._assignment.revoked(partition, STEADY.time()))
                self._drop_producer()
                self._left.wait(RETRY_SECONDS)

    def _serve(self) -> None:
        self._bus.ensure_topics()
        owners = self._bus.consumer([OWNERS], group=None)
        try:
            group = self._bus.consumer(
                [CAMERAS], group=GROUP, on_assigned=self._on_assigned, on_revoked=self._on_revoked
            )
            try:
                while not self._left.is_set() and not self._leaving.is_set():
                    self._round(group, owners)
                self._do(self._assignment.leave(STEADY.time()))
                self._say()
            finally:
                group.close()
            self._wait_for_others(owners)
        finally:
            owners.close()
            self._drop_producer()

    def _round(self, group: Consumer, owners: Consumer) -> None:
        try:
            self._hear()
            for record in group.poll(POLL_SECONDS):
                self._read_camera(record)
            self._read_owners(owners)
            self._catch_up(group, owners)
            self._do(self._assignment.tick(STEADY.time()))
            self._say()
        except BusError as error:
            # The clients come back by themselves, and with them what was missed.
            self._lose_bus(error)
            self._leaving.wait(RETRY_SECONDS)
        else:
            if self._away:
                _log.info("the bus answers again; the worker is back among the others")
            self._away = False

    def _lose_bus(self, error: BusError) -> None:
        if not self._away:
            _log.warning("the bus is away; the cameras at hand go on", reason=redact(error))
        self._away = True
        self._drop_producer()

    def _wait_for_others(self, owners: Consumer) -> None:
        deadline = time.monotonic() + LEAVE_SECONDS
        while self._assignment.leaving and time.monotonic() < deadline and not self._left.is_set():
            self._hear()
            self._read_owners(owners)
            self._do(self._assignment.tick(STEADY.time()))
            self._say()
            time.sleep(POLL_SECONDS / 2)
        self._left.set()

    def _hear(self) -> None:
        while True:
            try:
                word = self._inbox.get_nowait()
            except Empty:
                return
            now = STEADY.time()
            if isinstance(word, Began):
                self._do(self._assignment.began(word, now))
            else:
                self._do(self._assignment.crashed(word, now))

    def _on_assigned(self, sources: Sequence[TopicPartition]) -> None:
        _log.info("partitions assigned", partitions=[source.partition for source in sources])
        for source in sources:
            self._assignment.assigned(source.partition)

    def _on_revoked(self, sources: Sequence[TopicPartition]) -> None:
        _log.info("partitions revoked", partitions=[source.partition for source in sources])
        self._revoke([source.partition for source in sources])

    def _revoke(self, partitions: Sequence[int]) -> None:
        for partition in partitions:
            self._do(self._assignment.revoked(partition, STEADY.time()))
        # Before anybody else gets them: the next owner is to know that it has time.
        self._say()

    def _catch_up(self, group: Consumer, owners: Consumer) -> None:
        if not self._assignment.reading or any(owners.lag().values()):
            return
        for source, behind in group.lag().items():
            if behind == 0 and source.partition in self._assignment.reading:
                self._do(self._assignment.caught_up(source.partition, STEADY.time()))

    def _read_camera(self, record: Record) -> None:
        camera_id, moved = record.key or "", record.header(MOVED_HEADER) is not None
        placed = None
        if record.value is not None:
            try:
                placed = placed_of(record, self._site, moved=moved)
            except (SettingsError, ValidationError) as error:
                _log.error(
                    "a camera's record cannot be used; what was there before goes on",
                    camera_id=camera_id,
                    reason=redact(error),
                )
                return
        self._do(self._assignment.record(record.partition, camera_id, placed, STEADY.time(), moved=moved))

    def _read_owners(self, owners: Consumer) -> None:
        for record in owners.poll(0.0):
            if record.value is None:
                continue
            try:
                said = Ownership.from_bytes(record.value)
            except ValidationError:
                _log.error("an ownership cannot be read", key=record.key, offset=record.offset)
                continue
            self._do(self._assignment.ownership(said, STEADY.time()))

    def _do(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, ToShard):
                self._orders.put(action)
            else:
                self._unsaid.append(action)

    def _say(self) -> None:
        if not self._unsaid:
            return
        if self._producer is None:
            self._producer = self._bus.producer(f"membership-{self._member}")
        for said in self._unsaid:
            self._producer.publish(OWNERS, key=said.camera_id, value=said.to_bytes())
        self._producer.flush(FLUSH_SECONDS)
        self._unsaid = []

    def _drop_producer(self) -> None:
        if self._producer is not None:
            self._producer.close(1.0)
            self._producer = None
