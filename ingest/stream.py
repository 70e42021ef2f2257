"""One camera's reader: opens it, reads it, and opens it again, whatever the camera does."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from ingest.attention import Attention, DecodePolicy
from ingest.backoff import Backoff
from ingest.frame import Frame
from ingest.intake import Intake
from ingest.ledger import Ledger, Outcome
from ingest.mailbox import Mailbox
from ingest.packet_tap import PacketTap
from ingest.sources import open_source
from ingest.sources.base import Capture, Source, SourceError
from safecity.camera import Camera
from safecity.redaction import redact
from safecity.status import CameraState

STABLE_SECONDS = 5.0
"""A stream that lived for so long is tried again at once after a failure."""
SET_BACK_SECONDS = 5.0
"""A step back in event time up to so long is jitter; a longer one is a clock that was set."""

_log = structlog.get_logger()


@dataclass(frozen=True)
class StreamState:
    """How a camera's stream fares."""

    state: CameraState
    since: datetime
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    codec: str | None = None
    reconnects: int = 0
    last_frame_at: datetime | None = None


class CameraStream:
    """Reads one camera in a thread of its own, and puts the frames to be analysed into a mailbox.

    Every frame that is not put there gets its outcome in the ledger here.

    Args:
        camera: what to read.
        mailbox: takes the frames.
        ledger: told of every frame.
        allowed_networks: CIDR; a camera elsewhere is not opened.
        attention: what the analysis sees; says how much has to be decoded.
        read_timeout: seconds of silence after which the camera is opened again.
        on_state: called from the thread when the state turns.
        backoff: how long to wait before the camera is opened again.
        tap: gets the packets as they came.
    """

    def __init__(
        self,
        camera: Camera,
        mailbox: Mailbox,
        ledger: Ledger,
        attention: Attention,
        *,
        allowed_networks: Sequence[str],
        read_timeout: float,
        on_state: Callable[[StreamState], None],
        backoff: Backoff | None = None,
        tap: PacketTap | None = None,
    ) -> None:
        self._camera = camera
        self._mailbox = mailbox
        self._ledger = ledger
        self._attention = attention
        self._allowed_networks = allowed_networks
        self._read_timeout = read_timeout
        self._on_state = on_state
        self._backoff = backoff or Backoff()
        self._tap = tap
        self._intake = Intake(camera.analysed_fps)
        self._stopping = threading.Event()
        self._index = 0
        self._cpu_seconds = 0.0
        self._newest: datetime | None = None
        self._state = StreamState(CameraState.STARTING, datetime.now(UTC))
        self._newest_at = time.monotonic()
        self._thread = threading.Thread(target=self._run, name=f"camera {camera.id}", daemon=True)

    @property
    def state(self) -> StreamState:
        """How it fares now. A reader that hangs in spite of all its deadlines is not called live."""
        state, silence = self._state, time.monotonic() - self._newest_at
        if state.state is CameraState.LIVE and silence > 2 * self._read_timeout and not self._is_recording:
            since = datetime.now(UTC) - timedelta(seconds=silence)
            reason = f"no picture for {silence:.0f} s"
            return replace(state, state=CameraState.RECONNECTING, since=since, reason=reason)
        return state

    @property
    def cpu_seconds(self) -> float:
        """CPU time that reading and decoding have cost."""
        return self._cpu_seconds

    def analyse_every(self, slots: int) -> None:
        """Under overload: look at one frame in so many that would be looked at otherwise; 1: at each."""
        self._intake.every = slots

    def start(self) -> None:
        """Begin to read."""
        self._thread.start()

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended."""
        return self._thread.is_alive()

    def request_stop(self) -> None:
        """Say that it is to end; returns at once."""
        self._stopping.set()

    def stop(self, timeout: float) -> None:
        """End it, and wait up to ``timeout`` seconds for that: a camera may hang, but not hold us up."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(timeout)
        if self._state.state is not CameraState.ENDED:
            self._turn(CameraState.STOPPED)

    @property
    def _is_recording(self) -> bool:
        return self._camera.url.startswith("file:")

    def _run(self) -> None:
        while not self._stopping.is_set():
            opened_at = time.monotonic()
            try:
                self._read()
            except SourceError as error:
                self._retry(str(error), opened_at)
            except Exception as error:  # noqa: BLE001  whatever it is, the camera is tried again
                _log.error("a camera's reader failed", camera_id=self._camera.id, exc_info=error)
                self._retry(f"{type(error).__name__} in its reader; the log says more", opened_at)
            else:
                if not self._stopping.is_set():
                    self._turn(CameraState.ENDED)
                return

    def _retry(self, reason: str, opened_at: float) -> None:
        if self._stopping.is_set():
            return
        if time.monotonic() - opened_at > STABLE_SECONDS and self._state.state is CameraState.LIVE:
            self._backoff.reset()
        self._turn(CameraState.RECONNECTING, reason=redact(reason))
        self._stopping.wait(self._backoff.next_wait())

    def _read(self) -> None:
        source = open_source(
            self._camera,
            self._allowed_networks,
            self._read_timeout,
            self._stopping,
            self._attention,
            self._tap,
        )
        try:
            for capture in source.captures():
                if self._stopping.is_set():
                    return
                self._receive(capture, source)
                self._cpu_seconds = time.thread_time()
        finally:
            if self._tap is not None:
                self._tap.away("worker stopped" if self._stopping.is_set() else "camera away")
            source.close()

    def _receive(self, capture: Capture, source: Source) -> None:
        self._ledger.received()
        index, self._index = self._index, self._index + 1
        picture = capture.picture
        if picture is not None:
            self._show_live(capture.received_at)
            self._show_picture(picture.width, picture.height, source.codec)
        elif self._attention.policy is DecodePolicy.NONE:
            self._show_live(capture.received_at)
        captured_at = self._in_order(capture.captured_at)
        outcome = self._intake.outcome(capture, captured_at.timestamp())
        if outcome is not None:
            self._ledger.settle(outcome)
        elif picture is not None:
            frame = Frame(
                self._camera.id, index, captured_at, capture.received_at, picture, capture.clock_error
            )
            self._hand_over(frame, late=capture.late)

    def _hand_over(self, frame: Frame, *, late: bool) -> None:
        # What is late is no less wanted than what follows it: it would be displaced at once.
        if late or self._camera.is_fast:
            if not self._mailbox.put_when_free(frame, self._stopping):
                self._ledger.settle(Outcome.SHED)
        elif self._mailbox.put(frame) is not None:
            self._ledger.settle(Outcome.OVERWRITTEN)

    def _in_order(self, captured_at: datetime) -> datetime:
        newest = self._newest
        if newest is not None and captured_at <= newest < captured_at + timedelta(seconds=SET_BACK_SECONDS):
            captured_at = newest + timedelta(milliseconds=1)
        self._newest = captured_at
        return captured_at

    def _show_live(self, at: datetime) -> None:
        self._newest_at = time.monotonic()
        before = self._state
        if before.state is not CameraState.LIVE:
            reconnects = before.reconnects + (before.state is CameraState.RECONNECTING)
            self._turn(CameraState.LIVE, reconnects=reconnects)
        self._state = replace(self._state, last_frame_at=at)

    def _show_picture(self, width: int, height: int, codec: str) -> None:
        before = self._state
        if before.width is not None and (width, height) != (before.width, before.height):
            _log.info("the picture's size changed", camera_id=self._camera.id, size=f"{width}x{height}")
        self._state = replace(before, width=width, height=height, codec=codec)

    def _turn(self, state: CameraState, *, reason: str | None = None, reconnects: int | None = None) -> None:
        before = self._state
        if (state, reason) == (before.state, before.reason):
            return
        since = before.since if state is before.state else datetime.now(UTC)
        count = before.reconnects if reconnects is None else reconnects
        self._state = replace(before, state=state, reason=reason, since=since, reconnects=count)
        self._on_state(self._state)
