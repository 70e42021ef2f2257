"""From the picture to the ground: a homography fitted to points whose place in metres is known.

Direct linear transform with normalised points, Hartley and Zisserman, "Multiple View Geometry in Computer
Vision", 2nd edition, algorithm 4.2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from safecity.geometry import Points

MOST_ERROR = 0.1
"""Of the points' extent on the ground: points that fit worse were measured wrongly."""


@dataclass(frozen=True, eq=False)
class Homography:
    """Maps relative picture coordinates to metres on the ground plane."""

    matrix: NDArray[np.float64]
    """(3, 3)."""

    def metres(self, points: Points) -> Points:
        """Where ``points`` (n, 2) lie on the ground, (n, 2) metres."""
        mapped = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        return np.asarray(mapped[:, :2] / mapped[:, 2:], np.float64)


def fit_homography(picture: Points, ground: Points) -> Homography:
    """The homography that takes ``picture`` (n, 2) to ``ground`` (n, 2) metres, n of 4 or more.

    Raises:
        ValueError: the points determine none, or do not fit together.
    """
    if len(picture) < 4 or len(picture) != len(ground):
        raise ValueError("want four or more points, each with its place in the picture and on the ground")
    to_picture, to_ground = _normaliser(picture), _normaliser(ground)
    rows = []
    for (x, y), (u, v) in zip(_apply(to_picture, picture), _apply(to_ground, ground), strict=True):
        rows += [[-x, -y, -1, 0, 0, 0, u * x, u * y, u], [0, 0, 0, -x, -y, -1, v * x, v * y, v]]
    _, strengths, vectors = np.linalg.svd(np.array(rows))
    if strengths[7] < 1e-3 * strengths[0]:
        raise ValueError("three or more of the points lie on one line; give four that span a quadrangle")
    fitted = Homography(np.linalg.inv(to_ground) @ vectors[-1].reshape(3, 3) @ to_picture)
    depth = np.column_stack([picture, np.ones(len(picture))]) @ fitted.matrix[2]
    errors = np.linalg.norm(fitted.metres(picture) - ground, axis=1)
    if depth.min() * depth.max() <= 0 or errors.max() > MOST_ERROR * float(np.ptp(ground, axis=0).max()):
        raise ValueError(
            f"the points do not fit together (number {int(errors.argmax())} is {errors.max():.1f} m off); "
            "are they in the same order, on one plane, in metres?"
        )
    return fitted


def _normaliser(points: Points) -> NDArray[np.float64]:
    """Moves the centre of ``points`` to the origin, and their mean distance from it to the root of 2."""
    centre = points.mean(axis=0)
    distance = float(np.linalg.norm(points - centre, axis=1).mean())
    if distance == 0:
        raise ValueError("the points are all the same")
    scale = np.sqrt(2) / distance
    return np.array([[scale, 0, -scale * centre[0]], [0, scale, -scale * centre[1]], [0, 0, 1]])


def _apply(matrix: NDArray[np.float64], points: Points) -> Points:
    return np.asarray(points @ matrix[:2, :2].T + matrix[:2, 2], np.float64)
