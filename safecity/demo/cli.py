"""``safecity demo``."""

import json
import shutil
import signal
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from safecity.redaction import redact


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(demo)


def demo(
    cameras: Annotated[int, typer.Option(min=1, max=64, help="How many cameras.")] = 4,
    duration: Annotated[float | None, typer.Option(min=1, help="Stop after so many seconds.")] = None,
    summary: Annotated[
        Path | None, typer.Option(help="At the end, write what came of it as JSON.", metavar="FILE")
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Of the page.")] = 8080,
    kafka: Annotated[
        str | None,
        typer.Option(help="Use this Apache Kafka instead of the embedded bus.", metavar="HOST:PORT"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Keep everything here; a folder for the time otherwise.", metavar="DIR"),
    ] = None,
) -> None:
    """Start cameras from real footage, a worker and the command centre, and show the events as they come.

    Example: safecity demo --duration 60 --summary demo.json
    """
    from safecity.demo.city import CityError
    from safecity.demo.run import DemoPlan, check_port, run_demo

    check_port(port)
    # Stopped from outside is stopped cleanly too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = data or Path(tempfile.mkdtemp(prefix="safecity-demo-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        result = run_demo(DemoPlan(cameras, duration, port, kafka, folder.resolve()), typer.echo)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except CityError as error:
        typer.echo(f"safecity: {redact(error)}", err=True)
        raise typer.Exit(1) from None
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)
    if summary is not None:
        summary.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    typer.echo(_in_words(result))


def _in_words(result: dict[str, Any]) -> str:
    events, latency = result["events"], result["latency_ms"]
    residue = sum(ledger["residue"] for ledger in result["ledger"].values())
    spread = (
        f", captured to stored p50 {latency['p50']:.0f} ms, p95 {latency['p95']:.0f} ms"
        if latency.get("p50") is not None
        else ""
    )
    return (
        f"{events['decided']} events decided, {events['published']} published, {events['stored']} stored, "
        f"{events['duplicates']} duplicates{spread}; frames without an account: {residue}"
    )
