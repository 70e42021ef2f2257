"""Which cameras a worker opens, changes, keeps and closes: the table, and what becomes of it in sequence."""

from datetime import UTC, datetime

import pytest

from ingest.assignment import ALONE_SECONDS, Assignment, ToShard
from ingest.orders import Began, Change, Drop, End, Take
from ingest.placed import Placed
from ingest.standing import TABLE, Deed, Happening, Standing
from ingest.tenure import HANDOVER_SECONDS
from safecity.camera import Camera
from safecity.ownership import Hold, Ownership

NOW = 1_800_000_000.0


def at(seconds):
    return datetime.fromtimestamp(NOW + seconds, UTC)


def camera(camera_id="gate", **more):
    return Camera(id=camera_id, source="rtsp://127.0.0.1/x", **more)


def placed(camera_id="gate", applied=0, moved_at=None, **more):
    return Placed(camera(camera_id, **more), at(applied), moved_at)


class Worker:
    """An assignment, and what it wanted done."""

    def __init__(self, shards=1, member="me"):
        self.assignment = Assignment("worker", member, shards)

    def holds(self, *camera_ids, partition=0, seconds=0.0):
        """It has the partition, and has begun with its cameras."""
        self.reads(*camera_ids, partition=partition, seconds=seconds)
        for camera_id in camera_ids:
            self.began(camera_id, seconds)
        return self

    def reads(self, *camera_ids, partition=0, seconds=0.0):
        self.assignment.assigned(partition)
        for camera_id in camera_ids:
            assert self.assignment.record(partition, camera_id, placed(camera_id), NOW) == []
        self.taken = self.assignment.caught_up(partition, NOW + seconds)
        return self.taken

    def began(self, camera_id, seconds=0.0):
        (take,) = (a.order for a in self.taken if a.order.camera_id == camera_id)
        (said,) = self.assignment.began(Began(camera_id, take.epoch, at(seconds)), NOW + seconds)
        assert (said.hold, said.epoch, said.since) == (Hold.HOLDS, take.epoch, at(seconds))
        self.assignment.ownership(said, NOW)
        return said

    def standing(self, camera_id="gate"):
        return self.assignment.standing(camera_id)


def other(hold=Hold.HOLDS, epoch=int(NOW * 1000) + 99_000, seconds=0.0, camera_id="gate", since=0.0):
    return Ownership(
        camera_id=camera_id,
        worker="other",
        member="other",
        epoch=epoch,
        hold=hold,
        since=at(since),
        at=at(seconds),
    )


def orders(actions):
    return [action.order for action in actions if isinstance(action, ToShard)]


def words(actions):
    return [action.hold for action in actions if isinstance(action, Ownership)]


def test_the_table_is_whole():
    """What is there can be left again, and nothing but a claim or a want leads to a camera."""
    opened = {after for (before, _), (after, _) in TABLE.items() if before is Standing.NONE}
    assert opened == {Standing.OPENING}
    for standing in set(Standing) - {Standing.NONE}:
        ways_out = [after for (before, _), (after, _) in TABLE.items() if before is standing]
        assert any(after is not standing for after in ways_out)
    for (before, _), (after, deeds) in TABLE.items():
        if Deed.OPEN in deeds:
            assert after is Standing.OPENING
        if before in (Standing.HOLDING, Standing.LEAVING, Standing.OPENING) and after in (
            Standing.NONE,
            Standing.OVERTAKEN,
        ):
            closes = {Deed.CLOSE, Deed.END} & set(deeds)
            assert closes or (before, after) == (Standing.LEAVING, Standing.NONE), "its shard would go on"


@pytest.mark.parametrize(
    ("before", "happening", "after", "deeds"),
    [
        (Standing.NONE, Happening.WANTED, Standing.OPENING, (Deed.OPEN,)),
        (Standing.HOLDING, Happening.GONE, Standing.LEAVING, (Deed.SAY_LEAVES,)),
        (Standing.HOLDING, Happening.CLAIMED, Standing.OVERTAKEN, (Deed.END,)),
        (Standing.LEAVING, Happening.CLAIMED, Standing.NONE, (Deed.END,)),
        (Standing.LEAVING, Happening.WANTED, Standing.HOLDING, (Deed.SAY_HOLDS,)),
        (Standing.LEAVING, Happening.EXPIRED, Standing.NONE, (Deed.CLOSE, Deed.SAY_LEFT)),
        (Standing.OVERTAKEN, Happening.RELEASED, Standing.OPENING, (Deed.OPEN,)),
    ],
)
def test_the_rows_that_promises_hang_on(before, happening, after, deeds):
    assert TABLE[before, happening] == (after, deeds)


