"""A run on the bus and in a centre: kept apart from what is live, and once however often it is sent."""

import pytest

from tests.command_center.conftest import make_site, running, wait_until  # noqa: F401  fixtures
from tests.ingest.replay.command import AT, PARTS, replay, told

WORDS = (PARTS[1], *AT, "--run", "trial")


def site_file(served, tmp_path):
    """A site file with the bus of a centre that runs."""
    path = tmp_path / "site.toml"
    path.write_text(
        f'data_dir = "{served.centre.site.data_dir}"\n[[cameras]]\nid = "yard"\nsource = "file:///none.mp4"\n'
    )
    return path


@pytest.fixture(params=["bus", "centre"])
def send(request, running, tmp_path):  # noqa: F811
    """Sends the run, by one way or the other."""
    ways = {
        "bus": ("--to-bus", "--site", site_file(running, tmp_path)),
        "centre": ("--to-centre", running.url),
    }
    return lambda *more: replay(*WORDS, *ways[request.param], *more)


def of_run(served, **more):
    return served.client.get("/api/v1/events", params={"run": "trial", "limit": 1000, **more}).json()["items"]


def runs(served):
    return {run["name"]: run["events"] for run in served.client.get("/api/v1/runs").json()["items"]}


def test_a_run_is_in_the_centre_and_nothing_live_shows_it(running, send, tmp_path):  # noqa: F811
    send("--out", tmp_path / "a.jsonl")
    events = told(tmp_path / "a.jsonl")
    wait_until(lambda: len(of_run(running, revisions="all")) == len(events))
    kept = {(item["event_id"], item["revision"]) for item in of_run(running, revisions="all")}
    assert kept == {(event["event_id"], event["revision"]) for event in events}
    assert running.client.get("/api/v1/events").json()["items"] == []
    assert running.stored() == 0
    assert running.client.get(f"/api/v1/events/{events[0]['event_id']}").status_code == 404
    detail = running.client.get(f"/api/v1/events/{events[0]['event_id']}", params={"run": "trial"})
    assert detail.json()["occurred_at"] == events[0]["occurred_at"]
    assert running.client.get(of_run(running)[0]["snapshot_url"]).content.startswith(b"\xff\xd8")
    assert runs(running) == {"trial": len(events)}


def test_a_run_that_is_sent_again_adds_no_row(running, send, tmp_path):  # noqa: F811
    send("--out", tmp_path / "a.jsonl")
    events = told(tmp_path / "a.jsonl")
    wait_until(lambda: len(of_run(running, revisions="all")) == len(events))
    send()
    # Messages of one camera keep their order: when the next run is there, the one before has been read.
    send("--run", "next")
    wait_until(lambda: runs(running).get("next") == len(events))
    assert runs(running)["trial"] == len(events)


def test_pages_lead_through_a_run_in_order_of_event_time(running, tmp_path):  # noqa: F811
    replay(*WORDS, "--to-centre", running.url)
    query, seen = {"run": "trial", "limit": 2, "order": "oldest"}, []
    while True:
        page = running.client.get("/api/v1/events", params=query).json()
        seen += [item["occurred_at"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert len(seen) == len(of_run(running)) > 2
    assert seen == sorted(seen)


def test_a_centre_that_is_away_is_said_and_the_file_is_kept(tmp_path):
    done = replay(*WORDS, "--to-centre", "http://127.0.0.1:1", "--out", tmp_path / "a.jsonl", code=1)
    assert "does not answer" in done.stderr
    assert told(tmp_path / "a.jsonl")
    assert "--run" in replay(PARTS[1], *AT, "--to-centre", "http://127.0.0.1:1", code=2).stderr


@pytest.mark.parametrize(
    ("body", "status"), [(b"\xff", 422), (b"[]", 422), (b'[{"event_id": 1}]', 422), (b"[" * 9_000_000, 413)]
)
def test_what_is_no_list_of_events_is_refused(running, body, status):  # noqa: F811
    answer = running.client.post("/api/v1/runs/trial/events", content=body)
    assert answer.status_code == status
    assert answer.json()["detail"]
    assert runs(running) == {}
