"""What can befall a camera, done to real pictures: before the lens, in it, in the light, on the sensor."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
WIDTH, HEIGHT = 640, 360
SMALL = (320, 180)

Optics = Callable[[Luma, float], Luma]
"""A picture (h, w) and the seconds since it began → the picture as it then comes through the lens."""


@dataclass(frozen=True)
class Aim:
    """Where the camera looks, against where it was mounted to look."""

    right: float = 0.0
    """Share of the picture's width."""
    down: float = 0.0
    """Share of the picture's height."""
    degrees: float = 0.0
    zoom: float = 1.0

    def view(self, wide: Luma) -> Luma:
        """The camera's picture (HEIGHT, WIDTH), cut out of one (h, w) that shows more than it does."""
        height, width = wide.shape
        turn = np.asarray(
            cv2.getRotationMatrix2D((width / 2, height / 2), self.degrees, self.zoom), np.float64
        )
        corner = np.array([(width - WIDTH) / 2, (height - HEIGHT) / 2])
        turn[:, 2] -= corner + np.array([self.right * WIDTH, self.down * HEIGHT])
        view = cv2.warpAffine(wide, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT)
        return np.asarray(view, np.uint8)


def defocused(sigma: float) -> Optics:
    """Out of focus: a Gaussian of ``sigma`` pixels of a picture 640 wide."""
    return lambda luma, _: np.asarray(cv2.GaussianBlur(luma, (0, 0), sigma), np.uint8)


def covered(share: float, *, level: float, texture: float, seed: int = 0) -> Optics:
    """Something close to the lens, so out of focus, hides ``share`` of the picture from the left side on.

    Args:
        share: of the picture.
        level: its brightness, grey levels.
        texture: standard deviation of its own brightness.
        seed: of its pattern.
    """
    cover = _soft_pattern(level, texture, seed)
    ramp = np.clip((share * WIDTH - np.arange(WIDTH)) / 40 + 0.5, 0, 1).astype(np.float32)
    alpha = np.broadcast_to(ramp, (HEIGHT, WIDTH))
    return lambda luma, _: _blend(luma, cover, alpha)


def sprayed(share: float, seed: int = 0) -> Optics:
    """Paint in soft-edged blots that hide about ``share`` of the picture."""
    blots = _soft_pattern(0.0, 1.0, seed + 7)
    threshold = np.quantile(blots, 1 - share)
    alpha = np.clip((blots - threshold) * 2.5 + 0.5, 0, 1).astype(np.float32)
    return lambda luma, _: _blend(luma, np.full((HEIGHT, WIDTH), 60, np.float32), alpha)


def webbed(density: float, seed: int = 0) -> Optics:
    """A spider's web in the infrared lamp: broad bright threads out of focus, and a veil of stray light."""
    generator = np.random.default_rng(seed)
    threads = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(int(40 * density)):
        ends = generator.integers((0, 0, 0, 0), (WIDTH, HEIGHT, WIDTH, HEIGHT))
        cv2.line(threads, ends[:2].tolist(), ends[2:].tolist(), 1.0, int(generator.integers(10, 26)))
    alpha = np.clip(cv2.GaussianBlur(threads, (0, 0), 12) * 1.6 + 0.2 * density, 0, 0.96)
    return lambda luma, _: _blend(luma, np.full((HEIGHT, WIDTH), 215, np.float32), alpha.astype(np.float32))


def lorry(share: float, seconds: float, every: float) -> Optics:
    """A lorry stops before the camera and hides ``share`` of the picture; sharp, with doors and letters."""
    side = np.full((HEIGHT, WIDTH), 150, np.uint8)
    side[:, ::90] = 60
    side[40::110] = 100
    cv2.putText(side, "FREIGHT", (60, 220), cv2.FONT_HERSHEY_SIMPLEX, 3, 40, 12)
    covered_width = int(share * WIDTH)

    def pass_by(luma: Luma, at: float) -> Luma:
        if at % every >= seconds:
            return luma
        left = int(WIDTH * 0.3)
        passed = luma.copy()
        passed[:, left : left + covered_width] = side[:, left : left + covered_width]
        return passed

    return pass_by


def raining(strength: float, seed: int = 0) -> Optics:
    """Streaks that fall through the picture, others in each."""
    generator = np.random.default_rng(seed)
    sheets = []
    for _ in range(12):
        sheet = np.zeros((HEIGHT, WIDTH), np.uint8)
        for x, y in generator.integers((0, 0), (WIDTH, HEIGHT), (int(500 * strength), 2)).tolist():
            cv2.line(sheet, (x, y), (x + 2, y + int(generator.integers(8, 26))), 45, 1)
        sheets.append(sheet)
    return lambda luma, at: np.asarray(cv2.add(luma, sheets[int(at * 7.3) % len(sheets)]), np.uint8)


def swaying(pixels: float) -> Optics:
    """The mast sways in the wind by ``pixels`` of a picture 640 wide."""

    def sway(luma: Luma, at: float) -> Luma:
        shift = np.array([[1, 0, pixels * np.sin(3.1 * at)], [0, 1, 0.5 * pixels * np.cos(4.7 * at)]])
        moved = cv2.warpAffine(luma, shift, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(moved, np.uint8)

    return sway


@dataclass(frozen=True)
class Light:
    """What the exposure makes of the light."""

    gain: float = 1.0
    veil: float = 0.0
    """Grey levels that are added everywhere."""

    def expose(self, luma: Luma) -> Luma:
        """``luma`` at this exposure."""
        return np.asarray(cv2.convertScaleAbs(luma, alpha=self.gain, beta=self.veil), np.uint8)


def noisy(luma: Luma, sigma: float, at: float) -> Luma:
    """``luma`` with a sensor's noise of ``sigma`` grey levels; other noise at another time."""
    if sigma <= 0:
        return luma
    sheets = _noise_sheets()
    number = round(at * 1000)
    sheet = sheets[number * 31 % len(sheets)]
    sheet = np.roll(sheet, (number * 53 % HEIGHT, number * 71 % WIDTH), axis=(0, 1))
    return np.asarray(cv2.addWeighted(luma, 1.0, sheet, sigma, 0.0, dtype=cv2.CV_8U), np.uint8)


@cache
def _noise_sheets() -> list[NDArray[np.float32]]:
    generator = np.random.default_rng(11)
    return [generator.standard_normal((HEIGHT, WIDTH), np.float32) for _ in range(13)]


def _soft_pattern(level: float, texture: float, seed: int) -> NDArray[np.float32]:
    """What is out of focus: smooth, with ``texture`` as its standard deviation."""
    generator = np.random.default_rng(seed)
    pattern = cv2.GaussianBlur(generator.standard_normal((HEIGHT, WIDTH)).astype(np.float32), (0, 0), 25)
    return np.asarray(level + texture * (pattern - pattern.mean()) / pattern.std(), np.float32)


def _blend(luma: Luma, cover: NDArray[np.float32], alpha: NDArray[np.float32]) -> Luma:
    return np.clip(luma * (1 - alpha) + cover * alpha, 0, 255).astype(np.uint8)
