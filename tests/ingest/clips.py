"""Clips as a camera sends them, made once a run of the tests."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import av

from ingest.bench.clips import Clip, make_clip

_folder = TemporaryDirectory(prefix="safecity-clips-")


@cache
def clip_file(**what: object) -> Path:
    """A 640x360 clip; see :class:`ingest.bench.clips.Clip`."""
    return make_clip(Clip(**{"stream": "sub", **what}), Path(_folder.name))


def packets(path: Path):
    """The stream's decoder and its packets, the last of them empty."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        yield stream
        yield from container.demux(stream)
