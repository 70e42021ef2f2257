"""The cameras that the centre knows: those of its site file, and those that workers share over the bus."""

import threading
from collections.abc import Sequence
from pathlib import Path

import structlog
from pydantic import ValidationError

from safecity.bus.port import Bus, BusError, Consumer, Record
from safecity.camera import Camera
from safecity.camera_record import CameraRecord
from safecity.redaction import redact
from safecity.references import stood_in
from safecity.settings import SettingsError, Site, parse_site

TOPIC = "cameras"
POLL_SECONDS = 1.0
RETRY_SECONDS = 5.0

_log = structlog.get_logger()


class KnownCameras:
    """Read from the topic ``cameras``, if workers share cameras; else the site file's, for ever.

    The centre opens no camera, so it needs none of their secrets.

    Args:
        site: its cameras, and whether there are any on the bus.
        bus: where the others are.
    """

    def __init__(self, site: Site, bus: Bus) -> None:
        self._site, self._bus = site, bus
        self._shared = site.worker.cameras == "bus"
        self._placed: dict[tuple[str, int], tuple[CameraRecord, Camera]] = {}
        self._cameras = {camera.id: camera for camera in (() if self._shared else site.cameras)}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)

    def all(self) -> Sequence[Camera]:
        """Every camera: in the order of the site file, or by id."""
        return tuple(self._cameras.values())

    def get(self, camera_id: str) -> Camera | None:
        """One of them."""
        return self._cameras.get(camera_id)

    def start(self) -> None:
        """Begin to read, if there is anything to read."""
        if self._shared:
            self._thread.start()

    def stop(self) -> None:
        """End."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._bus.ensure_topics()
                consumer = self._bus.consumer([TOPIC], group=None)
                try:
                    self._follow(consumer)
                finally:
                    consumer.close()
            except BusError as error:
                _log.warning("the cameras cannot be read from the bus now", reason=redact(error))
                self._stopping.wait(RETRY_SECONDS)

    def _follow(self, consumer: Consumer) -> None:
        while not self._stopping.is_set():
            records = consumer.poll(POLL_SECONDS, max_records=5000)
            for record in records:
                self._take(record)
            if records:
                # The newest record of each counts, in whichever partition it is.
                newest = sorted(self._placed.values(), key=lambda item: item[0].applied_at)
                found = {camera.id: camera for _, camera in newest}
                self._cameras = dict(sorted(found.items()))

    def _take(self, record: Record) -> None:
        place = (record.key or "", record.partition)
        if record.value is None:
            self._placed.pop(place, None)
            return
        try:
            read = CameraRecord.from_bytes(record.value)
            self._placed[place] = read, self._camera_of(read)
        except (ValidationError, SettingsError) as error:
            _log.warning("a camera's record cannot be used", camera_id=record.key, reason=redact(error))

    def _camera_of(self, read: CameraRecord) -> Camera:
        document = {
            "timezone": self._site.timezone,
            "allowed_networks": list(self._site.allowed_networks),
            "cameras": [stood_in(read.camera)],
        }
        return parse_site(document, Path("/"), f"camera {read.camera_id}").cameras[0]
