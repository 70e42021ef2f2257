"""Events in a terminal, read from the centre's API like any other client's."""

import json
import sys
import time
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.console import Console
from rich.text import Text

from command_center.client import CentreClient
from safecity.server_sent_events import read_messages

COLOURS = {"info": "dim", "low": "cyan", "medium": "yellow", "high": "red", "critical": "bold white on red"}
PAGE = 1000
LONGEST_WAIT = 10.0


class Viewer:
    """Prints events, the newest last.

    Args:
        url: of the centre.
        token: when the centre wants one.
        as_json: print one JSON object a line.
        camera: only this camera's events.
        kind: only events of this kind.
    """

    def __init__(
        self, url: str, token: str | None, *, as_json: bool, camera: str | None, kind: str | None
    ) -> None:
        self._client = CentreClient(url, token)
        self._as_json = as_json
        self._filter = {"camera_id": camera, "kind": kind}
        self._console = Console(highlight=False)
        self._zone = ZoneInfo("UTC")

    def show_newest(self, limit: int, since: datetime | None) -> int:
        """Print up to ``limit`` of the newest events, and give the sequence to follow from.

        Raises:
            ClientError: the centre is not there, or refuses.
        """
        self._zone = ZoneInfo(self._client.get("site")["timezone"])
        wanted = {name: value for name, value in self._filter.items() if value is not None}
        if since is not None:
            wanted["since"] = since.astimezone(UTC).isoformat()
        found: list[dict[str, Any]] = []
        cursor: str | None = None
        while len(found) < limit:
            more = {"cursor": cursor} if cursor else {}
            page = self._client.get("events", {**wanted, **more, "limit": str(min(PAGE, limit - len(found)))})
            found += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        for item in reversed(found):
            self._print(item)
        newest = self._client.get("events", {"limit": "100"})["items"]
        return max((item["sequence"] for item in (*found, *newest)), default=0)

    def follow(self, sequence: int) -> None:
        """Print what comes after ``sequence``, for ever; connect again when the centre goes away."""
        wait = 0.5
        while True:
            try:
                with self._client.stream("events/stream", {"Last-Event-ID": str(sequence)}) as answer:
                    wait = 0.5
                    for message in read_messages(answer.iter_lines()):
                        if message.kind != "event":
                            continue
                        item = json.loads(message.data)
                        sequence = item["sequence"]
                        if all(value in {None, item[name]} for name, value in self._filter.items()):
                            self._print(item)
            except httpx.HTTPError:
                sys.stderr.write(f"the centre is away, trying again in {wait:g} s\n")
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)

    def _print(self, item: dict[str, Any]) -> None:
        if self._as_json:
            sys.stdout.write(json.dumps(item) + "\n")
            sys.stdout.flush()
            return
        at = datetime.fromisoformat(item["occurred_at"]).astimezone(self._zone)
        labels = ", ".join(sorted({track["label"] for track in item["tracks"]}))
        line = Text(f"{at:%Y-%m-%d %H:%M:%S}  ")
        line.append(f"{item['camera_name']:<18} ", "bold")
        line.append(f"{item['kind']:<14} ", COLOURS.get(item["severity"], ""))
        line.append(f"{labels:<10} {item['zone'] or item['line'] or ''}")
        phase = "" if item["revision"] == 1 and item["phase"] == "closed" else item["phase"]
        line.append(f"  {phase}" if phase else "", "bold")
        extras = " ".join(f"{name}={value}" for name, value in item["attributes"].items())
        line.append(f"  {extras}" if extras else "", "dim")
        self._console.print(line, soft_wrap=True)
