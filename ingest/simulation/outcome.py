"""What the workers decided, by their own record, held against what the centre has."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ingest.simulation.samples import Samples

EventKey = tuple[str, int]
"""An event's id and revision."""


@dataclass(frozen=True)
class Outcome:
    """What became of the events."""

    decided: int
    stored: int
    lost: int
    """Decided, and not in the store; pictures that are missing count too."""
    duplicates: int
    """Rows of the store beyond the first for the same revision of an event."""
    unknown: int
    """In the store, though no worker decided them."""
    pictures_lost: int
    latencies_ms: Sequence[float]
    """From the capture to the store, after the warm-up."""


def outcome_of(
    journals: Iterable[Path], stored: Iterable[Mapping[str, Any]], media: Path, samples: Samples
) -> Outcome:
    """Compare.

    Args:
        journals: of the workers, one JSON line for each decided revision.
        stored: all revisions of all events that the centre has, as its API tells them.
        media: folder of the pictures that the centre has.
        samples: say when the warm-up was over.
    """
    decided: set[EventKey] = set()
    pictures_lost = 0
    for journal in journals:
        for line in journal.read_text(encoding="utf-8").splitlines():
            event = json.loads(line)
            decided.add((event["event_id"], event["revision"]))
            name = event["snapshot"]
            pictures_lost += name is not None and not (media / name[:2] / name).is_file()
    rows: Counter[EventKey] = Counter()
    latencies = []
    for item in stored:
        rows[item["event_id"], item["revision"]] += 1
        captured = datetime.fromisoformat(item["trace"]["captured_at"]).timestamp()
        if captured - samples.begin >= samples.warm_up:
            latencies.append(float(item["latency_ms"]))
    return Outcome(
        decided=len(decided),
        stored=len(rows),
        lost=len(decided - rows.keys()) + pictures_lost,
        duplicates=sum(rows.values()) - len(rows),
        unknown=len(rows.keys() - decided),
        pictures_lost=pictures_lost,
        latencies_ms=latencies,
    )
