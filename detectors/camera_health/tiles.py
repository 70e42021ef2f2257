"""The small grey picture in tiles."""

import cv2
import numpy as np
from numpy.typing import NDArray

HEIGHT, WIDTH = 180, 320
SIDE = 20
GRID = (HEIGHT // SIDE, WIDTH // SIDE)


def tile_means(plane: NDArray[np.float32] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Mean of each tile of ``plane`` (180, 320), (9, 16)."""
    return np.asarray(cv2.resize(plane, GRID[::-1], interpolation=cv2.INTER_AREA), np.float32)


def tile_bytes(small: NDArray[np.uint8]) -> list[bytes]:
    """The pixels of each tile of ``small`` (180, 320), row by row of tiles."""
    rows, columns = GRID
    flat = small.reshape(rows, SIDE, columns, SIDE).swapaxes(1, 2).tobytes()
    size = SIDE * SIDE
    return [flat[start : start + size] for start in range(0, len(flat), size)]


def whole_tiles(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tiles (9, 16) of which every pixel of ``pixels`` (180, 320) is set."""
    rows, columns = GRID
    return np.asarray(pixels.reshape(rows, SIDE, columns, SIDE).all(axis=(1, 3)))
