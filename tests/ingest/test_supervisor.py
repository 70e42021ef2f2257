"""How cameras are shared out among shards, and what becomes of an outbox that has no shard any more."""

import os

import pytest

from ingest.supervisor import plan_shards, share_out
from safecity.camera import Camera
from safecity.settings import Site


def cameras(count: int) -> list[Camera]:
    return [Camera(id=f"cam-{n}", source="rtsp://127.0.0.1/x", priority=1 + n % 10) for n in range(count)]


@pytest.mark.parametrize(("count", "shards"), [(1, 1), (5, 2), (7, 3), (40, 8)])
def test_every_camera_has_one_shard_and_shards_differ_by_one_at_most(count, shards):
    shared = share_out(cameras(count), shards)
    ids = [camera.id for part in shared for camera in part]
    assert sorted(ids) == sorted(camera.id for camera in cameras(count))
    sizes = [len(part) for part in shared]
    assert max(sizes) - min(sizes) <= 1


def test_the_most_important_cameras_are_spread(tmp_path):
    shared = share_out(cameras(20), 2)
    assert [sum(camera.priority == 10 for camera in part) for part in shared] == [1, 1]


def test_no_shard_is_without_a_camera(tmp_path):
    site = Site(data_dir=tmp_path, cameras=cameras(2), worker={"processes": 8})
    assert [len(plan.cameras) for plan in plan_shards(site, None)] == [1, 1]


def test_as_many_shards_as_cores(tmp_path):
    site = Site(data_dir=tmp_path, cameras=cameras(64))
    assert len(plan_shards(site, None)) == len(os.sched_getaffinity(0))


def test_an_outbox_left_by_a_larger_worker_is_delivered_by_the_first_shard(tmp_path):
    folder = tmp_path / "worker"
    folder.mkdir()
    for index in range(4):
        (folder / f"outbox-{index}.sqlite").touch()
    site = Site(data_dir=tmp_path, cameras=cameras(4), worker={"processes": 2})
    plans = plan_shards(site, None)
    assert [path.name for path in plans[0].orphans] == ["outbox-2.sqlite", "outbox-3.sqlite"]
    assert plans[1].orphans == ()
