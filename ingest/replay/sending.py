"""A run onto the bus, or straight into a centre: apart from what is live."""

import os
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from ingest.replay.stretch import Looked, ToldEvent
from safecity.bus import open_bus
from safecity.bus.port import BusError
from safecity.cloudevents import RUN_HEADER, replayed_headers
from safecity.event import Event
from safecity.redaction import redact
from safecity.settings import Site, load_site

TOPIC = "replays"
FLUSH_SECONDS = 60.0
FLUSH_EVERY = 500
AT_ONCE = 500
TOKEN_VARIABLE = "SAFECITY_TOKEN"


class SendError(Exception):
    """The bus or the centre did not take it; sending the same run again adds what is missing."""


class BusSink:
    """Onto the topic ``replays``: pictures before their events, the run's name in a header.

    Args:
        site: whose bus.
        run: the run's name.
    """

    def __init__(self, site: Site, run: str) -> None:
        self._run = run
        self._bus = open_bus(site)
        self._unflushed = 0
        try:
            self._bus.ensure_topics()
            self._producer = self._bus.producer("safecity-replay")
        except BusError as error:
            raise SendError(f"--to-bus: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            self._flush()
        except SendError:
            if kind is None:
                raise
        finally:
            self._producer.close()
            self._bus.close()

    def take(self, looked: Looked) -> None:
        """Publish what is told of a picture.

        Raises:
            SendError: the bus is away.
        """
        for told in looked.events:
            self.send(told)

    def send(self, told: ToldEvent) -> None:
        """Publish one event, and its picture before it."""
        event, now = Event.from_bytes(told.value), int(time.time() * 1000)
        try:
            if told.picture is not None:
                name, picture = told.picture
                headers = [(RUN_HEADER, self._run.encode()), ("media-name", name.encode())]
                self._producer.publish(
                    TOPIC, key=event.camera_id, value=picture, headers=headers, timestamp_ms=now
                )
            headers = replayed_headers(event, self._run)
            self._producer.publish(
                TOPIC, key=event.camera_id, value=told.value, headers=headers, timestamp_ms=now
            )
        except BusError as error:
            raise SendError(f"--to-bus: {error}") from None
        self._unflushed += 1
        if self._unflushed >= FLUSH_EVERY:
            self._flush()

    def _flush(self) -> None:
        try:
            self._producer.flush(FLUSH_SECONDS)
        except BusError as error:
            raise SendError(f"--to-bus: {error}") from None
        self._unflushed = 0


class CentreSink:
    """Into a centre, over its API.

    Args:
        url: of the centre.
        token: of its API; None: it wants none.
        run: the run's name.
    """

    def __init__(self, url: str, token: str | None, run: str) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30.0)
        self._run = run
        self._waiting: list[bytes] = []
        self.stored = self.duplicates = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            self._flush()
        except SendError:
            if kind is None:
                raise
        finally:
            self._client.close()

    def take(self, looked: Looked) -> None:
        """Send what is told of a picture.

        Raises:
            SendError: the centre is away or refuses.
        """
        for told in looked.events:
            self.send(told)

    def send(self, told: ToldEvent) -> None:
        """Send one event, and its picture before it."""
        if told.picture is not None:
            name, picture = told.picture
            self._ask("PUT", f"/api/v1/runs/{self._run}/media/{name}", picture, "image/jpeg")
        self._waiting.append(told.value)
        if len(self._waiting) >= AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        if not self._waiting:
            return
        body = b"[" + b",".join(self._waiting) + b"]"
        taken = self._ask("POST", f"/api/v1/runs/{self._run}/events", body, "application/json").json()
        self.stored += taken["stored"]
        self.duplicates += taken["duplicates"]
        self._waiting.clear()

    def _ask(self, method: str, path: str, body: bytes, kind: str) -> httpx.Response:
        try:
            answer = self._client.request(method, path, content=body, headers={"Content-Type": kind})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SendError(f"--to-centre: the centre does not answer: {redact(error)}") from None
        if answer.is_error:
            raise SendError(
                f"--to-centre: the centre refuses ({answer.status_code}): {redact(answer.text[:300])}"
            )
        return answer


def open_centre(given: str, run: str) -> CentreSink:
    """The centre at a URL (its token in ``SAFECITY_TOKEN``), or that of a site file.

    Raises:
        SettingsError: the site file is wrong.
    """
    if given.startswith(("http://", "https://")):
        return CentreSink(given, os.environ.get(TOKEN_VARIABLE), run)
    centre = load_site(Path(given)).centre
    host = "127.0.0.1" if centre.host in {"0.0.0.0", "::"} else centre.host
    host = f"[{host}]" if ":" in host else host
    token = centre.token.get_secret_value() if centre.token else None
    return CentreSink(f"http://{host}:{centre.port}", token, run)
