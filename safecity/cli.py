"""The command ``safecity``. Each package registers its subcommands under ``safecity.commands``."""

import sys
from datetime import UTC, datetime
from importlib.metadata import entry_points, version
from typing import Annotated

import typer

from safecity.redaction import redact
from safecity.settings import SettingsError

app = typer.Typer(
    name="safecity",
    help="Camera events for safe cities: detection at the edge, one command centre.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)


class UsageError(Exception):
    """The user can mend it: shown as one plain message, exit code 2."""


def parse_time(text: str) -> datetime:
    """A time as people give it to a command: RFC 3339 with its zone.

    Raises:
        UsageError: it is none, or has no zone.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None:
        raise UsageError(f"{text!r} is no time with its zone, e.g. 2026-03-01T12:00:00Z")
    return time.astimezone(UTC)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"safecity {version('safecity')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Say the version and stop."),
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line. Exit codes: 0 done, 1 failed, 2 wrong input."""
    for entry in sorted(entry_points(group="safecity.commands"), key=lambda e: e.name):
        entry.load()(app)
    try:
        app()
    except (UsageError, SettingsError) as error:
        sys.stderr.write(f"safecity: {redact(error)}\n")
        sys.exit(2)
