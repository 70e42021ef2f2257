"""Which cameras a worker has: from its partitions, their records and the word of other workers. Pure.

The group protocol says which worker has a partition. What follows from it for a camera is a table
(:mod:`ingest.standing`): where it stands, what happened, where it stands then, what is to be done. A camera
that goes to another worker is kept (``LEAVING``) until that one says that it decides on its frames, so none
is missed.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ingest.orders import Began, Change, Drop, End, Order, Take
from ingest.placed import Placed
from ingest.standing import TABLE, Deed, Happening, Standing
from ingest.tenure import HANDOVER_SECONDS
from safecity.camera import Camera
from safecity.ownership import Hold, Ownership, next_epoch

ALONE_SECONDS = 3.0
"""A worker that ends and knows of no other with cameras waits only so long for one to come."""


@dataclass(frozen=True)
class ToShard:
    """An order to one of the shards."""

    shard: int
    order: Order


Action = ToShard | Ownership


@dataclass
class _Held:
    standing: Standing = Standing.NONE
    shard: int = 0
    epoch: int = 0
    camera: Camera | None = None
    """As the shard has it."""
    since: datetime | None = None
    leave_by: float = 0.0


class Assignment:
    """One worker's cameras. Times are seconds since 1970.

    Args:
        worker: its name, for others to read.
        member: tells its process from every other.
        shards: how many there are to share the cameras.
    """

    def __init__(self, worker: str, member: str, shards: int) -> None:
        self._worker, self._member, self._shards = worker, member, shards
        self._records: dict[int, dict[str, Placed]] = {}
        self._reading: set[int] = set()
        self._cameras: dict[str, _Held] = {}
        self._owners: dict[str, Ownership] = {}

    def __len__(self) -> int:
        return sum(held.standing is not Standing.OVERTAKEN for held in tuple(self._cameras.values()))

    @property
    def reading(self) -> frozenset[int]:
        """Partitions of which not every record is known yet."""
        return frozenset(self._reading)

    @property
    def partitions(self) -> frozenset[int]:
        """Those that are ours."""
        return frozenset(self._records)

    @property
    def leaving(self) -> frozenset[str]:
        """Cameras that wait for their new owner."""
        return frozenset(i for i, held in self._cameras.items() if held.standing is Standing.LEAVING)

    def standing(self, camera_id: str) -> Standing:
        """Where a camera stands."""
        return self._cameras.get(camera_id, _Held()).standing

    def assigned(self, partition: int) -> None:
        """A partition is ours; nothing follows before it has been read (:meth:`caught_up`)."""
        self._records[partition] = {}
        self._reading.add(partition)

    def caught_up(self, partition: int, now: float) -> list[Action]:
        """Every record of a partition is known."""
        self._reading.discard(partition)
        return self._settle_all(self._records.get(partition, ()), Happening.REMOVED, now)

    def revoked(self, partition: int, now: float) -> list[Action]:
        """A partition is another worker's."""
        self._reading.discard(partition)
        return self._settle_all(self._records.pop(partition, ()), Happening.GONE, now)

    def leave(self, now: float) -> list[Action]:
        """All partitions are to go to others, if there are any: the worker is to end."""
        alone = self._alone()
        actions = [a for partition in sorted(self._records) for a in self.revoked(partition, now)]
        for camera_id in self.leaving if alone else ():
            held = self._cameras[camera_id]
            held.leave_by = min(held.leave_by, now + ALONE_SECONDS)
        return actions

    def record(
        self, partition: int, camera_id: str, placed: Placed | None, now: float, *, moved: bool = False
    ) -> list[Action]:
        """A record was read; None is a tombstone, ``moved`` when the camera is in another partition now."""
        if partition not in self._records:
            return []
        if placed is None:
            self._records[partition].pop(camera_id, None)
        else:
            self._records[partition][camera_id] = placed
        if partition in self._reading:
            return []
        return list(self._settle(camera_id, Happening.GONE if moved else Happening.REMOVED, now))

    def ownership(self, said: Ownership, now: float) -> list[Action]:
        """A worker has said how it stands to a camera."""
        known = self._owners.get(said.camera_id)
        if known is not None and said.epoch < known.epoch:
            return []
        self._owners[said.camera_id] = said
        held = self._cameras.get(said.camera_id)
        if held is None or said.member == self._member:
            return []
        if said.hold is not Hold.HOLDS:
            return list(self._happen(said.camera_id, Happening.RELEASED, now))
        return list(self._happen(said.camera_id, Happening.CLAIMED, now)) if said.epoch > held.epoch else []

    def began(self, began: Began, now: float) -> list[Action]:
        """A shard has analysed a camera's first frame."""
        held = self._cameras.get(began.camera_id)
        if held is None or held.epoch != began.epoch:
            return []
        held.since = began.since
        return list(self._happen(began.camera_id, Happening.BEGAN, now))

    def crashed(self, shard: int, now: float) -> list[Action]:
        """A shard is a new process that has no cameras."""
        mine = [i for i, held in self._cameras.items() if held.camera is not None and held.shard == shard]
        return [a for camera_id in mine for a in self._happen(camera_id, Happening.CRASHED, now)]

    def tick(self, now: float) -> list[Action]:
        """Time has passed."""
        late = [i for i in self.leaving if now >= self._cameras[i].leave_by]
        return [a for camera_id in late for a in self._happen(camera_id, Happening.EXPIRED, now)]

    def _settle_all(
        self, camera_ids: Mapping[str, Placed] | tuple[()], gone: Happening, now: float
    ) -> list[Action]:
        ordered = sorted(camera_ids, key=lambda i: (-self._priority(i), i))
        return [action for camera_id in ordered for action in self._settle(camera_id, gone, now)]

    def _settle(self, camera_id: str, gone: Happening, now: float) -> Iterator[Action]:
        placed = self._wanted(camera_id)
        if placed is None:
            yield from self._happen(camera_id, gone, now)
            return
        held = self._cameras.get(camera_id, _Held())
        if held.standing in (Standing.NONE, Standing.LEAVING, Standing.OVERTAKEN):
            yield from self._happen(camera_id, Happening.WANTED, now)
        if held.camera is not None and held.camera != placed.camera:
            yield from self._happen(camera_id, Happening.CHANGED, now)

    def _wanted(self, camera_id: str) -> Placed | None:
        places = [
            cameras[camera_id]
            for partition, cameras in self._records.items()
            if partition not in self._reading and camera_id in cameras
        ]
        return max(places, key=lambda placed: placed.applied_at, default=None)

    def _priority(self, camera_id: str) -> int:
        placed = self._wanted(camera_id)
        return placed.camera.priority if placed else 0

    def _happen(self, camera_id: str, happening: Happening, now: float) -> Iterator[Action]:
        held = self._cameras.setdefault(camera_id, _Held())
        after, deeds = TABLE.get((held.standing, happening), (held.standing, ()))
        held.standing = after
        for deed in deeds:
            yield self._do(deed, camera_id, held, now)
        if after is Standing.LEAVING and happening is Happening.GONE:
            held.leave_by = now + HANDOVER_SECONDS
        if after in (Standing.NONE, Standing.OVERTAKEN):
            held.camera = None
        if after is Standing.NONE:
            del self._cameras[camera_id]

    def _do(self, deed: Deed, camera_id: str, held: _Held, now: float) -> Action:
        match deed:
            case Deed.OPEN | Deed.CHANGE:
                return self._give(deed, camera_id, held, now)
            case Deed.CLOSE:
                return ToShard(held.shard, Drop(camera_id))
            case Deed.END:
                since = self._owners[camera_id].since or _time(now)
                return ToShard(held.shard, End(camera_id, since))
            case Deed.SAY_HOLDS:
                return self._say(Hold.HOLDS, camera_id, held, now)
            case Deed.SAY_LEAVES:
                return self._say(Hold.LEAVES, camera_id, held, now)
            case Deed.SAY_LEFT:
                return self._say(Hold.LEFT, camera_id, held, now)

    def _give(self, deed: Deed, camera_id: str, held: _Held, now: float) -> Action:
        placed = self._wanted(camera_id)
        if placed is None:
            raise AssertionError("a camera is opened or changed only while it is in one of our partitions")
        crashed = held.camera is not None
        if deed is Deed.OPEN and not crashed:
            held.shard = self._emptiest()
        held.camera = placed.camera
        if deed is Deed.CHANGE:
            return ToShard(held.shard, Change(placed.camera))
        known = self._owners.get(camera_id)
        held.epoch = next_epoch(max(known.epoch if known else 0, held.epoch), now)
        held.since = None
        return ToShard(
            held.shard, Take(placed.camera, held.epoch, warm=self._is_watched(camera_id, placed, now))
        )

    def _is_watched(self, camera_id: str, placed: Placed, now: float) -> bool:
        """Whether its owner, another one, goes on until we are ready."""
        known = self._owners.get(camera_id)
        if known is None or known.member == self._member or placed.camera.is_fast:
            return False
        if known.hold is Hold.LEAVES:
            return now - known.at.timestamp() < HANDOVER_SECONDS
        moved = placed.moved_at is not None and now - placed.moved_at < HANDOVER_SECONDS
        return known.hold is Hold.HOLDS and moved

    def _emptiest(self) -> int:
        counts = [0] * self._shards
        for held in self._cameras.values():
            if held.camera is not None and held.standing is not Standing.OVERTAKEN:
                counts[held.shard] += 1
        return counts.index(min(counts))

    def _alone(self) -> bool:
        others = (o for o in self._owners.values() if o.hold is Hold.HOLDS and o.member != self._member)
        return next(others, None) is None

    def _say(self, hold: Hold, camera_id: str, held: _Held, now: float) -> Ownership:
        return Ownership(
            camera_id=camera_id,
            worker=self._worker,
            member=self._member,
            epoch=held.epoch,
            hold=hold,
            since=held.since,
            at=_time(now),
        )


def _time(now: float) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=now)
