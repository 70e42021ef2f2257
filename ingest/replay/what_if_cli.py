"""``safecity replay --observations FILE --rules RULES``: rules over what was observed."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress

from ingest.replay.span import Span
from safecity.cli import UsageError
from safecity.message import format_utc
from safecity.settings import Site

if TYPE_CHECKING:
    from ingest.replay.cameras import RuleFile
    from ingest.replay.destinations import Destinations
    from ingest.replay.what_if import Tally
    from safecity.camera import Camera
    from safecity.observation import Observation

TOPIC = "topic"
"""Instead of a file: what the site's bus has."""


def run_what_if(
    given: str,
    camera: str | None,
    site: Site | None,
    rules: Path | None,
    destinations: "Destinations",
    span: Span,
    *,
    as_json: bool,
) -> NoReturn:
    """Run rules over a file of observations, or over those on the site's bus.

    Raises:
        UsageError: wrong input.
        typer.Exit: always else; 0 all was read, 1 nothing, 3 in part.
    """
    from detectors.cards import load_card
    from ingest.replay.cameras import detector_of, read_rules
    from ingest.replay.sending import SendError
    from ingest.replay.stretch import Looked, told
    from ingest.replay.what_if import Tally, what_if
    from safecity.bus.port import BusError

    if rules is None and site is None:
        raise UsageError("--observations: which rules? Give --rules, or a --site whose cameras have some")
    rule_file = read_rules(rules) if rules is not None else None
    # Found out before the work: rules that fit no camera.
    if camera:
        _camera(site, rule_file, camera)
    model = load_card(detector_of(site).model).identity
    tally, kinds, begin, cpu = Tally(), Counter[str](), time.monotonic(), time.process_time()
    console = Console(stderr=True)
    try:
        with (
            destinations.opened() as (events, sinks),
            _observations(given, camera, site, tally, console) as observations,
        ):
            asked = (o for o in observations if span.holds(o.captured_at))
            for event in what_if(asked, partial(_camera, site, rule_file), model, tally):
                kinds[event.kind] += 1
                line = told(event)
                events.write(line)
                for sink in sinks:
                    sink.take(Looked(0.0, (line,), None))
    except (SendError, BusError) as error:
        console.print(f"safecity: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(1) from None
    summary = _summary(tally, kinds, time.monotonic() - begin, time.process_time() - cpu, events.sha256)
    if as_json:
        typer.echo(json.dumps(summary, indent=2))
    else:
        _show(summary, console)
    if not tally.observations:
        raise typer.Exit(1)
    raise typer.Exit(3 if tally.unreadable_lines else 0)


def _camera(site: Site | None, rules: "RuleFile | None", camera_id: str) -> "Camera":
    from ingest.replay.cameras import replayed_camera

    return replayed_camera(site, camera_id, rules)


@contextmanager
def _observations(
    given: str, camera: str | None, site: Site | None, tally: "Tally", console: Console
) -> Iterator["Iterator[Observation]"]:
    from ingest.replay.what_if import from_bus, from_file
    from safecity.bus import open_bus

    if given == TOPIC:
        if site is None:
            raise UsageError("--observations topic: on which bus? Give --site")
        with open_bus(site) as bus, console.status("rules, over what the bus has …"):
            yield from_bus(bus, camera, tally)
        return
    path = Path(given)
    if not path.is_file():
        raise UsageError(f"--observations {path}: there is no such file; topic reads the site's bus")
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("rules", total=path.stat().st_size)
        read: Callable[[int], None] = partial(bar.advance, task)
        yield from_file(path, camera, tally, read)


def _summary(tally: "Tally", kinds: Counter[str], wall: float, cpu: float, sha256: str) -> dict[str, Any]:
    return {
        "observations": tally.observations,
        "from": format_utc(tally.first) if tally.first else None,
        "to": format_utc(tally.last) if tally.last else None,
        "late": tally.late,
        "unreadable": tally.unreadable_lines,
        "reasons": tally.unreadable,
        "events": dict(sorted(kinds.items())),
        "sha256": sha256,
        "footage_seconds": round(tally.footage_seconds, 3),
        "seconds": round(wall, 3),
        "cpu_seconds": round(cpu, 3),
        "times_real_time": round(tally.footage_seconds / wall, 1) if wall else None,
    }


def _show(summary: dict[str, Any], console: Console) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in summary["events"].items()) or "none"
    console.print(f"event revisions: {kinds}", highlight=False)
    when = f" from {summary['from']} to {summary['to']}" if summary["from"] else ""
    console.print(
        f"{summary['observations']} observations{when}, {summary['footage_seconds']:.0f} s, in "
        f"{summary['seconds']:.2f} s: {summary['times_real_time']:,} times real time; "
        f"sha256 {summary['sha256']}",
        highlight=False,
        soft_wrap=True,
    )
    if summary["late"]:
        console.print(f"{summary['late']} came twice or out of order and were left out", highlight=False)
    if summary["unreadable"]:
        reasons = "\n".join(summary["reasons"])
        console.print(f"{summary['unreadable']} are no observations:\n{reasons}", style="red", markup=False)
