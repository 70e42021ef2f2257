"""``safecity cameras``: the cameras on the bus, which the workers share."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from safecity.bus import Bus, open_bus
from safecity.bus.port import BusError
from safecity.cli import UsageError
from safecity.log import configure_logging
from safecity.redaction import redact
from safecity.references import STREAMS, password_in, stood_in
from safecity.roster import Applied, Entry, Roster, apply, move, remove
from safecity.settings import name_files, parse_site, read_document

cameras = typer.Typer(
    name="cameras", help="The cameras on the bus, which all workers share.", no_args_is_help=True
)

SiteOption = Annotated[Path, typer.Option("--site", help="The site file: it names the bus.", metavar="FILE")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
CameraArgument = Annotated[str, typer.Argument(help="The camera's id.", metavar="ID")]


@cameras.command("apply")
def apply_file(
    file: Annotated[Path, typer.Argument(help="A site file, or one with [[cameras]] only.", metavar="FILE")],
    site: Annotated[
        Path | None, typer.Option("--site", help="The site file with the bus, when FILE has none.")
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove cameras that are not in FILE.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
    with_passwords: Annotated[
        bool, typer.Option("--with-passwords", help="Publish passwords that stand in FILE, readable to all.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put a file's cameras on the bus: new ones where the cameras cost least, changed ones where they are.

    Workers with `cameras = "bus"` under [worker] take them up at once. References like ${NAME} are published
    as they are, and filled in by each worker.

    Example: safecity cameras apply site.toml --prune
    """
    found = _cameras_of(file, with_passwords=with_passwords)
    with _bus(site or file) as bus:
        done = apply(bus, Roster.read(bus), found, prune=prune, dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(_applied(done), indent=2))
        return
    would = "would be " if dry_run else ""
    for camera_id, partition in done.added.items():
        typer.echo(f"{camera_id}: {would}added, partition {partition}")
    for word, ids in (("changed", done.changed), ("removed", done.removed)):
        for camera_id in ids:
            typer.echo(f"{camera_id}: {would}{word}")
    typer.echo(
        f"{len(done.added)} added, {len(done.changed)} changed, {len(done.removed)} removed, "
        f"{len(done.unchanged)} as they were"
    )


@cameras.command("list")
def list_cameras(site: SiteOption = Path("site.toml"), as_json: JsonOption = False) -> None:
    """List the cameras on the bus: partition, owner, state and cost.

    Example: safecity cameras list --site site.toml
    """
    with _bus(site) as bus:
        roster = Roster.read(bus)
    rows = [_row(entry, roster) for entry in roster.entries.values()]
    if as_json:
        typer.echo(json.dumps({"partitions": len(roster.partitions), "cameras": rows}, indent=2))
        return
    table = Table("camera", "partition", "worker", "epoch", "state", "cores", "source")
    for row in rows:
        cores = "" if row["cost_cores"] is None else f"{row['cost_cores']:.3f}"
        table.add_row(
            row["id"],
            str(row["partition"]) + ("!" if row["left_in"] else ""),
            row["worker"] or "[red]nobody[/]",
            str(row["epoch"] or ""),
            row["state"] or "",
            cores,
            row["source"],
        )
    Console().print(table)
    for row in rows:
        if row["left_in"]:
            typer.echo(
                f"{row['id']}: a move was broken off; move it again: it is in {row['left_in']} as well"
            )


@cameras.command()
def show(camera: CameraArgument, site: SiteOption = Path("site.toml"), as_json: JsonOption = False) -> None:
    """Show a camera's record, its owner and its last status; no passwords.

    Example: safecity cameras show gate-1 --json
    """
    with _bus(site) as bus:
        roster = Roster.read(bus)
    entry = _entry(roster, camera)
    shown = {
        **_row(entry, roster),
        "applied_at": entry.record.model_dump(mode="json")["applied_at"],
        "camera": _redacted(entry.record.model_dump(mode="json")["camera"]),
        "status": status.model_dump(mode="json") if (status := roster.statuses.get(camera)) else None,
    }
    if as_json:
        typer.echo(json.dumps(shown, indent=2))
        return
    for name, value in shown.items():
        typer.echo(f"{name}: {json.dumps(value, indent=2) if isinstance(value, dict) else value}")


