"""The edge's commands: ``safecity worker`` and ``safecity check``."""

import json
import signal
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import structlog
import typer
from rich.console import Console
from rich.table import Table

from ingest.bench.cli import density, distant
from ingest.detector_check import check_detector
from ingest.recordings_cli import recordings
from ingest.replay.cli import replay
from ingest.simulation.cli import simulate
from safecity.bench.group import bench
from safecity.cli import UsageError
from safecity.folder_lock import FolderInUseError, FolderLock
from safecity.log import configure_logging
from safecity.settings import Site, load_site

if TYPE_CHECKING:
    from ingest.shard import ShardReport

SiteOption = Annotated[
    Path, typer.Option("--site", help="The site file.", metavar="FILE", show_default="site.toml")
]


def register(app: typer.Typer) -> None:
    """Add the edge's commands."""
    app.command()(worker)
    app.command()(check)
    app.add_typer(recordings, name="recordings")
    app.add_typer(replay)
    app.command()(simulate)
    bench.command()(density)
    bench.command()(distant)


def worker(
    site: SiteOption = Path("site.toml"),
    journal: Annotated[
        Path | None,
        typer.Option(help="Write one JSON line for each event that the rules decide.", metavar="FILE"),
    ] = None,
    summary: Annotated[
        Path | None, typer.Option(help="At the end, write what was done as JSON.", metavar="FILE")
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log as JSON lines.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Read the site's cameras, detect, and publish events until SIGINT or SIGTERM.

    Example: safecity worker --site site.toml --journal decided.jsonl
    """
    configure_logging(json=log_json, level=log_level)
    loaded = load_site(site)
    _check_cameras(site, loaded)

    from ingest.shard import worker_folder
    from ingest.shard_process import LogChoice
    from ingest.supervisor import Supervisor

    check_detector(loaded.detector)
    try:
        with FolderLock(worker_folder(loaded), "worker"):
            supervisor = Supervisor(loaded, journal, LogChoice(log_json, log_level))
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, lambda *_: supervisor.stop())
            reports = supervisor.run()
    except FolderInUseError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        settings = loaded.worker
        raise UsageError(
            f"cannot listen on {settings.metrics_host}:{settings.metrics_port} or write {loaded.data_dir}: "
            f"{error.strerror or error}; choose another worker.metrics_port or data_dir"
        ) from None
    if summary is not None:
        summary.write_text(json.dumps(summarise(reports), indent=2) + "\n", encoding="utf-8")


def _check_cameras(path: Path, site: Site) -> None:
    if site.worker.cameras == "site" and not site.cameras:
        raise UsageError(
            f"{path}: no cameras; add one, see docs/configuration.md, or take those that were applied to the "
            'bus: cameras = "bus" under [worker]'
        )
    if site.worker.cameras == "bus" and site.cameras:
        structlog.get_logger().warning(
            f"the cameras of this file are not read; apply them with: safecity cameras apply {path}",
            cameras=len(site.cameras),
        )


def summarise(reports: "list[ShardReport]") -> dict[str, object]:
    """What all shards did: events decided and published, and the ledger of each camera."""
    kinds = sorted({kind for report in reports for kind in report.by_kind})
    ledgers = {camera_id: counts for report in reports for camera_id, counts in report.ledgers.items()}
    return {
        "events": {
            "decided": sum(report.decided for report in reports),
            "published": sum(report.published for report in reports),
            "by_kind": {kind: sum(report.by_kind.get(kind, 0) for report in reports) for kind in kinds},
        },
        "ledger": {
            camera_id: {**counts.model_dump(), "residue": counts.residue}
            for camera_id, counts in sorted(ledgers.items())
        },
    }


def check(
    site: Annotated[Path, typer.Argument(help="The site file.", metavar="SITE.TOML")],
    timeout: Annotated[float, typer.Option(help="Seconds to wait for a camera's first frame.")] = 10.0,
    offline: Annotated[bool, typer.Option("--offline", help="Check the file only, try no camera.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Validate a site file, try its Kafka and each camera. Exit code 1 when one fails, 2 for a wrong file.

    Example: safecity check site.toml
    """
    configure_logging(level="error")
    loaded = load_site(site)
    check_detector(loaded.detector)
    if offline:
        typer.echo(f"{site}: in order, {len(loaded.cameras)} cameras")
        return

    from ingest.bus_check import try_bus
    from ingest.check import try_cameras

    console = Console(stderr=True)
    bus = None
    if loaded.bus.backend == "kafka":
        with console.status("trying the bus …"):
            bus = try_bus(loaded)
    with console.status(f"trying {len(loaded.cameras)} cameras …"):
        results = try_cameras(loaded.cameras, loaded.allowed_networks, timeout)
    if as_json:
        typer.echo(
            json.dumps(
                {
                    "site": str(site),
                    "bus": asdict(bus) if bus else None,
                    "cameras": [asdict(result) for result in results],
                },
                indent=2,
            )
        )
    else:
        table = Table("camera", "result", "picture", "codec", "fps", "first frame")
        for result in results:
            size = f"{result.width}×{result.height}" if result.width else ""
            first = f"{result.seconds_to_first_frame:.1f} s" if result.seconds_to_first_frame else ""
            fps = f"{result.fps:.1f}" if result.fps else ""
            verdict = "[green]ok[/]" if result.ok else f"[red]{result.reason}[/]"
            name = result.camera_id + ("" if result.stream == "source" else f" {result.stream}")
            table.add_row(name, verdict, size, result.codec or "", fps, first)
        Console().print(table)
        if bus is not None:
            missing = f"ok; not made yet: {', '.join(bus.missing_topics)}" if bus.missing_topics else "ok"
            typer.echo(f"bus: {missing if bus.ok else bus.reason}")
    if not all(result.ok for result in results) or (bus is not None and not bus.ok):
        raise typer.Exit(1)
