"""What the API answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from safecity.event import Event, Trace
from safecity.message import UtcTime
from safecity.status import Status


class SiteInfo(BaseModel):
    """The site."""

    name: str
    timezone: str = Field(description="IANA name, for people's eyes; the API's times are UTC")
    version: str = Field(description="of safecity")


class CameraItem(BaseModel):
    """A camera, how it is configured and how it fares."""

    id: str
    name: str
    source: str = Field(description="its address without user and password")
    zones: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    masks: list[list[tuple[float, float]]]
    rules: list[dict[str, Any]]
    status: Status | None = Field(description="what its worker said last; null: never anything")
    stale: bool = Field(description="whether its worker has been silent for 15 seconds")


class CameraList(BaseModel):
    """All cameras of the site."""

    items: list[CameraItem]


class EventItem(Event):
    """An event as the centre has it."""

    sequence: int = Field(description="rises with each event that is stored; the id in the live stream")
    stored_at: UtcTime
    camera_name: str
    snapshot_url: str | None = Field(description="path of its picture; 404 there until the picture came")
    latency_ms: float | None = Field(description="from the capture of the frame to the store")
    trace: Trace | None


class EventDetail(EventItem):
    """An event with its history."""

    revisions: list[EventItem] = Field(description="all revisions, oldest first")


class ClipInfo(BaseModel):
    """What was recorded around an event."""

    url: str
    start: str = Field(description="event time of its first picture, RFC 3339")
    seconds: float
    codec: str
    masked: bool = Field(description="privacy masks are burned in, so it was encoded anew")
    plays_in_browsers: bool = Field(description="false: many browsers do not play this codec")
    note: str | None = Field(description="that, in words")
    gaps: list[str] = Field(description="what is missing in it, in words")


class EventPage(BaseModel):
    """Some events."""

    items: list[EventItem]
    next_cursor: str | None = Field(description="give it as cursor for the next page; null: there is none")


class RunItem(BaseModel):
    """A replay that the centre has."""

    name: str
    events: int = Field(description="how many; each revision counts")
    first: UtcTime = Field(description="event time of the first one")
    last: UtcTime = Field(description="event time of the last one")
    stored_at: UtcTime = Field(description="when the newest came")


class RunList(BaseModel):
    """All replays."""

    items: list[RunItem]


class RunTaken(BaseModel):
    """What became of events of a replay."""

    stored: int
    duplicates: int


class EventStats(BaseModel):
    """Counts over all that is stored; each revision counts."""

    stored: int
    duplicates: int
    by_kind: dict[str, int]
    by_camera: dict[str, int]


class LatencyStats(BaseModel):
    """Milliseconds from capture to store, of the last 10,000 events."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class Stats(BaseModel):
    """What the centre has done."""

    events: EventStats
    latency_ms: LatencyStats
    dead_letter: int
    lag: dict[str, int] = Field(description="messages on the bus that the centre has not read, by topic")


class Health(BaseModel):
    """Whether the centre works."""

    status: Literal["live", "ready", "not ready"]
    checks: dict[str, bool] = {}


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class SignIn(BaseModel):
    """What is sent to sign in."""

    token: str = Field(min_length=1, max_length=1024)


class SignedIn(BaseModel):
    """The answer to a sign-in."""

    signed_in_at: datetime