@cameras.command("remove")
def remove_camera(
    camera: CameraArgument, site: SiteOption = Path("site.toml"), as_json: JsonOption = False
) -> None:
    """Remove a camera from the bus; its worker closes it. Its events stay.

    Example: safecity cameras remove gate-1
    """
    with _bus(site) as bus:
        remove(bus, _entry(Roster.read(bus), camera))
    typer.echo(json.dumps({"removed": camera}) if as_json else f"{camera}: removed")


@cameras.command("move")
def move_camera(
    camera: CameraArgument,
    to: Annotated[int, typer.Option("--to", min=0, help="The partition.", metavar="PARTITION")],
    site: SiteOption = Path("site.toml"),
    as_json: JsonOption = False,
) -> None:
    """Put a camera into another partition. Its worker keeps it until that partition's worker has it.

    Example: safecity cameras move gate-1 --to 7
    """
    with _bus(site) as bus:
        roster = Roster.read(bus)
        entry = _entry(roster, camera)
        if to not in roster.partitions:
            raise UsageError(f"--to {to}: there are partitions 0 to {len(roster.partitions) - 1}")
        if to != entry.partition or entry.others:
            move(bus, entry, to)
    done = {"moved": camera, "from": entry.partition, "to": to}
    typer.echo(json.dumps(done) if as_json else f"{camera}: partition {entry.partition} to {to}")


@contextmanager
def _bus(path: Path) -> Iterator[Bus]:
    configure_logging(level="error")
    document = read_document(path)
    if "bus" not in document:
        raise UsageError(f"{path}: no [bus] in it; name the site file that has one with --site")
    # Only the bus matters here: nobody has to know the secrets of cameras to list them.
    site = parse_site(
        {k: v for k, v in document.items() if k in ("bus", "data_dir")}, path.resolve().parent, str(path)
    )
    try:
        with open_bus(site) as bus:
            yield bus
    except BusError as error:
        typer.echo(f"safecity: {redact(error)}", err=True)
        raise typer.Exit(1) from None


def _cameras_of(path: Path, *, with_passwords: bool) -> dict[str, dict[str, Any]]:
    """The cameras of a file by id, checked, references as they are."""
    document = read_document(path)
    timezone, found = document.get("timezone"), document.get("cameras")
    if not isinstance(found, list) or not found:
        raise UsageError(f"{path}: no cameras; want [[cameras]], see docs/configuration.md")
    kept = {k: v for k, v in document.items() if k in ("timezone", "allowed_networks")}
    parse_site({**kept, "cameras": [stood_in(camera) for camera in found]}, path.resolve().parent, str(path))
    cameras = {}
    for index, camera in enumerate(found):
        for stream in STREAMS:
            if password_in(camera.get(stream)) and not with_passwords:
                raise UsageError(
                    f"{path}: cameras[{index}].{stream}: it holds a password, which everybody who may read "
                    "the bus would read; write ${NAME} for it and set NAME where the workers run, "
                    "or accept that with --with-passwords"
                )
        name_files(camera, path.resolve().parent)
        camera = {"timezone": timezone, **camera} if timezone else camera
        cameras[camera["id"]] = camera
    return cameras


def _entry(roster: Roster, camera_id: str) -> Entry:
    entry = roster.entries.get(camera_id)
    if entry is None:
        some = ", ".join(list(roster.entries)[:5]) or "none; apply some with: safecity cameras apply FILE"
        raise UsageError(f"no camera {camera_id!r} on the bus; there are {len(roster.entries)}: {some}")
    return entry


def _row(entry: Entry, roster: Roster) -> dict[str, Any]:
    camera_id = entry.record.camera_id
    status, owner = roster.statuses.get(camera_id), roster.owners.get(camera_id)
    holds = owner is not None and owner.hold != "left"
    return {
        "id": camera_id,
        "partition": entry.partition,
        "left_in": list(entry.others),
        "worker": owner.worker if owner is not None and holds else None,
        "epoch": owner.epoch if owner is not None else None,
        "state": status.state.value if status else None,
        "cost_cores": status.cost_cores if status else None,
        "source": redact(entry.record.camera.get("source", "")),
    }


def _redacted(camera: dict[str, Any]) -> dict[str, Any]:
    return {name: redact(value) if name in STREAMS else value for name, value in camera.items()}


def _applied(done: Applied) -> dict[str, Any]:
    return {
        "added": dict(done.added),
        "changed": list(done.changed),
        "removed": list(done.removed),
        "unchanged": list(done.unchanged),
    }
