"""The centre shows the cameras that workers share, and knows none of their secrets."""

from datetime import UTC, datetime, timedelta

import pytest

from safecity.camera_record import CameraRecord
from tests.command_center.conftest import wait_until
from tests.command_center.messages import make_status, publish_status

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def put(producer, camera_id, partition=0, seconds=0, **more):
    camera = {"id": camera_id, "source": "rtsp://viewer:${NOT_SET_HERE}@127.0.0.1/x", **more}
    record = CameraRecord(camera_id=camera_id, camera=camera, applied_at=NOW + timedelta(seconds=seconds))
    producer.publish("cameras", key=camera_id, value=record.to_bytes(), partition=partition)


@pytest.fixture
def shared(make_site, serve):
    site = make_site()
    worker = site.worker.model_copy(update={"cameras": "bus"})
    with serve(site.model_copy(update={"worker": worker})) as server:
        yield server


def shown(server):
    return {item["id"]: item for item in server.client.get("/api/v1/cameras").json()["items"]}


def test_cameras_come_change_move_and_go_without_a_restart(shared):
    producer = shared.producer
    assert shown(shared) == {}, "those of the site file are nobody's"
    put(producer, "gate", name="Gate", masks=[[[0, 0], [1, 0], [1, 0.5]]])
    put(producer, "yard")
    publish_status(producer, make_status("gate"))
    wait_until(lambda: len(shown(shared)) == 2 and shown(shared)["gate"]["status"])
    assert shown(shared)["gate"]["name"] == "Gate"
    assert len(shown(shared)["gate"]["masks"]) == 1
    assert shown(shared)["gate"]["source"] == "rtsp://***@127.0.0.1/x"
    put(producer, "gate", name="Main gate", seconds=1)
    wait_until(lambda: shown(shared)["gate"]["name"] == "Main gate")
    put(producer, "gate", name="Main gate", partition=2, seconds=2)
    producer.publish("cameras", key="gate", value=None, partition=0)
    producer.publish("cameras", key="yard", value=None, partition=0)
    wait_until(lambda: set(shown(shared)) == {"gate"})


def test_a_record_that_cannot_be_used_hides_no_other(shared):
    shared.producer.publish("cameras", key="broken", value=b"no json")
    put(shared.producer, "bad", rules=[{"kind": "no_such_rule"}])
    put(shared.producer, "gate")
    wait_until(lambda: set(shown(shared)) == {"gate"})
