"""A canary password in a camera's address: looked for in everything that the system says and keeps."""

import json
import subprocess
import sys

import httpx
import pytest

from safecity.free_port import free_port
from tests.rtsp import rtsp_server
from tests.system.processes import build_city, parts, wait_until

CANARY = "c4nary-Pa55word"


@pytest.mark.rtsp
def test_the_password_is_nowhere(tmp_path):
    with rtsp_server(user="operator", password=CANARY) as server:
        city = build_city(tmp_path, cameras=3, rtsp={"cam-1": server.url("street")})
        document = json.loads(city.site.read_text())
        # The second refuses, with a password in its address all the same; the third's is wrong.
        document["cameras"][1]["source"] = f"rtsp://operator:{CANARY}@127.0.0.1:{free_port()}/none"
        document["cameras"][2]["source"] = server.url("street").replace(CANARY, CANARY + "-wrong")
        metrics_port = free_port()
        document["worker"]["metrics_port"] = metrics_port
        city.site.write_text(json.dumps(document))
        with parts(city.worker, city.centre):
            city.worker.arguments += ["--log-level", "debug"]
            city.centre.start()
            wait_until(city.ready, 40, "the centre")
            city.worker.start()
            wait_until(lambda: len(city.decided) >= 1, 90, "an event of the camera behind a password")
            wait_until(city.everything_stored, 30, "it to be stored")
            wait_until(
                lambda: all(c["status"] for c in httpx.get(f"{city.url}/api/v1/cameras").json()["items"]),
                30,
                "a status of each camera",
            )
            said = [
                httpx.get(f"{city.url}{path}").text
                for path in (
                    "/api/v1/cameras",
                    "/api/v1/events",
                    "/api/v1/stats",
                    "/metrics",
                    "/openapi.json",
                )
            ]
            said.append(httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text)
            checked = subprocess.run(
                [sys.executable, "-m", "safecity", "check", str(city.site), "--json", "--timeout", "5"],
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )
            assert checked.returncode == 1
            said += [checked.stdout, checked.stderr]
            results = {c["camera_id"]: c for c in json.loads(checked.stdout)["cameras"]}
            assert results["cam-1"]["ok"]
            assert not results["cam-2"]["ok"]
            assert not results["cam-3"]["ok"]
            assert city.worker.stop() == 0
            assert city.centre.stop() == 0
    said += [city.worker.said, city.centre.said]
    assert all(CANARY not in text for text in said)
    for path in tmp_path.rglob("*"):
        if path.is_file() and path != city.site:
            assert CANARY.encode() not in path.read_bytes(), path
