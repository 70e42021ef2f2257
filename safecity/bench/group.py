"""The group ``safecity bench``, and how each of its benches is run. Imports none of them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from safecity.bench.measure import MeasureError
from safecity.redaction import redact

bench = typer.Typer(
    name="bench",
    help="Measure, side by side in one run: density, latency, bus, centre.",
    no_args_is_help=True,
)


def announce(text: str) -> None:
    """Tell a person what goes on, without getting into what is piped on."""
    typer.echo(redact(text), err=True)


@contextmanager
def bench_run() -> Iterator[None]:
    """What a bench does is ended in order by Ctrl-C and by SIGTERM, and its failure is one plain message."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except MeasureError as error:
        announce(f"safecity: {error}")
        raise typer.Exit(1) from None