def test_nothing_is_opened_before_the_partition_has_been_read_to_its_end():
    worker = Worker().assignment
    worker.assigned(0)
    assert worker.record(0, "gate", placed(), NOW) == []
    assert worker.record(0, "gone", placed("gone"), NOW) == []
    assert worker.record(0, "gone", None, NOW) == []
    assert worker.reading == {0}
    (take,) = orders(worker.caught_up(0, NOW))
    assert (take.camera_id, take.warm) == ("gate", False)
    assert worker.reading == frozenset()


def test_cameras_are_shared_out_among_the_shards_the_most_important_first():
    worker = Worker(shards=3).assignment
    worker.assigned(0)
    for number in range(7):
        worker.record(0, f"cam-{number}", placed(f"cam-{number}", priority=1 + number), NOW)
    taken = worker.caught_up(0, NOW)
    assert [a.order.camera_id for a in taken] == [f"cam-{n}" for n in reversed(range(7))]
    assert [a.shard for a in taken] == [0, 1, 2, 0, 1, 2, 0]


def test_a_camera_whose_partition_goes_is_kept_until_somebody_else_decides_on_its_frames():
    worker = Worker().holds("gate")
    gone = worker.assignment.revoked(0, NOW + 10)
    assert (orders(gone), words(gone)) == ([], [Hold.LEAVES])
    assert worker.assignment.tick(NOW + 10 + HANDOVER_SECONDS - 1) == []
    claimed = worker.assignment.ownership(other(since=12.0), NOW + 12)
    assert claimed == [ToShard(0, End("gate", at(12.0)))]
    assert worker.standing() is Standing.NONE


def test_a_camera_that_nobody_takes_over_is_closed_in_the_end():
    worker = Worker().holds("gate")
    worker.assignment.revoked(0, NOW)
    late = worker.assignment.tick(NOW + HANDOVER_SECONDS)
    assert (orders(late), words(late)) == ([Drop("gate")], [Hold.LEFT])


def test_a_partition_that_comes_back_finds_its_cameras_untouched():
    worker = Worker().holds("gate", "yard")
    worker.assignment.revoked(0, NOW)
    again = worker.reads("gate", "yard", seconds=3.0)
    assert orders(again) == []
    assert words(again) == [Hold.HOLDS, Hold.HOLDS]


def test_the_new_owner_looks_before_it_decides_only_while_the_old_one_still_does():
    for hold, seconds, warm in (
        (Hold.LEAVES, -2.0, True),
        (Hold.LEAVES, -2 * HANDOVER_SECONDS, False),  # it has gone long ago
        (Hold.LEFT, -2.0, False),
        (Hold.HOLDS, -2.0, False),  # it has been killed, or it would have said that it leaves
    ):
        worker = Worker()
        worker.assignment.ownership(other(hold, epoch=5, seconds=seconds), NOW)
        (take,) = orders(worker.reads("gate"))
        assert take.warm is warm, hold


def test_a_moved_camera_is_taken_over_while_its_old_partition_s_owner_goes_on():
    worker = Worker().assignment
    worker.ownership(other(epoch=5), NOW)
    worker.assigned(1)
    worker.record(1, "gate", placed(moved_at=NOW - 1), NOW)
    (take,) = orders(worker.caught_up(1, NOW))
    assert take.warm


def test_a_move_between_two_partitions_of_one_worker_touches_nothing():
    worker = Worker().holds("gate")
    worker.reads(partition=1)
    assert worker.assignment.record(1, "gate", placed(applied=5, moved_at=NOW), NOW) == []
    assert worker.assignment.record(0, "gate", None, NOW, moved=True) == []
    assert worker.standing() is Standing.HOLDING


