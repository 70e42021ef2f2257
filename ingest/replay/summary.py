"""What a replay did, for people and for programs."""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.replay.plan import Missing, Plan
from ingest.replay.recording import to_time
from ingest.replay.stretch import FileRead, Looked, Step
from safecity.event import Phase
from safecity.message import format_utc


@dataclass
class Summary:
    """Filled as a replay goes."""

    files: list[FileRead] = field(default_factory=list)
    events: Counter[str] = field(default_factory=Counter)
    left_open: set[str] = field(default_factory=set)
    """Ids of the events whose end was not seen."""
    looked: int = 0
    observations: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    seconds: float = 0.0
    """Wall clock."""
    cpu_seconds: float = 0.0
    """Of all processes of the replay."""
    sha256: str = ""
    """Of the event file."""

    def take(self, step: Step) -> None:
        """Count the next step."""
        if isinstance(step, FileRead):
            self.files.append(step)
            return
        self.looked += 1
        self.count(step)
        if step.observation is not None:
            self.observations.update(step.observation + b"\n")

    def count(self, step: Looked) -> None:
        """Count the events of a step."""
        for event in step.events:
            said = json.loads(event.value)
            self.events[said["kind"]] += 1
            change = self.left_open.discard if said["phase"] == Phase.CLOSED else self.left_open.add
            change(said["event_id"])

    @property
    def footage_seconds(self) -> float:
        """Of footage that was read."""
        return sum(file.read_seconds for file in self.files)

    def exit_code(self, plan: Plan) -> int:
        """0: all was read; 3: in part; 1: nothing."""
        if not any(file.frames > file.corrupt for file in self.files):
            return 1
        return 0 if all(file.complete for file in self.files) and not plan.unread else 3

    def document(self, plan: Plan) -> dict[str, Any]:
        """For programs."""
        files = [{**asdict(file), "complete": file.complete} for file in self.files]
        left = {"frames": 0, "complete": False}
        return {
            "files": [*files, *({"path": str(u.path), **left, "reason": u.reason} for u in plan.unread)],
            "timed_by": plan.timed_by,
            "gaps": [_gap(missing) for missing in plan.gaps],
            "looked_at": self.looked,
            "events": dict(sorted(self.events.items())),
            "left_open": len(self.left_open),
            "sha256": self.sha256,
            "footage_seconds": round(self.footage_seconds, 3),
            "seconds": round(self.seconds, 3),
            "cpu_seconds": round(self.cpu_seconds, 3),
            "times_real_time": round(self.footage_seconds / self.seconds, 2) if self.seconds else None,
        }

    def show(self, plan: Plan, console: Console) -> None:
        """For people: what was read and what not, and what came of it."""
        table = Table(title=f"times by {plan.timed_by}", title_justify="left")
        for heading in ("file", "begins", "pictures", "looked at", "read"):
            table.add_column(heading, overflow="fold")
        for file in self.files:
            of = f" of {file.frames_said}" if file.frames_said not in (None, file.frames) else ""
            corrupt = f", {file.corrupt} corrupt" if file.corrupt else ""
            left_out = f", {file.left_out} outside the times" if file.left_out else ""
            verdict = "all" if file.complete else f"[red]{escape(file.reason or 'all but the corrupt')}[/]"
            pictures = f"{file.frames}{of}{corrupt}{left_out}"
            table.add_row(escape(file.path), file.begin, pictures, str(file.analysed), verdict)
        for unread in plan.unread:
            table.add_row(escape(str(unread.path)), "?", "0", "0", f"[red]{escape(unread.reason)}[/]")
        console.print(table)
        for missing in plan.gaps:
            said = _gap(missing)
            why = f": {missing.reason}" if missing.reason else ""
            seconds = float(missing.end - missing.begin)
            console.print(
                f"no footage from {said['begin']} to {said['end']} ({seconds:.1f} s){why}",
                highlight=False,
                soft_wrap=True,
                markup=False,
            )
        kinds = ", ".join(f"{number} {kind}" for kind, number in sorted(self.events.items()))
        console.print(f"{self.events.total()} event revisions{': ' if kinds else ''}{kinds}", highlight=False)
        if self.left_open:
            console.print(f"{len(self.left_open)} events go on where the footage ends", highlight=False)
        if self.seconds:
            speed = self.footage_seconds / self.seconds
            console.print(
                f"{self.footage_seconds:.1f} s of footage in {self.seconds:.1f} s ({self.cpu_seconds:.1f} of "
                f"a core), {speed:.1f} times real time; sha256 {self.sha256}",
                highlight=False,
                soft_wrap=True,
            )


def _gap(missing: Missing) -> dict[str, str | None]:
    begin, end = format_utc(to_time(missing.begin)), format_utc(to_time(missing.end))
    return {"begin": begin, "end": end, "reason": missing.reason}
