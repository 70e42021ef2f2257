"""Pictures as workers send them, out of the shipped footage."""

from pathlib import Path

import av
import numpy as np

from ingest.snapshots import encode_jpeg
from safecity.demo.scenes import FOOTAGE

COUNT, EVERY = 8, 40


def write_pictures(folder: Path) -> list[Path]:
    """Write some frames of the shipped footage as JPEG, of the size that an event's picture has."""
    folder.mkdir()
    paths = []
    with av.open(str(FOOTAGE)) as footage:
        for number, frame in enumerate(footage.decode(video=0)):
            if number % EVERY == 0:
                paths.append(folder / f"{number}.jpg")
                picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                paths[-1].write_bytes(encode_jpeg(picture))
            if len(paths) == COUNT:
                break
    return paths
