"""A worker and a command centre on this machine, as real processes: started, watched, ended in order."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import httpx

from safecity.parent import die_with

READY_SECONDS = 60.0
DRAIN_SECONDS = 30.0

EventKey = tuple[str, int]
"""An event's id and revision."""


class CityError(Exception):
    """A part did not start or ended by itself; the message ends in the last lines of its log."""


@dataclass(frozen=True)
class Part:
    """One process of safecity."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path

    def end(self, seconds: float) -> None:
        """Ask it to end, and make it when it has not after so long."""
        end_process(self.process, seconds)

    def check(self) -> None:
        """See that it runs.

        Raises:
            CityError: it has ended.
        """
        if self.process.poll() is not None:
            raise CityError(f"the {self.name} ended by itself:\n{self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


class City:
    """What a site document describes, running.

    Args:
        document: the site; its data folder is ``folder``, its ``centre.port`` is set.
        folder: where everything is kept.
    """

    def __init__(self, document: Mapping[str, Any], folder: Path) -> None:
        self.url = f"http://127.0.0.1:{document['centre']['port']}"
        self._folder = folder
        self._site = folder / "site.json"
        self._site.write_text(json.dumps(document, indent=1), encoding="utf-8")
        self._journal, self._report = folder / "decided.jsonl", folder / "worker-summary.json"
        self._parts: dict[str, Part] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for part in reversed(self._parts.values()):
            part.end(15.0)

    def start_centre(self) -> None:
        """Start the command centre and wait until it is ready.

        Raises:
            CityError: it is not.
        """
        centre = self._start("command centre", "command-center")
        _wait_until(lambda: _answers(f"{self.url}/api/v1/health/ready"), centre)

    def start_worker(self) -> None:
        """Start the worker and wait until each of its cameras has reported.

        Raises:
            CityError: not all of them did.
        """
        options = ("--journal", str(self._journal), "--summary", str(self._report))
        worker = self._start("worker", "worker", *options)
        _wait_until(lambda: all(camera["status"] is not None for camera in self.cameras()), worker)

    def watch(self, duration: float | None, tick: Callable[[], None] = lambda: None) -> None:
        """Let it run for some seconds, or until Ctrl-C.

        Args:
            duration: seconds; None: for ever.
            tick: called now and then.

        Raises:
            CityError: a part ended by itself.
        """
        end = time.monotonic() + duration if duration is not None else None
        while end is None or time.monotonic() < end:
            for part in self._parts.values():
                part.check()
            tick()
            time.sleep(0.2)

    def stop_worker(self) -> dict[str, Any]:
        """End the worker, which hands over what it has, and give its report.

        Raises:
            CityError: it left none.
        """
        worker = self._parts["worker"]
        worker.end(DRAIN_SECONDS + 15.0)
        if not self._report.exists():
            raise CityError(
                f"the worker ended without a report; its log: {worker.log}\n{worker.last_words()}"
            )
        report: dict[str, Any] = json.loads(self._report.read_text(encoding="utf-8"))
        return report

    def decided(self) -> set[EventKey]:
        """What the rules decided, by the worker's journal."""
        lines = self._journal.read_text(encoding="utf-8").splitlines() if self._journal.exists() else []
        return {(event["event_id"], event["revision"]) for event in map(json.loads, lines)}

    def stored(self, decided: set[EventKey]) -> list[dict[str, Any]]:
        """Those of the decided events that the centre has, once it has them all or had time enough."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while True:
            stored = [item for item in self.events() if (item["event_id"], item["revision"]) in decided]
            if len(stored) >= len(decided) or time.monotonic() > deadline:
                return stored
            time.sleep(0.3)

    def process_id(self, name: str) -> int:
        """Of a part that was started: ``worker`` or ``command centre``."""
        return self._parts[name].process.pid

    def cameras(self) -> list[dict[str, Any]]:
        """The cameras as the centre shows them."""
        items: list[dict[str, Any]] = self.get("cameras")["items"]
        return items

    def get(self, path: str, **parameters: str) -> Any:
        """What the centre's API answers."""
        url = f"{self.url}/api/v1/{path}"
        return httpx.get(url, params=parameters, timeout=30.0).raise_for_status().json()

    def events(self) -> Iterator[dict[str, Any]]:
        """All revisions of all events that the centre has."""
        more: dict[str, str] = {}
        while True:
            page = self.get("events", limit="1000", revisions="all", **more)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            more = {"cursor": page["next_cursor"]}

    def _start(self, name: str, command: str, *options: str) -> Part:
        log = self._folder / f"{command}.log"
        with log.open("ab") as output:
            process = start_process(command, "--site", str(self._site), *options, output=output.fileno())
        self._parts[name] = Part(name, process, log)
        return self._parts[name]


def start_process(*arguments: str, output: int | None = None) -> "subprocess.Popen[bytes]":
    """Start ``safecity`` with arguments in a process that does not outlive this one.

    Args:
        arguments: of the command line.
        output: where its output goes, a file descriptor; None: where this one's goes.
    """
    parent = os.getpid()
    return subprocess.Popen(
        [sys.executable, "-m", "safecity", *arguments],
        stdout=output,
        stderr=output,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=lambda: die_with(parent, signal.SIGTERM),
    )


def end_process(process: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Ask a process to end, and make it when it has not after so long."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until(ready: Callable[[], bool], part: Part) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not ready():
        if part.process.poll() is not None or time.monotonic() > deadline:
            raise CityError(f"the {part.name} did not start:\n{part.last_words()}")
        time.sleep(0.1)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2.0).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False
