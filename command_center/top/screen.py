"""A look on the screen, or as JSON, again and again."""

import json
import time
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.table import Column, Table
from rich.text import Text

from command_center.client import CentreClient, ClientError
from command_center.top.look import Answers, CameraLook, Look, WorkerLook, look_at
from safecity.message import format_utc

COLOURS = {"live": "green", "ended": "dim", "starting": "cyan", "reconnecting": "yellow", "stale": "red"}
LAG_WORTH_A_LOOK, DROPPED_WORTH_A_LOOK = 1000, 1.0
OTHER_LINES = 11
"""On the screen beside the rows of cameras and workers."""


class City:
    """Looks at the city through one centre.

    Args:
        client: of the centre.
    """

    def __init__(self, client: CentreClient) -> None:
        self._client = client
        self._site: str = client.get("site")["name"]
        self._before: Answers | None = None

    def look(self) -> Look:
        """Look now; what is by the second is since the look before.

        Raises:
            ClientError: the centre is away, or refuses.
        """
        cameras, stats = self._client.get("cameras")["items"], self._client.get("stats")
        now = datetime.now(UTC)
        look = look_at(self._site, cameras, stats, now, self._before)
        self._before = Answers.keep(cameras, stats, now)
        return look


def show(client: CentreClient, every: float, *, once: bool, as_json: bool) -> None:
    """Look, once or until Ctrl-C.

    Raises:
        ClientError: the centre does not answer at the first look; later it is waited for.
    """
    city, console = City(client), Console()
    look = city.look()
    if once:
        if as_json:
            print(as_document(look))
        else:
            console.print(picture(look, rows=None))
        return
    if as_json:
        while True:
            print(as_document(look), flush=True)
            time.sleep(every)
            look = city.look()
    with Live(picture(look, console.height), console=console, screen=console.is_terminal) as live:
        while True:
            time.sleep(every)
            try:
                look = city.look()
                live.update(picture(look, console.height), refresh=True)
            except ClientError as error:
                live.update(Group(picture(look, console.height - 1), Text(str(error), "bold red")))


def as_document(look: Look) -> str:
    """A look as one line of JSON."""

    def plain(value: Any) -> Any:
        return format_utc(value) if isinstance(value, datetime) else value

    return json.dumps(asdict(look), default=plain)


def picture(look: Look, rows: int | None) -> Group:
    """A look for people.

    Args:
        look: what was seen.
        rows: of the screen; None: as many as it takes.
    """
    room = None if rows is None else max(rows - OTHER_LINES - len(look.workers), 3)
    shown = look.cameras[:room]
    parts: list[Group | Table | Text] = [_head(look), _workers(look.workers), _cameras(shown)]
    if len(shown) < len(look.cameras):
        parts.append(Text(f"and {len(look.cameras) - len(shown)} more cameras", "dim"))
    return Group(*parts)


def _head(look: Look) -> Group:
    states = Text(f"{look.site}  {look.at.astimezone():%H:%M:%S}   {len(look.cameras)} cameras: ")
    for state, count in sorted(look.states.items()):
        states.append(f"{count} {state}  ", COLOURS.get(state, ""))
    lag = Text("lag  ")
    for topic, behind in look.lag.items():
        lag.append(f"{topic} {behind:,}  ", "red" if behind > LAG_WORTH_A_LOOK else "")
    rate = "" if look.stored_per_second is None else f" ({look.stored_per_second:.1f}/s)"
    p50, p95 = (_number(look.latency_ms[name]) for name in ("p50", "p95"))
    events = Text(
        f"events  {look.stored:,} stored{rate}, {look.duplicates:,} came again, "
        f"{look.dead_letters:,} unreadable; to the store p50 {p50} ms, p95 {p95} ms"
    )
    return Group(states, events, lag)


def _workers(workers: Any) -> Table:
    table = Table("worker", *_right("cameras", "live", "less", "outbox", "analysed/s", "dropped/s", "age s"))
    for worker in workers:
        table.add_row(*_worker_row(worker))
    return table


def _worker_row(worker: WorkerLook) -> tuple[str, ...]:
    return (
        worker.name,
        str(worker.cameras),
        str(worker.live),
        str(worker.less),
        f"[{'yellow' if worker.outbox else 'default'}]{worker.outbox:,}[/]",
        _number(worker.analysed),
        _dropped(worker.dropped),
        _number(worker.age_seconds),
    )


def _cameras(cameras: Any) -> Table:
    table = Table("camera", "state", "worker", *_right("analysed/s", "dropped/s", "events"), "trouble")
    for camera in cameras:
        table.add_row(*_camera_row(camera))
    return table


def _camera_row(camera: CameraLook) -> tuple[str | Text, ...]:
    return (
        Text(camera.name),
        Text(camera.state, COLOURS.get(camera.state, "red")),
        Text(camera.worker),
        _number(camera.analysed if camera.analysed is not None else camera.analysed_fps),
        _dropped(camera.dropped),
        f"{camera.events:,}",
        Text(camera.trouble, "yellow"),
    )


def _right(*headings: str) -> list[Any]:
    return [Column(heading, justify="right") for heading in headings]


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _dropped(rate: float | None) -> str:
    shown = _number(rate)
    return f"[red]{shown}[/]" if rate is not None and rate > DROPPED_WORTH_A_LOOK else shown
