"""Pictures of the measures. Needs matplotlib, the extra ``analysis``."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from detectors.evaluation.detection import RECALLS, Curve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_CURVES = 12
"""More classes than these are not told apart by colour: those with the most objects are shown."""


def plot_detection(curves: Mapping[str, Curve], title: str, path: Path) -> None:
    """Precision over recall at an overlap of 0.5, a curve a class.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the name's ending is of no format that can be written.
        OSError: the file cannot be written.
    """
    known = sorted((c for c in curves.items() if c[1].truths), key=lambda item: -item[1].truths)
    with _Picture(path) as axes:
        for label, curve in known[:MOST_CURVES]:
            axes.plot(RECALLS, curve.precision[0], label=f"{label} {curve.ap50:.3f} ({curve.truths} objects)")
        axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
        axes.legend(title="AP50", fontsize="small", loc="lower left")


def plot_tracking(rates: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """MOTA, IDF1 and HOTA over the analysed rate.

    Raises:
        ImportError: matplotlib is not installed.
        ValueError: the name's ending is of no format that can be written.
        OSError: the file cannot be written.
    """
    rows = sorted(rates, key=lambda row: float(row["analysed_fps"]))
    with _Picture(path) as axes:
        for name in ("mota", "idf1", "hota", "deta", "assa"):
            points = [row["analysed_fps"] for row in rows], [row[name] for row in rows]
            dashes = "--" if name in ("deta", "assa") else "-"
            axes.plot(*points, marker="o", linestyle=dashes, label=name.upper())
        axes.set(xlabel="analysed frames a second", ylim=(0, 1.02), title=title)
        axes.set_xticks([row["analysed_fps"] for row in rows])
        axes.legend(loc="lower right")


class _Picture:
    """Axes to draw on, written to ``path`` at the end."""

    def __init__(self, path: Path) -> None:
        import matplotlib as mpl

        mpl.use("Agg")
        from matplotlib import pyplot

        self._path, self._pyplot = path, pyplot
        self._figure, self._axes = pyplot.subplots(figsize=(8, 5), layout="constrained")
        self._axes.grid(alpha=0.3)

    def __enter__(self) -> "Axes":
        return self._axes

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        try:
            if failed is None:
                self._figure.savefig(self._path, dpi=120)
        finally:
            self._pyplot.close(self._figure)
