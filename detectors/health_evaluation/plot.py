"""The measure of camera health as a picture."""

from pathlib import Path
from typing import Any

from matplotlib.figure import Figure


def draw(result: dict[str, Any], path: Path) -> None:
    """Precision and recall of each fault, and how long each run took to be found.

    Raises:
        OSError: it cannot be written.
        ValueError: matplotlib does not know the format.
    """
    rows = result["faults"]
    names = [row["fault"].replace("_", " ") for row in rows]
    figure = Figure(figsize=(10, 0.5 * len(rows) + 1.2), layout="constrained")
    shares, times = figure.subplots(1, 2, sharey=True)
    places = range(len(rows))
    shares.barh([p - 0.2 for p in places], [r["precision"] for r in rows], 0.38, label="precision")
    shares.barh([p + 0.2 for p in places], [r["recall"] for r in rows], 0.38, label="recall")
    shares.set(xlim=(0, 1), yticks=list(places), yticklabels=names, xlabel="share")
    shares.invert_yaxis()
    figure.legend(loc="outside upper left", ncols=2)
    for place, row in zip(places, rows, strict=True):
        found = [
            run["seconds_to_detect"]
            for run in result["runs"]
            if run["seconds_to_detect"] is not None and row["fault"] in (run["fault"], "all")
        ]
        times.plot(found, [place] * len(found), "o", alpha=0.5, color="tab:blue")
    times.set(xlim=(0, None), xlabel="seconds until it is found, one dot a run")
    times.grid(axis="x", alpha=0.4)
    figure.savefig(path, dpi=120)
