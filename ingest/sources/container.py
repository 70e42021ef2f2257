"""An open FFmpeg container, read picture by picture, with a deadline of its own for everything."""

import time
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

import av
from av.container import InputContainer

from ingest.attention import Attention
from ingest.decoder import Decoded, Decoder, VideoPacket
from ingest.snapshots import PrivacyMask
from ingest.sources.base import SourceError
from ingest.sources.reasons import reason_of

# FFmpeg would print addresses, with their passwords, to stderr.
av.logging.set_level(None)


class VideoContainer:
    """The first video stream of what FFmpeg opens.

    Args:
        url: what to open; with its password.
        options: FFmpeg's.
        open_timeout: seconds to open it within.
        read_timeout: seconds that PyAV waits for one packet.
        silence: seconds without a decoded picture after which the stream is given up, though data comes.
        container_format: FFmpeg's name of the format; found out when not given.
        deblocking: False leaves out H.264's and H.265's filter in the loop, a third of the cost of decoding.

    Raises:
        SourceError: it cannot be opened, or has no video.
    """

    def __init__(
        self,
        url: str,
        options: Mapping[str, str],
        *,
        open_timeout: float | None = None,
        read_timeout: float | None = None,
        silence: float | None = None,
        container_format: str | None = None,
        deblocking: bool = True,
    ) -> None:
        try:
            self._container: InputContainer = av.open(
                url, format=container_format, options=dict(options), timeout=(open_timeout, read_timeout)
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise SourceError(reason_of(error)) from None
        if not self._container.streams.video:
            self._container.close()
            raise SourceError("there is no video in it")
        self._stream = self._container.streams.video[0]
        self._stream.codec_context.thread_count = 1
        if not deblocking:
            self._stream.codec_context.options = {"skip_loop_filter": "all"}
        self._silence = silence
        self.codec = self._stream.codec_context.name

    @property
    def time_base(self) -> Fraction:
        """Of the video stream's time stamps."""
        return self._stream.time_base or Fraction(1, 90_000)

    @property
    def start_seconds(self) -> float:
        """The time stamp that the video begins with, in seconds."""
        return float(self.start)

    @property
    def start(self) -> Fraction:
        """The same, exactly."""
        return (self._stream.start_time or 0) * self.time_base

    @property
    def frames(self) -> int | None:
        """How many pictures a file says that it has; None: it does not say."""
        return self._stream.frames or None

    @property
    def duration(self) -> Fraction | None:
        """How long a file says that it is, in seconds; None: it does not say."""
        if self._stream.duration:
            return self._stream.duration * self.time_base
        if self._container.duration:
            return Fraction(self._container.duration, av.time_base)
        return None

    @property
    def camera_time(self) -> float | None:
        """The camera's wall clock at the time stamp 0, seconds since the epoch; None while it has not said.

        RTSP cameras say it some seconds after the first picture, in the RTCP sender report. One that has no
        wall clock counts from 0 there (RFC 3550, 6.4.1), which is the year 1900.
        """
        micros = self._container.start_time_realtime
        return micros / 1e6 if micros is not None and micros > 0 else None

    @property
    def creation_time(self) -> str | None:
        """What the file says of the time it was made, ISO 8601."""
        return self._container.metadata.get("creation_time")

    @property
    def comment(self) -> str:
        """What the file says of itself; empty when nothing."""
        return self._container.metadata.get("comment", "")

    def seek(self, seconds: float) -> None:
        """Go to the last key frame at or before ``seconds``."""
        self._container.seek(int(seconds * av.time_base), backward=True)

    def decoded(
        self,
        attention: Attention,
        mask: PrivacyMask,
        on_packet: Callable[[VideoPacket], None] | None = None,
    ) -> Iterator[Decoded]:
        """What becomes of every packet. Ends with the stream.

        Args:
            attention: how much has to be decoded.
            mask: burned into what is compared.
            on_packet: gets every packet before the decoder does, as it came.

        Raises:
            SourceError: the connection broke, hangs, or brings no picture for too long.
        """
        context = self._stream.codec_context
        decoder = Decoder(context, float(self.time_base), attention, mask)
        newest = time.monotonic()
        try:
            for packet in self._container.demux(self._stream):
                if on_packet is not None and packet.size:
                    on_packet(packet)
                for decoded in decoder.feed(packet):
                    if decoded.picture is not None or decoded.unseen is not None:
                        newest = time.monotonic()
                    yield decoded
                if self._silence is not None and time.monotonic() - newest > self._silence:
                    raise SourceError(f"data comes, but no picture for {self._silence:.0f} s")
        except (av.error.FFmpegError, OSError) as error:
            raise SourceError(reason_of(error)) from None

    def close(self) -> None:
        """Let go of it."""
        self._container.close()
