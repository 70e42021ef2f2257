"""``safecity recordings``: what is recorded, kept from deletion, taken out, and proved unchanged."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Table

from ingest.recording_index import cameras, recorded
from safecity.camera import Polygon
from safecity.cli import UsageError, parse_time
from safecity.message import format_utc
from safecity.settings import Site, load_site

recordings = typer.Typer(
    help="What the workers have recorded: list, hold, release, export, verify.", no_args_is_help=True
)

SiteOption = Annotated[Path | None, typer.Option("--site", help="The site file.", metavar="FILE")]
DirOption = Annotated[
    Path | None, typer.Option("--dir", help="The recorder's folder, instead of the site's.", metavar="DIR")
]
CameraOption = Annotated[str, typer.Option("--camera", help="The camera's id.", metavar="ID")]
FromOption = Annotated[str, typer.Option("--from", help="RFC 3339, e.g. 2026-03-01T12:00:00Z.", metavar="T")]
ToOption = Annotated[str, typer.Option("--to", help="RFC 3339.", metavar="T")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC))


@recordings.command(name="list")
def list_(
    site: SiteOption = None,
    folder: DirOption = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera's.", metavar="ID")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="RFC 3339.", metavar="T")] = None,
    end: Annotated[str | None, typer.Option("--to", help="RFC 3339.", metavar="T")] = None,
    segments: Annotated[bool, typer.Option("--segments", help="Each file, not only the sums.")] = False,
    as_json: Json = False,
) -> None:
    """List what is recorded of each camera, and the gaps with their reasons.

    Example: safecity recordings list --site site.toml --camera gate --from 2026-03-01T12:00:00Z
    """
    from ingest.recording_holds import holds

    place = _folder(site, folder)
    first, last = (parse_time(begin) if begin else ALWAYS[0]), (parse_time(end) if end else ALWAYS[1])
    found: list[dict[str, Any]] = []
    for camera_id in [camera] if camera else cameras(place):
        one = recorded(place, camera_id, first, last)
        inner = [
            gap
            for gap in one.gaps
            if (begin or gap.start > first) and (end or gap.end < last) and one.segments
        ]
        found.append(
            {
                "camera_id": camera_id,
                "segments": [json.loads(s.model_dump_json()) for s in one.segments],
                "gaps": [json.loads(gap.model_dump_json()) for gap in inner],
                "seconds": sum(s.seconds for s in one.segments),
                "size_bytes": sum(s.size_bytes for s in one.segments),
            }
        )
    kept = [json.loads(item.model_dump_json()) for item in holds(place)]
    if as_json:
        typer.echo(json.dumps({"folder": str(place), "cameras": found, "holds": kept}, indent=2))
        return
    _print_list(found, kept, segments=segments)


@recordings.command()
def hold(
    camera: CameraOption,
    begin: FromOption,
    end: ToOption,
    reason: Annotated[str, typer.Option(help="Why; for those who look later.")],
    site: SiteOption = None,
    folder: DirOption = None,
    as_json: Json = False,
) -> None:
    """Keep a camera's recordings of a time from being deleted.

    Example: safecity recordings hold --site site.toml --camera gate --from 2026-03-01T12:00:00Z
    --to 2026-03-01T13:00:00Z --reason "case 4711"
    """
    from ingest.recording_holds import hold as put

    first, last = _span(begin, end)
    made = put(_folder(site, folder), camera, first, last, reason, datetime.now(UTC))
    typer.echo(made.model_dump_json(indent=2) if as_json else f"held as {made.hold_id}")


@recordings.command()
def release(
    hold_id: Annotated[str, typer.Argument(metavar="HOLD", help="As list and hold show it.")],
    site: SiteOption = None,
    folder: DirOption = None,
    as_json: Json = False,
) -> None:
    """End a hold: retention may delete those recordings again.

    Example: safecity recordings release 1a2b3c4d --site site.toml
    """
    from ingest.recording_holds import release as end_hold

    ended = end_hold(_folder(site, folder), hold_id)
    if ended is None:
        raise UsageError(f"there is no hold {hold_id}; see: safecity recordings list")
    typer.echo(ended.model_dump_json(indent=2) if as_json else f"released {hold_id} ({ended.reason})")


@recordings.command()
def export(
    camera: CameraOption,
    begin: FromOption,
    end: ToOption,
    out: Annotated[Path, typer.Option(help="The MP4 file to write.", metavar="FILE")],
    site: SiteOption = None,
    folder: DirOption = None,
    masks: Annotated[
        str | None, typer.Option(help="More privacy masks: JSON, polygons of x y from 0 to 1.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write one MP4 file of a camera's recordings. Privacy masks of now and of then are burned in.

    Packets are copied, from the key frame before --from; where anything is masked it is encoded anew.
    Exit code 1 when nothing is recorded there.

    Example: safecity recordings export --site site.toml --camera gate --from 2026-03-01T12:00:00Z
    --to 2026-03-01T12:01:00Z --out clip.mp4
    """
    from ingest.clip import ClipError, cut

    first, last = _span(begin, end)
    loaded = load_site(site) if site is not None else None
    of_site = [mask for c in loaded.cameras if c.id == camera for mask in c.masks] if loaded else []
    try:
        clip = cut(_folder(site, folder), camera, first, last, out, [*of_site, *_masks(masks)])
    except ClipError as error:
        typer.echo(json.dumps({"error": str(error)}) if as_json else f"safecity: {error}", err=not as_json)
        raise typer.Exit(1) from None
    except OSError as error:
        raise UsageError(f"cannot write {out}: {error.strerror or error}") from None
    if as_json:
        typer.echo(json.dumps(clip.to_json()))
        return
    typer.echo(f"{out}: {clip.seconds:.1f} s from {format_utc(clip.start)}, {clip.codec}")
    for gap in clip.gaps:
        typer.echo(f"missing: {gap}")
    if not clip.plays_in_browsers:
        typer.echo(f"a browser may not play {clip.codec}; a player such as VLC does")


