"""``safecity kafka``: a real Apache Kafka for development and tests. And the groups bench and cameras."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from safecity.bench.cli import bench
from safecity.cameras_cli import cameras
from safecity.cli import UsageError
from safecity.redaction import redact

if TYPE_CHECKING:
    from safecity.kafka_dev import Broker

Data = Annotated[Path, typer.Option("--data", help="Folder of the broker; made when missing.", metavar="DIR")]
kafka = typer.Typer(
    name="kafka", help="A single-node Apache Kafka for development and tests.", no_args_is_help=True
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(kafka)
    app.add_typer(cameras)
    app.add_typer(bench)


@kafka.command()
def start(
    data: Data,
    port: Annotated[int, typer.Option(min=1, max=65535, help="On 127.0.0.1.")] = 9092,
    heap: Annotated[str, typer.Option(help="Of the Java virtual machine.", metavar="SIZE")] = "384m",
    foreground: Annotated[
        bool, typer.Option("--foreground", help="Stay until Ctrl-C, then stop it.")
    ] = False,
) -> None:
    """Start a broker and wait until it answers. It goes on in the background.

    Example: safecity kafka start --port 9092 --data ./kafka
    """
    from safecity.kafka_dev import BrokerError, is_running, stop
    from safecity.kafka_dev import start as start_broker

    _check_heap(heap)
    try:
        broker = start_broker(port, data, heap=heap, progress=typer.echo)
        typer.echo(f"Apache Kafka answers at {broker.address} (pid {broker.pid}, data in {broker.data})")
        if not foreground:
            typer.echo(f"stop it with: safecity kafka stop --data {data}")
            return
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            while is_running(broker):
                time.sleep(0.5)
        except KeyboardInterrupt:
            stop(broker)
            typer.echo("stopped")
            return
        raise BrokerError(f"the broker has ended; see {broker.data / 'logs'}")
    except BrokerError as error:
        _fail(error)


@kafka.command()
def stop(data: Data) -> None:
    """Stop the broker of a folder and wait until it is gone.

    Example: safecity kafka stop --data ./kafka
    """
    from safecity.kafka_dev import BrokerError
    from safecity.kafka_dev import stop as stop_broker

    try:
        broker = _known(data)
        if broker is None:
            typer.echo(f"no broker runs in {data}")
            return
        stop_broker(broker)
        typer.echo(f"stopped the broker on port {broker.port}")
    except BrokerError as error:
        _fail(error)


@kafka.command()
def status(
    data: Data,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say whether the broker of a folder runs. Exit code 0 if it answers, 1 if not.

    Example: safecity kafka status --data ./kafka --json
    """
    from safecity.kafka_dev import BrokerError
    from safecity.kafka_dev.broker import answers

    try:
        broker = _known(data)
    except BrokerError as error:
        _fail(error)
    answering = broker is not None and answers(broker.port)
    if as_json:
        found = {"port": broker.port, "pid": broker.pid, "address": broker.address} if broker else {}
        typer.echo(json.dumps({"running": broker is not None, "answers": answering, **found}))
    elif broker is None:
        typer.echo(f"no broker runs in {data}")
    else:
        state = "answers" if answering else "runs but does not answer yet"
        typer.echo(f"the broker at {broker.address} {state} (pid {broker.pid})")
    raise typer.Exit(0 if answering else 1)


@kafka.command()
def logs(
    data: Data,
    lines: Annotated[int, typer.Option(min=1, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("--follow", help="Go on as it grows, until Ctrl-C.")] = False,
) -> None:
    """Show the log of the broker of a folder: warnings and worse.

    Example: safecity kafka logs --data ./kafka --follow
    """
    path = data / "logs" / "server.log"
    if not path.exists():
        raise UsageError(f"there is no log in {data}; is it the --data of a broker?")
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]:
        typer.echo(redact(line))
    if follow:
        try:
            for line in _growth(path):
                typer.echo(redact(line), nl=False)
        except KeyboardInterrupt:
            return


def _growth(path: Path) -> Iterator[str]:
    file = path.open(encoding="utf-8", errors="replace")
    file.seek(0, os.SEEK_END)
    while True:
        if line := file.readline():
            yield line
            continue
        time.sleep(0.3)
        if path.exists() and path.stat().st_ino != os.fstat(file.fileno()).st_ino:  # rolled over
            file.close()
            file = path.open(encoding="utf-8", errors="replace")


def _known(data: Path) -> "Broker | None":
    from safecity.kafka_dev import running_broker

    return running_broker(data)


def _check_heap(heap: str) -> None:
    if not heap[:-1].isdigit() or heap[-1] not in "kmgKMG":
        raise UsageError(f"--heap {heap}: want a number and m or g, e.g. 384m")


def _fail(error: Exception) -> NoReturn:
    typer.echo(f"safecity: {redact(error)}", err=True)
    raise typer.Exit(1)
