"""One camera's place in a shard: its streams, its analysis, its ledger, and what it is given."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from detectors.detector import Detector
from ingest.attention import Attention, DecodePolicy
from ingest.cost_meter import Used
from ingest.ladder import Setting, ladder_of
from ingest.ledger import Ledger
from ingest.mailbox import Mailbox
from ingest.main_stream import MainRecording, MainStream
from ingest.pipeline import CameraPipeline, StageTimer
from ingest.recorder import Recorder
from ingest.stream import CameraStream, StreamState
from ingest.tenure import Tenure
from safecity.camera import Camera
from safecity.settings import Site
from safecity.status import CameraState, CameraStep

PAUSED = "paused: its worker is overloaded, and other cameras come first"


@dataclass
class Post:
    """One camera in the shard. All but the streams is the shard's thread's own."""

    camera: Camera
    ledger: Ledger
    mailbox: Mailbox
    pipeline: CameraPipeline
    stream: CameraStream
    attention: Attention
    main: MainStream | None
    recorder: Recorder | None
    setting: Setting
    tenure: Tenure
    opened: bool = False
    analysis_seconds: float = 0.0
    served: int = 0
    events_decided: int = 0
    last_error_at: float = -60.0
    reported: tuple[object, ...] = ()
    reported_at: float = 0.0

    @property
    def used(self) -> Used:
        """What the camera has cost so far."""
        main = self.main.cpu_seconds if self.main else 0.0
        overtaken = self.ledger.counts().overwritten
        return Used(self.stream.cpu_seconds + main, self.analysis_seconds, self.served, overtaken)

    def start(self, setting: Setting) -> None:
        """Open the camera."""
        self.give(setting)
        self.stream.start()
        if self.main is not None:
            self.main.start()
        self.opened = True

    def give(self, setting: Setting) -> None:
        """Decode and analyse so much of it from now on."""
        self.setting = setting
        self.attention.policy = setting.decode
        self.stream.analyse_every(setting.every)

    def request_stop(self) -> None:
        """Say that it is to end; returns at once."""
        self.stream.request_stop()
        if self.main is not None:
            self.main.request_stop()

    def stop(self, timeout: float) -> None:
        """End it, and wait up to ``timeout`` seconds for each of its streams."""
        self.stream.stop(timeout)
        if self.main is not None:
            self.main.stop(timeout)

    @property
    def is_running(self) -> bool:
        """Whether one of its streams has not ended yet."""
        return self.stream.is_running or (self.main is not None and self.main.is_running)

    @property
    def is_live(self) -> bool:
        """Whether it gives pictures, or would if they were decoded."""
        return self.stream.state.state is CameraState.LIVE

    @property
    def standing(self) -> tuple[object, ...]:
        """What operators are told of at once when it changes."""
        trouble = self.main.trouble if self.main else None
        return self.stream.state.state, self.pipeline.faults, self.setting, trouble, self.pipeline.config

    @property
    def reason(self) -> str | None:
        """Why operators see less of it than they are used to."""
        trouble = self.main.trouble if self.main else None
        reasons = (
            self.stream.state.reason,
            PAUSED if self.is_live and self.setting.step is CameraStep.PAUSED else None,
            f"the main stream is down ({trouble}); pictures come from the substream" if trouble else None,
        )
        return "; ".join(filter(None, reasons)) or None


class PostMaker:
    """Makes the posts of a shard.

    Args:
        site: networks, timeouts and where recordings go.
        detector: of the shard.
        timed: measures the stages of the analysis.
        wake: set whenever a frame waits.
        on_state: called from the stream's thread when its state turns.
    """

    def __init__(
        self,
        site: Site,
        detector: Detector,
        timed: StageTimer,
        wake: threading.Event,
        on_state: Callable[[Camera, StreamState], None],
    ) -> None:
        self._site, self._detector = site, detector
        self._timed, self._wake, self._on_state = timed, wake, on_state

    def post(self, camera: Camera, tenure: Tenure) -> Post:
        """A camera's post; nothing is read before it is started."""
        site = self._site
        ledger, mailbox, attention = Ledger(), Mailbox(self._wake), Attention(DecodePolicy(camera.decode))
        recorder = Recorder(camera, site.recordings, site.recording) if camera.recording != "off" else None
        stream = CameraStream(
            camera.analysed,
            mailbox,
            ledger,
            attention,
            allowed_networks=site.allowed_networks,
            read_timeout=site.worker.read_timeout_seconds,
            on_state=partial(self._on_state, camera),
            tap=recorder,
        )
        main = main_stream_of(camera, site) if camera.substream is not None and not camera.is_fast else None
        return Post(
            camera,
            ledger,
            mailbox,
            self.pipeline(camera, main),
            stream,
            attention,
            main,
            recorder,
            ladder_of(camera)[0],
            tenure,
        )

    def pipeline(self, camera: Camera, main: MainStream | None) -> CameraPipeline:
        """The analysis of a camera; ``main`` gives the pictures of its events, if not the analysed stream."""
        return CameraPipeline(
            camera,
            self._detector,
            start_confidence=self._site.detector.confidence,
            timed=self._timed,
            main=MainRecording(camera) if camera.substream is not None and camera.is_fast else main,
        )


def main_stream_of(camera: Camera, site: Site) -> MainStream:
    """The reader of a live camera's main stream."""
    return MainStream(
        camera, allowed_networks=site.allowed_networks, read_timeout=site.worker.read_timeout_seconds
    )