@recordings.command()
def verify(
    site: SiteOption = None,
    folder: DirOption = None,
    camera: Annotated[str | None, typer.Option(help="Only this camera's.", metavar="ID")] = None,
    as_json: Json = False,
) -> None:
    """Compare every file with its size and SHA-256 in the index. Exit code 1 when one differs.

    Example: safecity recordings verify --site site.toml --json
    """
    from ingest.recording_check import check_segment

    place, checked, wrong = _folder(site, folder), 0, []
    with Console(stderr=True).status("reading recordings …"):
        for camera_id in [camera] if camera else cameras(place):
            for segment in recorded(place, camera_id, *ALWAYS).segments:
                checked += 1
                if problem := check_segment(place, segment):
                    wrong.append({"path": str(segment.path), "problem": problem})
    if as_json:
        typer.echo(json.dumps({"checked": checked, "wrong": wrong}, indent=2))
    else:
        for item in wrong:
            typer.echo(f"{item['path']}: {item['problem']}")
        typer.echo(f"{checked} segments, {len(wrong)} of them wrong")
    if wrong:
        raise typer.Exit(1)


def _print_list(found: list[dict[str, Any]], kept: list[dict[str, Any]], *, segments: bool) -> None:
    console = Console()
    table = Table("camera", "from", "to", "recorded", "size", "files", "gaps")
    for one in found:
        files = one["segments"]
        table.add_row(
            one["camera_id"],
            files[0]["start"] if files else "",
            files[-1]["end"] if files else "",
            str(timedelta(seconds=round(one["seconds"]))),
            f"{one['size_bytes'] / 1e6:.0f} MB",
            str(len(files)),
            "\n".join(f"{gap['start']} to {gap['end']}: {gap['reason']}" for gap in one["gaps"]),
        )
    console.print(table)
    for item in kept:
        console.print(
            f"held {item['hold_id']}: {item['camera_id']} {item['start']} to {item['end']}, {item['reason']}"
        )
    if segments:
        for one in found:
            for segment in one["segments"]:
                typer.echo(f"{segment['start']}  {segment['path']}")


def _folder(site: Path | None, folder: Path | None) -> Path:
    if folder is not None:
        return folder
    loaded: Site = load_site(site or Path("site.toml"))
    return loaded.recordings


def _span(begin: str, end: str) -> tuple[datetime, datetime]:
    first, last = parse_time(begin), parse_time(end)
    if first >= last:
        raise UsageError("--from has to be before --to")
    return first, last


def _masks(text: str | None) -> tuple[Polygon, ...]:
    try:
        return TypeAdapter(tuple[Polygon, ...]).validate_json(text or "[]")
    except ValidationError as error:
        raise UsageError(f"--masks: {error.errors()[0]['msg']}; want [[[0.1, 0.1], …], …]") from None
