"""A real RTSP camera that dies, freezes and comes back: its status turns, and events come again."""

import httpx
import pytest

from tests.rtsp import rtsp_server
from tests.system.processes import City, build_city, parts, wait_until


def state_of(city: City, camera_id: str) -> str | None:
    for camera in httpx.get(f"{city.url}/api/v1/cameras", timeout=5).json()["items"]:
        if camera["id"] == camera_id and camera["status"]:
            return camera["status"]["state"]
    return None


def events_of(city: City, camera_id: str) -> int:
    parameters = {"camera_id": camera_id, "limit": "1000"}
    return len(httpx.get(f"{city.url}/api/v1/events", params=parameters, timeout=5).json()["items"])


@pytest.mark.rtsp
@pytest.mark.parametrize("fault", ["killed", "frozen"])
def test_events_come_again_after_the_camera(tmp_path, fault):
    with rtsp_server(user="operator", password="digest-secret") as server:
        city = build_city(tmp_path, cameras=2, rtsp={"cam-1": server.url("street")})
        with parts(city.worker, city.centre):
            city.centre.start()
            wait_until(city.ready, 40, "the centre")
            city.worker.start()
            wait_until(lambda: state_of(city, "cam-1") == "live", 40, "the camera to be live")
            wait_until(lambda: events_of(city, "cam-1") > 0, 60, "its first event")

            server.kill() if fault == "killed" else server.pause()
            wait_until(lambda: state_of(city, "cam-1") == "reconnecting", 40, "its status to turn")
            assert state_of(city, "cam-2") == "live", "the other camera did not notice"
            other, own = events_of(city, "cam-2"), events_of(city, "cam-1")

            server.restart() if fault == "killed" else server.resume()
            wait_until(lambda: state_of(city, "cam-1") == "live", 20, "the camera to be live again")
            wait_until(lambda: events_of(city, "cam-1") > own, 40, "events again")
            wait_until(lambda: events_of(city, "cam-2") > other, 60, "the other camera's events")
            assert city.worker.stop() == 0
