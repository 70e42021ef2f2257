"""``safecity replay``: recorded footage or stored observations through rules; ``safecity replay diff``."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from ingest.detector_check import check_detector
from ingest.replay.difference_cli import diff
from ingest.replay.span import Span
from ingest.replay.what_if_cli import run_what_if
from safecity.cli import UsageError
from safecity.log import configure_logging
from safecity.message import NAME_PATTERN
from safecity.settings import Site, load_site

if TYPE_CHECKING:
    from ingest.replay.destinations import Destinations
    from ingest.replay.plan import Plan
    from ingest.replay.session import Verdict
    from ingest.replay.stretch import Job, Step

FAILED = 1


class _ReplayGroup(TyperGroup):
    """``replay`` itself is a command too: what is none of the others is footage or an option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or args[0] not in self.commands:
            args = ["footage", *args]
        return super().parse_args(ctx, args)


replay = typer.Typer(
    name="replay",
    cls=_ReplayGroup,
    help="Recorded footage through a camera's analysis again; what-if on observations; compare runs.",
)


@replay.command(name="footage")
def replay_footage(
    videos: Annotated[
        list[Path] | None,
        typer.Argument(help="Files, folders, or lists of segments (.txt, .json).", metavar="VIDEO..."),
    ] = None,
    camera: Annotated[str | None, typer.Option(help="Whose footage it is.", metavar="ID")] = None,
    start: Annotated[
        str | None, typer.Option(help="Event time of the first frame, RFC 3339.", metavar="TIME")
    ] = None,
    recorded: Annotated[
        str | None, typer.Option(help="Instead of VIDEO: what was recorded of this camera.", metavar="ID")
    ] = None,
    begin: Annotated[
        str | None,
        typer.Option("--from", help="Of what was recorded or observed, RFC 3339.", metavar="TIME"),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", help="Up to this time, without it, RFC 3339.", metavar="TIME")
    ] = None,
    site: Annotated[Path | None, typer.Option(help="Site file that has the camera.", metavar="FILE")] = None,
    rules: Annotated[
        Path | None, typer.Option(help="Other rules (zones, lines, masks) for it, TOML.", metavar="FILE")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write the events, a JSON line each; - for stdout.", metavar="FILE")
    ] = None,
    observations: Annotated[
        str | None,
        typer.Option(
            help="With footage: write them. Without: read a file, or the bus (topic).",
            metavar="FILE|topic",
        ),
    ] = None,
    snapshots: Annotated[Path | None, typer.Option(help="Keep the events' pictures.", metavar="DIR")] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Stretches of footage at a time.")] = 1,
    speed: Annotated[
        float | None, typer.Option(min=0.1, help="Times real time; as fast as it goes if not given.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(help="Name of the run, for --to-bus and --to-centre.", metavar="NAME")
    ] = None,
    to_bus: Annotated[
        bool, typer.Option("--to-bus", help="Publish on the site's bus, apart from what is live.")
    ] = False,
    to_centre: Annotated[
        str | None, typer.Option(help="Put it into a centre, apart from what is live.", metavar="URL|SITE")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Run again, differently, and compare every byte.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Run recorded footage through a camera's analysis, in event time, as fast as it goes.

    The same footage, configuration and model give the same events, to the byte. Without footage, rules run
    over stored observations. Runs are compared with: safecity replay diff A B.

    Exit codes: 0 all was read, 1 failed or (--verify) differs, 2 wrong input, 3 read in part.

    Example: safecity replay a.mp4 --camera yard --start 2026-03-01T12:00Z --site site.toml --out a.jsonl

    What the recorder kept: safecity replay --recorded yard --from 2026-03-01T12:00Z --to 2026-03-01T13:00Z
    --site site.toml --out a.jsonl
    """
    configure_logging(level="error")
    if as_json and out == Path("-"):
        raise UsageError("--json and --out - both want standard output; give --out a file")
    loaded = load_site(site) if site is not None else None
    _check_run(run, loaded, to_bus=to_bus, to_centre=to_centre)
    from ingest.replay.destinations import Destinations

    _check_source(videos, recorded, camera, start, (begin, end))
    written = Path(observations) if observations and (videos or recorded) else None
    bus = loaded if to_bus else None
    destinations = Destinations(out, written, snapshots, bus, to_centre, run or "")
    destinations.check()
    if not videos and not recorded:
        if observations is None or verify or snapshots or speed:
            raise UsageError(
                "give footage (files, folders, segment lists); or, for rules alone, --observations and "
                "--rules, without --speed, --snapshots and --verify"
            )
        run_what_if(observations, camera, loaded, rules, destinations, Span.of(begin, end), as_json=as_json)
    whose = recorded or camera
    if whose is None:
        raise UsageError("--camera: whose footage is it? Give the id of a camera of the site, or any name")
    plan = _recorded_plan(whose, begin, end, loaded) if recorded else _plan(videos or [], start, loaded)
    job = replace(
        _job(plan, whose, loaded, rules),
        speed=speed,
        pictures=destinations.wants_pictures,
        observations=written is not None or verify,
    )
    _run(plan, job, processes, destinations, verify_it=verify, as_json=as_json)


def _check_run(run: str | None, site: Site | None, *, to_bus: bool, to_centre: str | None) -> None:
    if to_bus and site is None:
        raise UsageError("--to-bus: whose bus? Give --site")
    if (to_bus or to_centre) and run is None:
        raise UsageError("--run: by which name shall the run be known? Want letters a-z, digits, - and _")
    if run is not None and not re.fullmatch(NAME_PATTERN, run):
        raise UsageError(f"--run {run}: want letters a-z, digits, - and _, at most 63, e.g. new-rules")


def _check_source(
    videos: list[Path] | None,
    recorded: str | None,
    camera: str | None,
    start: str | None,
    times: tuple[str | None, str | None],
) -> None:
    if recorded is None:
        if videos and any(times):
            raise UsageError("--from, --to: are of --recorded and of --observations; want --start for files")
        return
    if videos:
        raise UsageError(f"--recorded {recorded}: replays what was recorded; leave out {videos[0]}")
    if camera is not None and camera != recorded:
        raise UsageError(f"--recorded {recorded}: has its own camera; leave out --camera {camera}")
    if start is not None:
        raise UsageError("--recorded: recordings know their times; leave out --start")
    if not all(times):
        raise UsageError("--recorded: from when to when? Give --from and --to, e.g. 2026-03-01T12:00:00Z")


replay.command()(diff)


def _recorded_plan(camera: str, begin: str | None, end: str | None, site: Site | None) -> "Plan":
    from ingest.replay.plan import PlanError
    from ingest.replay.recorder_plan import plan_recorded

    if site is None:
        raise UsageError("--recorded: whose recordings? Give --site")
    span = Span.of(begin, end)
    try:
        return plan_recorded(site.recordings, camera, span.begin, span.end)
    except PlanError as error:
        raise UsageError(str(error)) from None


def _plan(videos: list[Path], start: str | None, site: Site | None) -> "Plan":
    from ingest.replay.plan import PlanError, make_plan, parse_time

    try:
        begin = parse_time(start, "--start") if start is not None else None
        return make_plan(videos, begin, ZoneInfo(site.timezone if site is not None else "UTC"))
    except PlanError as error:
        raise UsageError(str(error)) from None


def _job(plan: "Plan", camera: str, site: Site | None, rules: Path | None) -> "Job":
    from ingest.replay.cameras import detector_of, read_rules, replayed_camera
    from ingest.replay.stretch import Job

    chosen = replayed_camera(site, camera, read_rules(rules) if rules is not None else None)
    check_detector(detector_of(site))
    return Job(chosen, detector_of(site), plan.stretches)


def _run(
    plan: "Plan",
    job: "Job",
    processes: int,
    destinations: "Destinations",
    *,
    verify_it: bool,
    as_json: bool,
) -> None:
    from ingest.replay.processes import ProcessError
    from ingest.replay.sending import SendError
    from ingest.replay.session import replay_into, verify

    console = Console(stderr=True)
    verdict = None
    try:
        with destinations.opened() as (events, sinks), progress("replaying", plan.seconds, console) as saw:
            summary = replay_into(job, processes, events, sinks, saw)
        if verify_it:
            with progress("verifying", plan.seconds, console) as saw:
                verdict = verify(job, processes, summary, events.lines, saw)
    except (ProcessError, SendError) as error:
        console.print(f"safecity: {error}", style="red", highlight=False, soft_wrap=True, markup=False)
        raise typer.Exit(FAILED) from None
    except OSError as error:
        raise UsageError(f"{error.filename}: {error.strerror}; what was found so far is kept") from None
    if as_json:
        document = summary.document(plan)
        typer.echo(json.dumps(document | ({"verify": _said(verdict)} if verdict else {}), indent=2))
    else:
        summary.show(plan, console)
    if verdict is not None:
        _show(verdict, console)
    raise typer.Exit(FAILED if verdict is not None and not verdict.same else summary.exit_code(plan))


def _said(verdict: "Verdict") -> dict[str, Any]:
    return {**asdict(verdict), "same": verdict.same}


def _show(verdict: "Verdict", console: Console) -> None:
    if verdict.same:
        said = f"again with {verdict.how}: the same, sha256 {verdict.second_sha256}"
        console.print(said, style="green", highlight=False, soft_wrap=True)
        return
    what = verdict.difference or "the events are the same, but not the observations"
    said = f"again with {verdict.how}: different, sha256 {verdict.second_sha256}\n{what}"
    console.print(said, style="red", highlight=False, soft_wrap=True, markup=False)


@contextmanager
def progress(what: str, seconds: float, console: Console) -> Iterator[Callable[["Step"], None]]:
    """A bar over seconds of footage with an estimate; nothing where there is no terminal."""
    from ingest.replay.stretch import Looked

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(what, total=seconds or None)

        def saw(step: "Step") -> None:
            if isinstance(step, Looked):
                bar.advance(task, step.seconds)

        yield saw
