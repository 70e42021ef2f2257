"""Clips of events through the API: cut from real recordings, in parts, masked, and only for who may."""

import io
from datetime import timedelta

import av
import httpx
import pytest
from structlog.testing import capture_logs

from safecity.settings import parse_site
from tests.command_center.conftest import served, wait_until
from tests.command_center.messages import BEGIN, make_event, make_picture, publish_event
from tests.ingest.recordings import camera, encode, record

TOKEN = "a-token-that-is-long-enough"
HALF = [[0.0, 0.0], [0.5, 0.0], [0.5, 1.0], [0.0, 1.0]]


def site_of(tmp_path, *, masks=(), codec="libx264", token=TOKEN):
    """A site of which camera cam-1 was recorded for 30 s, and nothing else."""
    source = encode(tmp_path / "in.mp4", 30 * 30, codec=codec)
    recorded = camera(source, id="cam-1", start_time=BEGIN)
    record(recorded, tmp_path / "data" / "recordings", segment_seconds=10)
    settings = {"source": "rtsp://127.0.0.1:1/1", "pre_roll_seconds": 2, "post_roll_seconds": 3}
    cameras = [{"id": "cam-1", "masks": masks, **settings}, {"id": "cam-2", **settings}]
    document = {"data_dir": str(tmp_path / "data"), "cameras": cameras, "centre": {"token": token}}
    return parse_site(document, tmp_path)


def stored_event(server, number, **more):
    event = make_event(number, **more)
    before = server.stored()
    publish_event(server.producer, event, make_picture())
    wait_until(lambda: server.stored() > before)
    return f"/api/v1/events/{event.event_id}/clip"


def pictures(content):
    with av.open(io.BytesIO(content)) as container:
        return [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]


def test_a_clip_is_given_whole_and_in_parts_and_only_with_the_token(tmp_path):
    with served(site_of(tmp_path)) as server:
        url = stored_event(server, 12)
        assert httpx.get(f"{server.url}{url}").status_code == 401
        with capture_logs() as logs:
            whole = server.client.get(url)
        assert whole.status_code == 200
        assert whole.headers["content-type"] == "video/mp4"
        assert whole.headers["accept-ranges"] == "bytes"
        assert "x-safecity-browser" not in whole.headers
        assert 5 * 30 <= len(pictures(whole.content)) <= 6 * 30
        assert [log["event_id"] for log in logs if log["event"] == "clip given out"] == [url.split("/")[4]]
        part = server.client.get(url, headers={"Range": "bytes=100-299"})
        assert part.status_code == 206
        assert part.headers["content-range"] == f"bytes 100-299/{len(whole.content)}"
        assert part.content == whole.content[100:300]
        info = server.client.get(f"{url}/info").json()
        assert (info["codec"], info["masked"], info["gaps"], info["note"]) == ("h264", False, [], None)


def test_a_masked_camera_gives_a_clip_with_the_mask_burned_in(tmp_path):
    with served(site_of(tmp_path, masks=[HALF])) as server:
        url = stored_event(server, 12)
        assert server.client.get(f"{url}/info").json()["masked"] is True
        got = pictures(server.client.get(url).content)
        assert len(got) == 150
        assert max(int(gray[:, :156].max()) for gray in got) < 30
        assert min(int(gray[:, 164:].max()) for gray in got) > 80


def test_h265_is_said_in_the_answer(tmp_path):
    with served(site_of(tmp_path, codec="libx265")) as server:
        url = stored_event(server, 12)
        assert "do not play it" in server.client.get(url).headers["x-safecity-browser"]
        info = server.client.get(f"{url}/info").json()
        assert (info["codec"], info["plays_in_browsers"]) == ("hevc", False)
        assert "hevc" in info["note"]


@pytest.mark.parametrize(
    ("more", "why"),
    [({"at": 900}, "nothing of cam-1 is recorded there"), ({"camera_id": "cam-2"}, "nothing of cam-2")],
)
def test_where_nothing_is_recorded_that_is_said(tmp_path, more, why):
    with served(site_of(tmp_path)) as server:
        answer = server.client.get(stored_event(server, 12, **more))
        assert answer.status_code == 404
        assert why in answer.json()["detail"]
        assert server.client.get(f"/api/v1/events/{'0' * 32}/clip").status_code == 404


def test_a_clip_says_what_is_missing(tmp_path):
    with served(site_of(tmp_path)) as server:
        info = server.client.get(f"{stored_event(server, 29)}/info").json()
        assert len(info["gaps"]) == 1
        assert info["start"] == (BEGIN + timedelta(seconds=27)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
