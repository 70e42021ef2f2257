"""What the centre tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from safecity.status import CameraState, Status

LATENCY_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 600.0)


class CentreMetrics:
    """The metrics of one centre.

    Args:
        registry: where they are registered; a new one when not given.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        registry = registry or CollectorRegistry()
        self.registry = registry
        self.stored = Counter(
            "safecity_centre_events_stored_total", "Events stored, by kind.", ["kind"], registry=registry
        )
        self.duplicates = Counter(
            "safecity_centre_events_duplicate_total",
            "Events that came again and added nothing.",
            registry=registry,
        )
        self.media = Counter("safecity_centre_media_stored_total", "Pictures stored.", registry=registry)
        self.dead_letters = Counter(
            "safecity_centre_dead_letters_total",
            "Messages that could not be read, by topic.",
            ["topic"],
            registry=registry,
        )
        self.fenced = Counter(
            "safecity_centre_events_fenced_total",
            "Events of a replaced owner about frames that were its successor's: dead letters.",
            registry=registry,
        )
        self.latency = Histogram(
            "safecity_centre_event_latency_seconds",
            "From the capture of an event's frame to its storing.",
            registry=registry,
            buckets=LATENCY_BUCKETS,
        )
        self.lag = Gauge(
            "safecity_centre_consumer_lag_messages",
            "Messages on the bus that this centre is to read and has not, by topic; sum over all centres.",
            ["topic"],
            registry=registry,
        )
        self.busy = Counter(
            "safecity_centre_consumer_busy_seconds_total",
            "Time that the consumer spent on what it had read; near 1 a second, another centre is due.",
            registry=registry,
        )
        self.bus_connected = Gauge(
            "safecity_centre_bus_connected", "1 while the bus answers.", registry=registry
        )
        self.store_failures = Counter(
            "safecity_centre_store_failures_total",
            "Batches that the store or the disk did not take and that were tried again.",
            registry=registry,
        )
        self.followers = Gauge(
            "safecity_centre_stream_followers", "Open live streams of operators.", registry=registry
        )
        self.cameras = Gauge(
            "safecity_centre_cameras",
            "Cameras by the state they last reported; stale: they have not reported for a while.",
            ["state"],
            registry=registry,
        )

    def show_cameras(self, statuses: list[Status], stale: int) -> None:
        """Count the cameras by state.

        Args:
            statuses: of the cameras that report.
            stale: how many have not reported for a while, or never.
        """
        for state in CameraState:
            self.cameras.labels(state.value).set(sum(status.state is state for status in statuses))
        self.cameras.labels("stale").set(stale)
