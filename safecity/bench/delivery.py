"""When events reach the operator: followers of the centre's live stream, a browser or a plain client."""

import os
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Protocol

import httpx

from safecity.bench.measure import MeasureError
from safecity.server_sent_events import read_messages

CONNECT_SECONDS = 60.0
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
WATCH_STREAM = """
window.safecityDelivered = [];
window.EventSource = class extends EventSource {
  constructor(...given) {
    super(...given);
    this.addEventListener("event", (message) => {
      window.safecityDelivered.push([Number(message.lastEventId), Date.now() / 1000]);
    });
  }
};
"""
"""Notes each event of the page's own stream before the page itself gets it."""

Deliveries = dict[int, float]
"""Sequence of an event → seconds since 1970 when the stream delivered it."""


class Follower(Protocol):
    """Follows the live stream."""

    name: str
    """What it is, for the report."""

    def delivered(self) -> Deliveries:
        """What came so far."""
        ...


def browser_available() -> bool:
    """Whether Playwright and a Chromium are installed."""
    return find_spec("playwright") is not None and _chromium() is not None


@contextmanager
def following(url: str, *, browser: bool) -> Iterator[Follower]:
    """Follow the live stream of a centre.

    Args:
        url: of the centre.
        browser: open the page in Chromium; otherwise only read its stream.

    Raises:
        MeasureError: the stream could not be followed.
    """
    if browser:
        with _page(url) as page:
            yield page
    else:
        with httpx.Client(timeout=httpx.Timeout(10.0, read=None)) as client:
            follower = _Client(client, url)
            yield follower
            follower.stop()


class _Client:
    name = "SSE client (no browser)"

    def __init__(self, client: httpx.Client, url: str) -> None:
        self._delivered: Deliveries = {}
        self._connected, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._read, args=(client, url), daemon=True)
        self._thread.start()
        if not self._connected.wait(CONNECT_SECONDS):
            raise MeasureError("the live stream does not answer")

    def delivered(self) -> Deliveries:
        return dict(self._delivered)

    def stop(self) -> None:
        self._stopping.set()
        # The stream says that it is still there every ten seconds: then it is noticed.
        self._thread.join(15.0)

    def _read(self, client: httpx.Client, url: str) -> None:
        with client.stream("GET", f"{url}/api/v1/events/stream") as answer:
            self._connected.set()
            for message in read_messages(self._until_stopped(answer)):
                if message.kind == "event":
                    self._delivered[int(message.last_id)] = time.time()

    def _until_stopped(self, answer: httpx.Response) -> Iterator[str]:
        for line in answer.iter_lines():
            if self._stopping.is_set():
                return
            yield line


class _Page:
    def __init__(self, page: Any, name: str) -> None:
        self._page = page
        self.name = name

    def delivered(self) -> Deliveries:
        found = self._page.evaluate("window.safecityDelivered")
        return {int(sequence): float(at) for sequence, at in found}


@contextmanager
def _page(url: str) -> Iterator[_Page]:
    from playwright.sync_api import Error, sync_playwright

    # Chromium's sandbox does not work for root; the only page that it opens is ours.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=_chromium(), args=arguments)
        try:
            page = browser.new_page()
            page.add_init_script(WATCH_STREAM)
            page.goto(url)
            page.locator("#connection", has_text="live").wait_for(timeout=CONNECT_SECONDS * 1000)
            yield _Page(page, f"Chromium {browser.version}, the live page")
        except Error as error:
            raise MeasureError(f"the page in Chromium: {error.message}") from None
        finally:
            browser.close()


def _chromium() -> str | None:
    return next((found for name in CHROMIUM if (found := shutil.which(name))), None)
