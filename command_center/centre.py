"""The parts of one command centre, put together."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from command_center.clips import Clips
from command_center.consumer import EventConsumer
from command_center.known_cameras import KnownCameras
from command_center.live import Live
from command_center.media import MediaStore
from command_center.metrics import CentreMetrics
from command_center.retention import Retention
from command_center.store.store import Store
from command_center.tail import Tail
from safecity.bus import open_bus
from safecity.bus.port import Bus
from safecity.settings import Site
from safecity.status import Status

STALE_SECONDS = 15.0


@dataclass
class Centre:
    """Everything that the API needs.

    Raises (from :meth:`open`):
        StoreError: the store cannot be opened.
        OSError: the data folder cannot be written.
    """

    site: Site
    cameras: KnownCameras
    store: Store
    media: MediaStore
    clips: Clips
    live: Live
    metrics: CentreMetrics
    bus: Bus
    consumer: EventConsumer
    retention: Retention
    tail: Tail

    @classmethod
    def open(cls, site: Site, bus: Bus | None = None) -> "Centre":
        """Open what the site file names. Nothing is read from the bus before :meth:`start`."""
        folder = site.in_data_dir("centre")
        database = site.centre.database
        url = database.get_secret_value() if database else f"sqlite:///{folder / 'store.sqlite'}"
        store, media = Store(url), MediaStore(folder / "media")
        live, metrics = Live(), CentreMetrics()
        bus = bus or open_bus(site)
        cameras = KnownCameras(site, bus)
        clips = Clips(site, cameras, folder / "clips")
        consumer = EventConsumer(bus, store, media, live, metrics)
        retention, tail = Retention(store, media, site, clips), Tail(store, live)
        return cls(site, cameras, store, media, clips, live, metrics, bus, consumer, retention, tail)

    def start(self) -> None:
        """Begin to read the bus, and to look after the store."""
        self.consumer.start()
        self.cameras.start()
        self.retention.start()
        if self.store.shared:
            self.tail.start()

    def close(self) -> None:
        """End the live streams and the consumer, and let go of everything."""
        self.live.close()
        self.tail.stop()
        self.retention.stop()
        self.consumer.stop()
        self.cameras.stop()
        self.bus.close()
        self.store.close()

    def statuses(self) -> dict[str, Status]:
        """The newest status of each camera of the site that ever reported."""
        known = self.store.statuses()
        return {camera.id: known[camera.id] for camera in self.cameras.all() if camera.id in known}

    def refresh_metrics(self) -> None:
        """Bring the gauges that nobody else sets up to date."""
        statuses = self.statuses()
        stale = sum(is_stale(statuses.get(camera.id)) for camera in self.cameras.all())
        self.metrics.show_cameras(list(statuses.values()), stale)
        self.metrics.followers.set(self.live.followers)


def is_stale(status: Status | None) -> bool:
    """Whether a camera has not reported for a while, or never."""
    return status is None or datetime.now(UTC) - status.reported_at > timedelta(seconds=STALE_SECONDS)
