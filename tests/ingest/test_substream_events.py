"""Events of a camera with a substream: decided on the small pictures, illustrated with the large ones."""

import json

import cv2
import numpy as np
import pytest

from safecity.bus import open_bus
from safecity.demo.scenes import FOOTAGE, SCENES
from safecity.settings import load_site
from safecity.status import Status
from tests.ingest.test_memory import write_street
from tests.system.processes import Part, parts, wait_until

MASK = [[0.0, 0.0], [0.3, 0.0], [0.3, 0.3], [0.0, 0.3]]


def record_of(folder, main, **more):
    """Snapshots, statuses and the ledger of a worker with one camera."""
    small = write_street(folder / "small.mp4", seconds=20)
    scene = {key: value for key, value in SCENES[0].items() if key in {"zones", "lines", "rules"}}
    camera = {"id": "cam-1", "source": main, "substream": small.as_uri(), "masks": [MASK], **scene, **more}
    document = {
        "name": "one",
        "data_dir": str(folder / "data"),
        "bus": {"backend": "embedded"},
        "worker": {"processes": 1, "metrics_port": 0, "status_seconds": 1.0},
        "cameras": [camera],
    }
    site, summary = folder / "site.json", folder / "summary.json"
    site.write_text(json.dumps(document))
    worker = Part(["worker", "--site", str(site), "--summary", str(summary)], folder / "log", {})
    with parts(worker):
        worker.start()
        wait_until(lambda: "state=ended" in worker.said, 120, "the recording to end")
        assert worker.stop() == 0
    bus = open_bus(load_site(site))
    consumer = bus.consumer(["snapshots", "status"], group=None)
    records = []
    while came := consumer.poll(1.0):
        records += came
    consumer.close()
    bus.close()
    pictures = [
        cv2.imdecode(np.frombuffer(r.value, np.uint8), cv2.IMREAD_COLOR)
        for r in records
        if r.topic.endswith("snapshots")
    ]
    statuses = [Status.from_bytes(r.value) for r in records if r.topic.endswith("status")]
    return pictures, statuses, json.loads(summary.read_text())["ledger"]["cam-1"]


@pytest.mark.parametrize("playback", ["fast", "live"])
def test_the_picture_has_the_main_stream_s_size_and_its_masks(tmp_path, playback):
    pictures, statuses, ledger = record_of(tmp_path, FOOTAGE.as_uri(), playback=playback)
    assert pictures
    main = cv2.VideoCapture(str(FOOTAGE)).read()[1]
    assert main.shape[1] > 640
    assert {picture.shape for picture in pictures} == {main.shape}
    for picture in pictures:
        height, width = (int(0.28 * side) for side in picture.shape[:2])
        assert picture[:height, :width].max() < 30
    assert {(s.width, s.height) for s in statuses if s.width} == {(640, 360)}
    # Of the stream that is analysed, and only of it.
    assert (ledger["received"], ledger["residue"]) == (500, 0)


def test_without_the_main_stream_the_substream_s_picture_goes_out(tmp_path):
    missing = (tmp_path / "gone.mp4").as_uri()
    pictures, statuses, _ = record_of(tmp_path, missing, playback="live")
    assert {picture.shape for picture in pictures} == {(360, 640, 3)}
    assert any("the main stream is down (there is no such file)" in (s.reason or "") for s in statuses)
