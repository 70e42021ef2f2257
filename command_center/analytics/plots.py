"""Answers as pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from command_center.analytics.needs import need
from command_center.analytics.questions import Answer


def bars(answer: Answer, names: tuple[str, ...], value: str, title: str, path: Path) -> None:
    """One bar a row, named after its columns ``names``; more than 40 rows: the largest."""
    figure, axes = _figure(title)
    at = {column: index for index, column in enumerate(answer.columns)}
    rows = sorted(answer.rows, key=lambda row: -row[at[value]])[:40]
    labels = [" · ".join(str(row[at[name]]) for name in names if row[at[name]] != "") for row in rows]
    figure.set_size_inches(9, 1.2 + 0.28 * max(3, len(rows)))
    axes.barh(labels[::-1], [row[at[value]] for row in rows][::-1], color="#2f6f9f")
    axes.set_xlabel(value.replace("_", " "))
    _save(figure, path)


def hours(answer: Answer, title: str, path: Path) -> None:
    """Events over time, a line for each place and kind."""
    figure, axes = _figure(title)
    at = {column: index for index, column in enumerate(answer.columns)}
    lines: dict[str, dict[Any, int]] = {}
    for row in answer.rows:
        parts = (row[at[name]] for name in ("camera_id", "kind", "place", "direction", "label"))
        series = lines.setdefault(" · ".join(part for part in parts if part), {})
        hour = row[at["local_hour"]]
        series[hour] = series.get(hour, 0) + row[at["events"]]
    for name, series in lines.items():
        axes.plot(list(series), list(series.values()), marker="o", label=name)
    axes.set_ylabel("events an hour")
    if len(lines) <= 20:
        axes.legend(fontsize=7)
    figure.autofmt_xdate()
    _save(figure, path)


def matrix(answer: Answer, title: str, path: Path) -> None:
    """Origin by destination, all classes together."""
    figure, axes = _figure(title)
    at = {column: index for index, column in enumerate(answer.columns)}
    origins = sorted({row[at["origin"]] for row in answer.rows})
    destinations = sorted({row[at["destination"]] for row in answer.rows})
    counts = np.zeros((len(origins), len(destinations)), int)
    for row in answer.rows:
        place = origins.index(row[at["origin"]]), destinations.index(row[at["destination"]])
        counts[place] += row[at["tracks"]]
    axes.imshow(counts, cmap="Blues")
    axes.set_xticks(range(len(destinations)), destinations, rotation=30, ha="right")
    axes.set_yticks(range(len(origins)), origins)
    axes.set_xlabel("destination")
    axes.set_ylabel("origin")
    for (row_, column), count in np.ndenumerate(counts):
        light = count > counts.max() / 2
        axes.text(column, row_, str(count), ha="center", va="center", color="white" if light else "black")
    _save(figure, path)


def heat_map(cells: np.ndarray[Any, Any], background: Path | None, title: str, path: Path) -> None:
    """Where objects stood, over the camera's picture where there is one.

    Args:
        cells: (rows, columns), how often a foot point was there.
        background: JPEG or PNG of the camera.
        title: above it.
        path: PNG to write.
    """
    figure, axes = _figure(title)
    extent, aspect = (0.0, 1.0, 1.0, 0.0), 9 / 16
    if background is not None:
        picture = need("matplotlib.image").imread(str(background))
        axes.imshow(picture, extent=extent)
        aspect = picture.shape[0] / picture.shape[1]
    shown = np.ma.masked_equal(np.log1p(cells), 0)
    axes.imshow(shown, extent=extent, cmap="inferno", alpha=0.65, interpolation="bilinear")
    axes.set_aspect(aspect)
    axes.set_axis_off()
    _save(figure, path)


def _figure(title: str) -> tuple[Any, Any]:
    figure = need("matplotlib.figure").Figure(figsize=(9, 5.2), layout="constrained")
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes


def _save(figure: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
