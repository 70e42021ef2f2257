"""The API, as clients use it, on a real server."""

import json
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import pytest

from safecity.status import CameraState
from tests.command_center.conftest import wait_until
from tests.command_center.messages import (
    BEGIN,
    make_event,
    make_life,
    make_picture,
    make_status,
    publish_event,
    publish_status,
)

TOKEN = "a-token-of-sixteen-or-more"


def fill(running, count, **more):
    events = [make_event(number, **more) for number in range(count)]
    for event in events:
        publish_event(running.producer, event)
    running.producer.flush(5)
    wait_until(lambda: running.stored() == count)
    return events


def read_stream(running, count, seconds=10, **headers):
    """The first ``count`` (id, kind, data) of the live stream."""
    found, kind, number = [], "", None
    with running.client.stream("GET", "/api/v1/events/stream", headers=headers, timeout=seconds) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            name, _, value = line.partition(": ")
            if name == "id":
                number = int(value)
            elif name == "event":
                kind = value
            elif name == "data":
                found.append((number, kind, json.loads(value)))
                number = None
                if len(found) == count:
                    return found
    return found


def test_an_item_is_the_event_and_what_the_centre_knows(running):
    event = make_event(1)
    publish_event(running.producer, event, make_picture())
    running.producer.flush(5)
    wait_until(lambda: running.stored() == 1)
    (item,) = running.client.get("/api/v1/events").json()["items"]
    assert {name: item[name] for name in json.loads(event.to_bytes())} == json.loads(event.to_bytes())
    assert item["camera_name"] == "Camera 1"
    assert item["latency_ms"] > 0
    assert item["trace"]["worker"] == "test/0"
    picture = running.client.get(item["snapshot_url"])
    assert (picture.status_code, picture.headers["content-type"]) == (200, "image/jpeg")
    assert picture.content == make_picture()
    detail = running.client.get(f"/api/v1/events/{event.event_id}").json()
    assert [revision["revision"] for revision in detail["revisions"]] == [1]


def test_all_revisions_are_there_for_who_wants_them(running):
    for event in (*make_life(1), make_event(2), make_life(1)[0]):
        publish_event(running.producer, event)
    wait_until(lambda: running.stored() == 4)

    def listed(query):
        items = running.client.get(f"/api/v1/events?order=oldest{query}").json()["items"]
        return sorted((item["event_id"], item["revision"], item["phase"]) for item in items)

    lasting, moment = make_life(1)[0].event_id, make_event(2).event_id
    assert listed("") == sorted([(lasting, 3, "closed"), (moment, 1, "closed")])
    phases = [(lasting, 1, "opened"), (lasting, 2, "updated"), (lasting, 3, "closed"), (moment, 1, "closed")]
    assert listed("&revisions=all") == sorted(phases)
    assert running.client.get("/api/v1/events?revisions=some").status_code == 422


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_the_link_header_leads_through_all_events(running, order):
    events = fill(running, 25)
    address = f"/api/v1/events?limit=7&order={order}&camera_id=cam-1"
    ids, pages = [], 0
    while address:
        answer = running.client.get(address)
        ids += [item["event_id"] for item in answer.json()["items"]]
        address = answer.links.get("next", {}).get("url")
        assert bool(address) == bool(answer.json()["next_cursor"])
        pages += 1
    wanted = [event.event_id for event in events]
    assert ids == (wanted if order == "oldest" else wanted[::-1])
    assert pages == 4


def test_filters_of_time_kind_and_camera(running):
    fill(running, 10)
    since = BEGIN.replace(second=4).isoformat()
    get = running.client.get
    assert len(get("/api/v1/events", params={"since": since}).json()["items"]) == 6
    assert len(get("/api/v1/events", params={"until": since}).json()["items"]) == 4
    assert get("/api/v1/events", params={"camera_id": "cam-2"}).json()["items"] == []
    assert get("/api/v1/events", params={"kind": "loitering"}).json()["items"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=1001", "limit=x", "cursor=x", "cursor=1.99999999999999999999", "order=best",
        "camera_id=%00", "kind=A%20B", "since=yesterday", "since=2026-01-01T00:00:00", "until=1e400",
        "until=0.5",
    ],
)  # fmt: skip
def test_wrong_questions_are_refused_with_the_reason(running, query):
    answer = running.client.get(f"/api/v1/events?{query}")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"][-1] == query.partition("=")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/media/../store.sqlite", "/api/v1/media/..%2fstore.sqlite", "/api/v1/media/%2e%2e%2fb",
        "/api/v1/media/x.jpg", f"/api/v1/media/{'0' * 32}-1.jpg", "/api/v1/media/" + "a" * 4000,
        "/api/v1/events/none", f"/api/v1/events/{'0' * 32}",
        "/../pyproject.toml", "/..%2fcli.py", "/%2e%2e/centre.py",
    ],
)  # fmt: skip
def test_what_is_not_there_or_not_to_be_had_is_404(running, path):
    # As bytes on the wire: a client would tidy the dots away.
    answer = running.client.send(
        httpx.Request("GET", httpx.URL(running.url).copy_with(raw_path=path.encode()))
    )
    assert answer.status_code == 404


def test_cameras_and_their_states(running):
    publish_status(running.producer, make_status())
    refused = make_status("cam-2", CameraState.RECONNECTING, reason="refused")
    publish_status(running.producer, refused)
    wait_until(
        lambda: sum(bool(c["status"]) for c in running.client.get("/api/v1/cameras").json()["items"]) == 2
    )
    answer = running.client.get("/api/v1/cameras")
    one, two, three = answer.json()["items"]
    assert (one["status"]["state"], one["stale"], one["status"]["ledger"]["received"]) == ("live", False, 10)
    assert (two["status"]["state"], two["status"]["reason"]) == ("reconnecting", "refused")
    assert (three["status"], three["stale"]) == (None, True)
    assert one["source"] == "rtsp://***@127.0.0.1:1/1"
    assert "hidden" not in answer.text


