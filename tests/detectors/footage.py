"""Pictures for the tests: the footage that is shipped."""

from functools import cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

import safecity

STREET = Path(safecity.__file__).parent / "demo" / "footage" / "street.mp4"


@cache
def street(count: int, step: int = 1) -> tuple[NDArray[np.uint8], ...]:
    """Every ``step``-th picture (h, w, 3) BGR, ``count`` of them."""
    pictures = []
    with av.open(str(STREET)) as container:
        for index, frame in enumerate(container.decode(video=0)):
            if len(pictures) == count:
                break
            if index % step == 0:
                pictures.append(frame.to_ndarray(format="bgr24"))
    return tuple(pictures)