def test_a_move_to_another_worker_s_partition_is_a_hand_over():
    worker = Worker().holds("gate")
    gone = worker.assignment.record(0, "gate", None, NOW, moved=True)
    assert (orders(gone), words(gone)) == ([], [Hold.LEAVES])


def test_a_removed_camera_is_closed_at_once():
    worker = Worker().holds("gate", "yard")
    removed = worker.assignment.record(0, "gate", None, NOW)
    assert (orders(removed), words(removed)) == ([Drop("gate")], [Hold.LEFT])
    assert worker.standing("yard") is Standing.HOLDING


def test_a_changed_camera_is_changed_and_one_that_is_as_it_was_is_not_touched():
    worker = Worker().holds("gate", "yard")
    assert worker.assignment.record(0, "gate", placed(applied=9), NOW) == []
    changed = worker.assignment.record(0, "gate", placed(applied=10, priority=9), NOW)
    assert orders(changed) == [Change(camera(priority=9))]


def test_epochs_rise_above_every_one_that_was_heard_of_and_above_the_clock():
    worker = Worker()
    assert orders(worker.reads("gate"))[0].epoch == int(NOW * 1000)
    ahead = int((NOW + 500) * 1000)
    worker = Worker()
    worker.assignment.ownership(other(Hold.LEFT, epoch=ahead), NOW)
    assert orders(worker.reads("gate"))[0].epoch == ahead + 1


def test_the_word_of_an_older_owner_changes_nothing():
    worker = Worker().holds("gate")
    assert worker.assignment.ownership(other(epoch=5), NOW) == []
    assert worker.standing() is Standing.HOLDING


def test_who_has_been_overtaken_takes_the_camera_again_when_the_other_one_lets_go():
    worker = Worker().holds("gate")
    assert orders(worker.assignment.ownership(other(), NOW)) == [End("gate", at(0))]
    assert worker.standing() is Standing.OVERTAKEN
    assert worker.assignment.record(0, "yard", placed("yard"), NOW)
    (take,) = orders(worker.assignment.ownership(other(Hold.LEAVES), NOW))
    assert isinstance(take, Take)
    assert take.warm
    assert take.epoch > other().epoch


def test_a_shard_that_died_gets_its_cameras_again_under_a_newer_epoch():
    worker = Worker(shards=2).holds("gate", "yard")
    taken = {a.order.camera_id: (a.shard, a.order.epoch) for a in worker.taken}
    shard = taken["gate"][0]
    again = worker.assignment.crashed(shard, NOW + 5)
    assert [(a.shard, a.order.camera_id) for a in again] == [(shard, "gate")]
    assert again[0].order.epoch > taken["gate"][1]
    assert not again[0].order.warm
    assert worker.standing("yard") is Standing.HOLDING


def test_an_answer_to_an_older_order_is_not_taken_for_one_to_the_new():
    worker = Worker()
    (take,) = orders(worker.reads("gate"))
    worker.assignment.crashed(0, NOW + 5)
    assert worker.assignment.began(Began("gate", take.epoch, at(6)), NOW + 6) == []
    assert worker.standing() is Standing.OPENING


def test_the_last_worker_that_ends_does_not_wait_long_for_somebody_to_come():
    alone, among = Worker().holds("gate"), Worker().holds("gate")
    among.assignment.ownership(other(camera_id="yard"), NOW)
    for worker in (alone, among):
        assert words(worker.assignment.leave(NOW)) == [Hold.LEAVES]
    assert orders(alone.assignment.tick(NOW + ALONE_SECONDS)) == [Drop("gate")]
    assert among.assignment.tick(NOW + ALONE_SECONDS) == []
    assert among.assignment.leaving == {"gate"}


def test_a_camera_in_two_partitions_is_what_its_newer_record_says():
    worker = Worker().holds("gate")
    worker.assignment.assigned(1)
    worker.assignment.record(1, "gate", placed(applied=5, priority=8), NOW)
    assert orders(worker.assignment.caught_up(1, NOW)) == [Change(camera(priority=8))]
    back = worker.assignment.record(1, "gate", None, NOW)
    assert orders(back) == [Change(camera())]
