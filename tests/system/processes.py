"""Real processes for the tests of the whole: started, killed, waited for, never left over."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from safecity.demo.scenes import demo_site
from safecity.free_port import free_port
from safecity.parent import die_with


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for: {what}"
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    """Children, and theirs."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError):
                continue
            if parent == pid:
                found += [int(entry.name), *children_of(int(entry.name))]
    return found


def _begin(parent: int) -> None:
    die_with(parent, signal.SIGKILL)
    # Tests that run in the background of a shell are not to be interrupted, and hand that down.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Part:
    """One process of safecity."""

    arguments: list[str]
    log: Path
    environment: dict[str, str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        parent = os.getpid()
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "safecity", *self.arguments],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env={**os.environ, **self.environment},
                preexec_fn=lambda: _begin(parent),
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self, seconds: float = 60.0) -> int:
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(seconds)

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")


@contextmanager
def parts(*all_parts: Part) -> Iterator[None]:
    try:
        yield
    finally:
        for part in all_parts:
            if part.process is not None and part.process.poll() is None:
                part.kill()


@dataclass
class City:
    """A site with its worker and its centre, not yet started."""

    folder: Path
    port: int
    site: Path
    worker: Part
    centre: Part

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def decided(self) -> list[tuple[str, int]]:
        path = self.folder / "decided.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(event["event_id"], event["revision"]) for event in map(json.loads, lines)]

    def stored(self) -> list[tuple[str, int]]:
        found, cursor = [], None
        while True:
            parameters = {"limit": "50", "revisions": "all", **({"cursor": cursor} if cursor else {})}
            page = (
                httpx.get(f"{self.url}/api/v1/events", params=parameters, timeout=20)
                .raise_for_status()
                .json()
            )
            found += [(item["event_id"], item["revision"]) for item in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    def ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/api/v1/health/ready", timeout=2).status_code == 200
        except httpx.HTTPError:
            return False

    def everything_stored(self) -> bool:
        return set(self.decided) <= set(self.stored())


def build_city(
    folder: Path, *, cameras: int = 4, kafka: str | None = None, rtsp: dict[str, str] | None = None
) -> City:
    """The demo's site, with its parts, in ``folder``."""
    port = free_port()
    document = demo_site(cameras, folder / "data", port, kafka=kafka, rtsp=rtsp or {})
    site = folder / "site.json"
    site.write_text(json.dumps(document))
    journal = str(folder / "decided.jsonl")
    worker = Part(["worker", "--site", str(site), "--journal", journal], folder / "worker.log", {})
    centre = Part(["command-center", "--site", str(site)], folder / "centre.log", {})
    return City(folder, port, site, worker, centre)