def test_the_live_stream_brings_events_and_statuses_as_they_come(running):
    fill(running, 3)

    def publish_soon():
        wait_until(lambda: running.centre.live.followers == 1)
        publish_status(running.producer, make_status("cam-2"))
        publish_event(running.producer, make_event(3))

    thread = threading.Thread(target=publish_soon)
    thread.start()
    found = read_stream(running, 2)
    thread.join()
    by_kind = {kind: data for _, kind, data in found}
    assert by_kind["event"]["event_id"] == make_event(3).event_id
    assert by_kind["status"]["camera_id"] == "cam-2"
    wait_until(lambda: running.centre.live.followers == 0)


def test_the_live_stream_resumes_where_it_was(running):
    events = fill(running, 6)
    every = read_stream(running, 6, **{"Last-Event-ID": "0"})
    assert [data["event_id"] for _, _, data in every] == [event.event_id for event in events]
    rest = read_stream(running, 2, **{"Last-Event-ID": str(every[3][0])})
    assert [data["event_id"] for _, _, data in rest] == [event.event_id for event in events[4:]]
    assert all(number == data["sequence"] for number, _, data in every)


def test_a_follower_that_does_not_read_holds_nobody_up(running):
    with running.client.stream("GET", "/api/v1/events/stream", headers={"Last-Event-ID": "0"}):
        fill(running, 400)
    assert running.client.get("/api/v1/stats").json()["events"]["stored"] == 400


def test_stats(running):
    fill(running, 4)
    publish_event(running.producer, make_event(0))
    wait_until(lambda: running.client.get("/api/v1/stats").json()["events"]["duplicates"] == 1)
    stats = running.client.get("/api/v1/stats").json()
    assert stats["events"]["by_kind"] == {"zone_entered": 4}
    assert stats["events"]["by_camera"] == {"cam-1": 4}
    latency = stats["latency_ms"]
    assert latency["count"] == 4
    assert 0 < latency["p50"] <= latency["p95"] <= latency["p99"]


def test_readiness_tells_the_truth(make_site, serve):
    with serve(make_site()) as running:
        assert running.client.get("/api/v1/health/ready").json()["checks"] == {
            "bus": True,
            "store": True,
            "consumer": True,
        }
        running.centre.consumer.stop()
        answer = running.client.get("/api/v1/health/ready")
        assert (answer.status_code, answer.json()["checks"]["consumer"]) == (503, False)
        assert running.client.get("/api/v1/health/live").status_code == 200


def test_metrics_are_clean_and_count(running):
    fill(running, 3)
    text = running.client.get("/metrics").text
    assert 'safecity_centre_events_stored_total{kind="zone_entered"} 3.0' in text
    assert 'safecity_centre_cameras{state="stale"} 3.0' in text
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("NO PROMTOOL: apt-get install prometheus")
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_with_a_token_only_who_has_it_is_answered(make_site, serve):
    with serve(make_site(token=TOKEN)) as running, httpx.Client(base_url=running.url) as stranger:
        for path in ("/api/v1/events", "/api/v1/cameras", "/api/v1/media/x.jpg", "/metrics", "/openapi.json"):
            assert stranger.get(path).status_code == 401, path
            wrong = stranger.get(path, headers={"Authorization": f"Bearer {TOKEN}x"})
            assert wrong.status_code == 401, path
            assert running.client.get(path).status_code != 401, path
        for path in ("/", "/app.js", "/api/v1/health/live", "/api/v1/health/ready"):
            assert stranger.get(path).status_code == 200, path
        assert stranger.post("/api/v1/session", json={"token": "wrong"}).status_code == 401
        signed = stranger.post("/api/v1/session", json={"token": TOKEN})
        cookie = signed.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert TOKEN not in cookie
        assert stranger.get("/api/v1/events").status_code == 200
        assert stranger.delete("/api/v1/session").status_code == 204
        assert stranger.get("/api/v1/events").status_code == 401


def test_other_names_and_other_sites_are_refused(running):
    get = running.client.get
    assert get("/api/v1/events", headers={"Host": "evil.example"}).status_code == 421
    assert get("/", headers={"Host": "evil.example:8080"}).status_code == 421
    assert get("/", headers={"Host": "[::1"}).status_code == 421
    assert get("/", headers={"Host": "localhost:1"}).status_code == 200
    crossed = running.client.post(
        "/api/v1/session", json={"token": "x"}, headers={"Origin": "http://evil.example"}
    )
    assert crossed.status_code == 403
    policy = get("/").headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_wrong_method_is_told_the_right_ones(running):
    answer = running.client.put("/api/v1/session")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "DELETE, POST"
    assert running.client.post("/api/v1/media/x").headers["allow"] == "GET"


def test_no_input_makes_the_api_fail(running, tmp_path):
    fill(running, 5)
    operations = sum(len(methods) for methods in running.client.get("/openapi.json").json()["paths"].values())
    checked = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "run",
            f"{running.url}/openapi.json",
            "--max-examples", "25", "--seed", "1", "--no-color",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout[-6000:] + checked.stderr[-1000:]
    assert operations >= 10
    assert f"Tested: {operations}" in checked.stdout, checked.stdout
