"""``safecity command-center`` and ``safecity events``, as processes."""

import json
import os
import socket
import subprocess
import sys

import pytest

from safecity.bus import open_bus
from safecity.free_port import free_port
from safecity.settings import load_site
from tests.command_center.messages import make_event, make_life, publish_event
from tests.system.processes import Part, parts, wait_until

TOKEN = "a-token-of-sixteen-or-more"


def safecity(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "safecity", *arguments],
        env={**os.environ, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def write_site(folder, **centre):
    site = folder / "site.json"
    site.write_text(json.dumps({"data_dir": str(folder / "data"), "centre": centre}))
    return site


def test_a_port_in_use_is_said_in_one_line(tmp_path):
    site = write_site(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = safecity("command-center", "--site", str(site), "--port", port)
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines() == [
        f"safecity: cannot listen on 127.0.0.1:{port} (Address already in use); choose another: --port 8081"
    ]


@pytest.mark.parametrize("by", ["option", "file"])
def test_beyond_loopback_it_wants_a_token(tmp_path, by):
    site = write_site(tmp_path, **({"host": "0.0.0.0"} if by == "file" else {}))
    options = ["--host", "0.0.0.0"] if by == "option" else []
    ended = safecity("command-center", "--site", str(site), *options)
    assert ended.returncode == 2
    assert "0.0.0.0 is not loopback" in ended.stderr
    assert "token" in ended.stderr
    assert not (tmp_path / "data").exists()


def test_a_second_centre_on_the_same_data_is_told_what_to_do(tmp_path):
    site = write_site(tmp_path, port=free_port())
    first = Part(["command-center", "--site", str(site)], tmp_path / "log", {})
    with parts(first):
        first.start()
        wait_until(lambda: "command centre started" in first.said, 30, "the centre")
        second = safecity("command-center", "--site", str(site), "--port", str(free_port()))
        assert second.returncode == 2
        assert "in use by command centre (pid" in second.stderr
        assert first.stop() == 0


def test_a_data_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "data").write_text("a file")
    ended = safecity("command-center", "--site", str(write_site(tmp_path)), "--port", "0")
    assert ended.returncode == 2
    assert "choose another data_dir" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_events_in_the_terminal(running):
    for number in range(5):
        publish_event(running.producer, make_event(number))
    wait_until(lambda: running.stored() == 5, 10, "the events")
    shown = safecity("events", "--url", running.url, "--limit", "3")
    assert shown.returncode == 0, shown.stderr
    lines = shown.stdout.splitlines()
    assert len(lines) == 3
    # In the site's time zone, the newest last.
    assert lines[-1].startswith("2026-03-01 17:00:04  Camera 1")
    assert "zone_entered" in lines[-1]
    as_json = safecity("events", "--url", running.url, "--json", "--camera", "cam-1", "--limit", "100")
    found = [json.loads(line)["event_id"] for line in as_json.stdout.splitlines()]
    assert found == [make_event(number).event_id for number in range(5)]
    none = safecity("events", "--url", running.url, "--json", "--kind", "loitering")
    assert none.stdout == ""


def test_the_terminal_says_what_goes_on_and_what_is_over(running):
    for event in (make_life(1)[0], *make_life(2), make_event(3)):
        publish_event(running.producer, event)
    wait_until(lambda: running.stored() == 5, 10, "the events")
    lines = safecity("events", "--url", running.url).stdout.splitlines()
    assert [line.split()[-1] for line in lines] == ["opened", "yard", "closed"]


def test_events_follows_and_comes_back_after_the_centre(tmp_path):
    port = free_port()
    site = write_site(tmp_path, port=port)
    centre = Part(["command-center", "--site", str(site)], tmp_path / "centre.log", {})
    viewer = Part(
        ["events", "--follow", "--json", "--url", f"http://127.0.0.1:{port}"], tmp_path / "seen", {}
    )
    with parts(centre, viewer):
        centre.start()
        wait_until(lambda: "the bus answers" in centre.said, 30, "the centre")
        with open_bus_of(site) as bus:
            producer = bus.producer("test")
            publish_event(producer, make_event(1))
            producer.flush(5)
            viewer.start()
            wait_until(lambda: make_event(1).event_id in viewer.said, 30, "the first event")
            centre.kill()
            publish_event(producer, make_event(2))
            producer.close()
        centre.start()
        wait_until(lambda: make_event(2).event_id in viewer.said, 40, "the event of meanwhile")
        seen = [json.loads(line)["event_id"] for line in viewer.said.splitlines() if line.startswith("{")]
        assert seen == [make_event(1).event_id, make_event(2).event_id]


def open_bus_of(site):
    return open_bus(load_site(site))


def test_events_says_what_is_wrong(make_site, serve):
    nobody = safecity("events", "--url", f"http://127.0.0.1:{free_port()}")
    assert nobody.returncode == 2
    assert "no command centre at" in nobody.stderr
    with serve(make_site(token=TOKEN)) as running:
        refused = safecity("events", "--url", running.url)
        assert (refused.returncode, refused.stderr) == (
            2,
            "safecity: the centre wants a token; set SAFECITY_TOKEN\n",
        )
        assert safecity("events", "--url", running.url, SAFECITY_TOKEN=TOKEN).returncode == 0
