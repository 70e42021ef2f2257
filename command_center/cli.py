"""The centre's commands: ``safecity command-center`` and ``safecity events``."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated

import structlog
import typer

from command_center.analytics.cli import analyse, export
from command_center.bench.cli import centre
from safecity.bench.group import bench
from safecity.cli import UsageError
from safecity.folder_lock import FolderInUseError, FolderLock
from safecity.log import configure_logging
from safecity.redaction import redact, remember_secret
from safecity.settings import Site, is_loopback, load_site

SiteOption = Annotated[
    Path, typer.Option("--site", help="The site file.", metavar="FILE", show_default="site.toml")
]
LOCAL = "http://127.0.0.1:8080"


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(name="command-center")(command_center)
    app.command()(events)
    app.command()(top)
    app.add_typer(export, name="export")
    app.add_typer(analyse, name="analyse")
    bench.command()(centre)


def command_center(
    site: SiteOption = Path("site.toml"),
    host: Annotated[
        str | None, typer.Option(help="Listen on this address instead of the site file's.")
    ] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Listen on this port instead of the site file's.")
    ] = None,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log JSON lines.")] = False,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Store what the workers publish, and serve the page and the API, until SIGINT or SIGTERM.

    Example: safecity command-center --site site.toml --port 8080
    """
    configure_logging(json=log_json, level=log_level)
    loaded = _with_address(load_site(site), host, port)

    from command_center.centre import Centre
    from command_center.server import listen, serve
    from command_center.store.database import StoreError

    settings = loaded.centre
    try:
        listening = listen(settings.host, settings.port)
    except OSError as error:
        # Python adds the address, which is said already.
        reason = (error.strerror or str(error)).partition(" (while")[0]
        raise UsageError(
            f"cannot listen on {settings.host}:{settings.port} ({reason}); choose another: --port 8081"
        ) from None
    try:
        with listening, _alone_where_needed(loaded):
            signal.signal(signal.SIGTERM, signal.default_int_handler)
            centre = Centre.open(loaded)
            structlog.get_logger().info(
                "command centre started",
                page=f"http://{settings.host}:{listening.getsockname()[1]}",
                bus=loaded.bus.backend,
                cameras=len(loaded.cameras),
            )
            serve(centre, listening)
    except FolderInUseError as error:
        raise UsageError(str(error)) from None
    except StoreError as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        raise UsageError(
            f"cannot write {loaded.data_dir}: {redact(error)}; choose another data_dir"
        ) from None


def events(
    url: Annotated[str, typer.Option(help="Of the command centre.")] = LOCAL,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with new events.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="How many of the newest to begin with.")] = 20,
    camera: Annotated[str | None, typer.Option(help="Only this camera's.", metavar="ID")] = None,
    kind: Annotated[str | None, typer.Option(help="Only this kind, e.g. line_crossed.")] = None,
    since: Annotated[
        datetime | None, typer.Option(help="Only from then on, local time.", metavar="TIME")
    ] = None,
) -> None:
    """Show events in the terminal. A token is read from SAFECITY_TOKEN.

    Example: safecity events --follow --camera cam-1
    """
    from command_center.client import ClientError
    from command_center.viewer import Viewer

    viewer = Viewer(url.rstrip("/"), _token(), as_json=as_json, camera=camera, kind=kind)
    try:
        last = viewer.show_newest(limit, since.astimezone() if since else None)
        if follow:
            viewer.follow(last)
    except ClientError as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def top(
    url: Annotated[str, typer.Option(help="Of the command centre, or of one of several.")] = LOCAL,
    every: Annotated[float, typer.Option(min=0.5, max=60, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Look once and end.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a look.")] = False,
) -> None:
    """Cameras, workers, lag and outboxes, live in the terminal; the cameras in trouble first. Ctrl-C ends it.

    Everything comes from the centre's API. A token is read from SAFECITY_TOKEN.

    Example: safecity top --url http://127.0.0.1:8080
    Example: safecity top --once --json | jq '.cameras[] | select(.trouble != "")'
    """
    from command_center.client import CentreClient, ClientError
    from command_center.top.screen import show

    try:
        show(CentreClient(url.rstrip("/"), _token()), every, once=once, as_json=as_json)
    except ClientError as error:
        raise UsageError(str(error)) from None
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def _token() -> str | None:
    token = os.environ.get("SAFECITY_TOKEN")
    if token:
        remember_secret(token)
    return token


@contextmanager
def _alone_where_needed(site: Site) -> Iterator[None]:
    """A lock on the data folder, unless the store is a server's: then several centres may share both."""
    database = site.centre.database
    if database is not None and not database.get_secret_value().startswith("sqlite"):
        yield
        return
    with FolderLock(site.in_data_dir("centre"), "command centre"):
        yield


def _with_address(site: Site, host: str | None, port: int | None) -> Site:
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    centre = site.centre.model_copy(update=given)
    if not is_loopback(centre.host) and centre.token is None:
        raise UsageError(
            f"--host {centre.host} is not loopback, so the site file needs a token: "
            'under [centre], token = "${SAFECITY_TOKEN}"'
        )
    return site.model_copy(update={"centre": centre})
