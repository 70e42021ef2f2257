"""The group ``safecity bench``; each package adds the benches of what it holds."""

import typer

bench = typer.Typer(
    name="bench", help="Measure, side by side in one run: density, latency, bus, centre.", no_args_is_help=True
)
