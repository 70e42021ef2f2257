"""The measures as tables on a terminal."""

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table


def print_detection(document: Mapping[str, Any]) -> None:
    """A row a class that has objects, and one for all."""
    console = Console()
    title = f"{document['model']} on {document['dataset']}, {document['pictures']} pictures"
    table = Table("class", title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    for name in ("objects", "AP50", "AP50-95", "precision", "recall", "right", "false", "missed"):
        table.add_column(name, justify="right")
    rows = {label: row for label, row in document["by_class"].items() if row["truths"]}
    for label, row in sorted(rows.items(), key=lambda item: -item[1]["truths"]):
        table.add_row(label, *_cells(row))
    table.add_section()
    table.add_row("all", *_cells(document))
    console.print(table)
    areas = [
        f"{area} {_figure(row['ap50_95'])} ({row['truths']})" for area, row in document["by_area"].items()
    ]
    console.print(
        f"AP50-95 by size: {', '.join(areas)}. Precision, recall and counts are at a confidence of "
        f"{document['confidence']:g} and an overlap of 0.5.",
        highlight=False,
    )
    if document["unknown_labels"]:
        console.print(
            f"Not measured, since the model has no such class: {', '.join(document['unknown_labels'])}"
        )


def print_tracking(document: Mapping[str, Any]) -> None:
    """A row for the footage's own rate and each other one."""
    console = Console()
    first, last = document["frames"]
    title = f"{document['model']} on {document['video']}, {document['label']}, frames {first} to {last}"
    table = Table("fps", title=title, box=SIMPLE, padding=(0, 1, 0, 0))
    names = ("MOTA", "IDF1", "HOTA", "DetA", "AssA", "swaps", "gaps", "missed", "false", "boxes")
    for name in names:
        table.add_column(name, justify="right")
    for row in {row["analysed_fps"]: row for row in (document, *document["rates"])}.values():
        shares = (_figure(row[key]) for key in ("mota", "idf1", "hota", "deta", "assa"))
        keys = ("id_switches", "fragmentations", "misses", "false_alarms", "truths")
        table.add_row(f"{row['analysed_fps']:g}", *shares, *(str(row[key]) for key in keys))
    console.print(table)
    console.print(f"Frames after {last} have no truth and are not measured.", highlight=False)
    if document["rates_above_footage"]:
        above = ", ".join(f"{rate:g}" for rate in document["rates_above_footage"])
        console.print(f"Left out: {above} a second is more than the footage has.", highlight=False)


def _cells(row: Mapping[str, Any]) -> list[str]:
    shares = [_figure(row[key]) for key in ("ap50", "ap50_95", "precision", "recall")]
    return [str(row["truths"]), *shares, *(str(row[key]) for key in ("right", "false_alarms", "misses"))]


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
