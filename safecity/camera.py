"""A camera: where its pictures come from, what is masked, what is watched."""

import hashlib
import ipaddress
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeAlias, Union
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from safecity.camera_fault import CameraFault
from safecity.homography import Homography, fit_homography
from safecity.message import Name, Share, UtcTime
from safecity.redaction import redact, remember_secret
from safecity.rules import RuleSettings, Scene, rule_settings_types

if TYPE_CHECKING:
    AnyRule: TypeAlias = RuleSettings
else:
    AnyRule = Annotated[Union[tuple(rule_settings_types())], Field(discriminator="kind")]  # noqa: UP007

SCHEMES = ("rtsp", "rtsps", "http", "https", "file")
DEFAULT_NETWORKS = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")

_NOT_DECISIVE = (
    "source",
    "substream",
    "name",
    "playback",
    "transport",
    "priority",
    "start_time",
    "start_offset_seconds",
    "recording",
    "pre_roll_seconds",
    "post_roll_seconds",
)
"""What of a camera's configuration changes no event: the same footage gives the same events without it."""

Point = tuple[Share, Share]


def _with_area(polygon: tuple[Point, ...]) -> tuple[Point, ...]:
    x, y = np.array(polygon).T
    if abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) < 1e-9:
        raise ValueError("the polygon has no area; give three or more corners that are not on one line")
    return polygon


Polygon = Annotated[
    tuple[Point, ...],
    Field(min_length=3, description="corners x y, relative to the picture"),
    AfterValidator(_with_area),
]


class Settings(BaseModel):
    """Base of all settings: frozen, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _iana_name(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{value!r} is no IANA time zone, e.g. Asia/Karachi") from None
    return value


Timezone = Annotated[str, AfterValidator(_iana_name)]


class WorldPoint(Settings):
    """A point of the picture whose place on the ground is known."""

    point: Point = Field(description="x y, relative to the picture")
    metres: tuple[float, float] = Field(description="x y on the ground, from any origin, in metres")


class Zone(Settings):
    """A named region of the picture."""

    name: Name = Field(description="unique within the camera")
    polygon: Polygon
    world: tuple[WorldPoint, ...] = Field(
        default=(), description="four or more points on the zone's ground, measured: for speed and density"
    )

    @field_validator("world")
    @classmethod
    def _points_fit(cls, world: tuple[WorldPoint, ...]) -> tuple[WorldPoint, ...]:
        if world:
            _fit(world)
        return world

    @property
    def ground(self) -> Homography | None:
        """From the picture to metres on the ground, where that is known."""
        return _fit(self.world) if self.world else None


def _fit(world: tuple[WorldPoint, ...]) -> Homography:
    return fit_homography(np.array([w.point for w in world]), np.array([w.metres for w in world], np.float64))


class Line(Settings):
    """A named line across the picture, with a direction from start to end."""

    name: Name = Field(description="unique within the camera")
    start: Point = Field(description="x y, relative to the picture")
    end: Point = Field(description="x y, relative to the picture")

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.start == self.end:
            raise ValueError("start and end are the same point; give two different points")
        return self


class HealthSettings(Settings):
    """What is watched of the camera itself. Every fault raised is an event, and so is its end."""

    enabled: bool = Field(default=True, description="watch the camera itself")
    off: tuple[CameraFault, ...] = Field(default=(), description="faults that are not looked for")
    raise_seconds: float = Field(
        default=15.0, ge=1.0, le=3600.0, description="evidence for so long raises a fault"
    )
    clear_seconds: float = Field(default=10.0, ge=1.0, le=3600.0, description="none for so long clears it")
    frozen_seconds: float = Field(
        default=30.0, ge=5.0, le=3600.0, description="no new picture for so long, though frames come"
    )
    obstructed_share: float = Field(
        default=0.2, ge=0.05, le=1.0, description="share of the picture that is hidden"
    )
    moved_share: float = Field(
        default=0.02, ge=0.01, le=0.5, description="shift of the view, share of the picture's width or height"
    )
    relearn_seconds: float = Field(
        default=3600.0,
        ge=60.0,
        description="an obstructed, blurred or moved view that lasts so long is taken for the new normal",
    )
    clock_seconds: float = Field(
        default=5.0, ge=1.0, description="RTSP only: the camera's clock is wrong by more than this"
    )
    slow_share: float = Field(
        default=0.45, gt=0.0, lt=1.0, description="fewer frames than this share of what is expected"
    )
    expected_fps: float | None = Field(
        default=None, gt=0.0, le=240.0, description="frames a second; learned from the stream when not given"
    )


class Camera(Settings):
    """One camera of the site."""

    id: Name = Field(description="unique in the site; the key on the bus")
    name: str = Field(default="", description="what operators read; the id when empty")
    source: SecretStr = Field(
        description="rtsp://, rtsps://, http://, https:// (MJPEG) or file://; "
        "${NAME} is taken from the environment; a path is read relative to the site file"
    )
    substream: SecretStr | None = Field(
        default=None,
        description="a smaller stream of the same view, in the forms of source: it is what is analysed, and "
        "source gives only the pictures of events",
    )
    playback: Literal["live", "loop", "fast"] = Field(
        default="live",
        description="files only: once in real time, in real time for ever, or once as fast as possible",
    )
    start_offset_seconds: float = Field(
        default=0.0, ge=0.0, description="files only: begin this far into the file"
    )
    start_time: UtcTime | None = Field(
        default=None,
        description="files played fast only: event time of the first frame; "
        "the file's own creation time when not given, else 1970-01-01",
    )
    transport: Literal["tcp", "udp"] = Field(default="tcp", description="RTSP only: how the media travels")
    analysed_fps: float = Field(default=5.0, gt=0.0, le=60.0, description="frames a second to look at")
    motion_gate: bool = Field(default=True, description="look only at frames in which something moves")
    decode: Literal["full", "on_demand", "key_frames"] = Field(
        default="full",
        description="full: every frame; on_demand: while nothing moves only key frames, and what lies "
        "between two that differ after all, late by up to their distance; key_frames: only those",
    )
    deblocking: bool = Field(
        default=True,
        description="false saves a third of the cost of decoding H.264 and H.265, and blurs detail a little",
    )
    look_at: Literal["regions", "picture"] = Field(
        default="regions",
        description="regions: around what moves, at the picture's own resolution, which finds smaller "
        "objects and costs less; picture: always the whole picture",
    )
    timezone: Timezone | None = Field(
        default=None, description="IANA name, for the schedules of rules; the site's when not given"
    )
    priority: int = Field(default=5, ge=1, le=10, description="10 is the last to be shed under overload")
    zones: tuple[Zone, ...] = Field(default=(), description="regions that rules refer to")
    lines: tuple[Line, ...] = Field(default=(), description="lines that rules refer to")
    masks: tuple[Polygon, ...] = Field(
        default=(), description="privacy masks: painted black before anything looks at the picture"
    )
    rules: tuple[AnyRule, ...] = Field(default=(), description="what to watch for")
    health: HealthSettings = Field(
        default=HealthSettings(), description="what is watched of the camera itself"
    )
    recording: Literal["off", "events", "continuous"] = Field(
        default="off",
        description="what is kept of the stream, as it came: nothing, what surrounds events, or everything",
    )
    pre_roll_seconds: float = Field(
        default=5.0, ge=0.0, le=60.0, description="recording events: kept from before an event"
    )
    post_roll_seconds: float = Field(
        default=10.0, ge=1.0, le=600.0, description="recording events: kept from after an event"
    )

    @field_validator("source", "substream")
    @classmethod
    def _known_scheme(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            check_url(value.get_secret_value())
        return value

    @model_validator(mode="after")
    def _streams_are_of_a_kind(self) -> Self:
        recordings = {url.startswith("file:") for url in self.urls.values()}
        if len(recordings) > 1:
            raise ValueError(
                "substream: one of source and substream is a recording and the other is not, so their times "
                "have nothing in common; give two recordings or two live streams"
            )
        return self

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        for field in ("zones", "lines", "rules"):
            _refuse_repeats(field, [item.name for item in getattr(self, field)])
        known = {"zone": {z.name for z in self.zones}, "line": {item.name for item in self.lines}}
        grounds = {zone.name for zone in self.zones if zone.world}
        for index, rule in enumerate(self.rules):
            for field, names in known.items():
                wanted = getattr(rule, field, None)
                if wanted is not None and wanted not in names:
                    raise ValueError(
                        f"rules[{index}].{field}: no {field} is called {wanted!r}; {_there(names)}"
                    )
            zone = getattr(rule, "zone", None)
            if rule.wants_ground() and zone not in grounds:
                raise ValueError(
                    f"rules[{index}].zone: {rule.kind} wants a zone with four or more "
                    f"[[cameras.zones.world]] points, and {zone!r} has none"
                )
            before = {other.name for other in self.rules[:index]}
            for name in getattr(rule, "rules", ()):
                if name not in before:
                    raise ValueError(
                        f"rules[{index}].rules: no rule before it is called {name!r}; {_there(before)}"
                    )
        return self

    @property
    def label(self) -> str:
        """What operators read."""
        return self.name or self.id

    @property
    def url(self) -> str:
        """The source with its password. Never log it; :attr:`public_url` is for people."""
        return self.source.get_secret_value()

    @property
    def urls(self) -> dict[str, str]:
        """The address of each stream, with its password, by the setting that it stands in."""
        given = {"source": self.source, "substream": self.substream}
        return {name: url.get_secret_value() for name, url in given.items() if url is not None}

    def by_stream(self) -> dict[str, Self]:
        """The camera once for each stream, as if it had no other; the setting's name is the key."""
        return {
            name: self.model_copy(update={"source": SecretStr(url), "substream": None})
            for name, url in self.urls.items()
        }

    @property
    def analysed(self) -> Self:
        """The camera as its analysis reads it: by its substream, if it has one."""
        streams = self.by_stream()
        return streams.get("substream", self)

    @property
    def is_fast(self) -> bool:
        """A recording that waits for its analysis, so that overload does not concern it."""
        return self.playback == "fast" and self.url.startswith("file:")

    @property
    def public_url(self) -> str:
        """The source without its password."""
        return redact(self.url)

    def public(self) -> dict[str, Any]:
        """The camera as the centre and its API may know it: no user, no password."""
        rest = self.model_dump(mode="json", exclude={"source", "substream"})
        return {**rest, "substream": None, **{name: redact(url) for name, url in self.urls.items()}}

    def fingerprint(self, model: str) -> str:
        """Of what decides events: the model and this camera's configuration, not its address."""
        indifferent = set(_NOT_DECISIVE)
        if not any(rule.schedule for rule in self.rules):
            indifferent.add("timezone")
        decisive = self.model_dump_json(exclude=indifferent)
        return hashlib.sha256(f"{model}\n{decisive}".encode()).hexdigest()[:16]

    def scene(self, model: str) -> Scene:
        """What the camera's rules know of it. ``model`` names the model and its content."""
        return Scene(
            camera_id=self.id,
            config=self.fingerprint(model),
            zones={z.name: np.array(z.polygon, dtype=np.float64) for z in self.zones},
            lines={item.name: np.array([item.start, item.end], dtype=np.float64) for item in self.lines},
            grounds={z.name: ground for z in self.zones if (ground := z.ground) is not None},
            timezone=self.timezone or "UTC",
        )


def _there(names: set[str]) -> str:
    return f"there are: {', '.join(sorted(names)) or 'none'}"


def _refuse_repeats(field: str, names: list[str]) -> None:
    for index, name in enumerate(names):
        if name in names[:index]:
            raise ValueError(
                f"{field}[{index}].name: {name!r} is already the name of "
                f"{field}[{names.index(name)}]; give each its own"
            )


def check_url(url: str) -> None:
    """Refuse a source that is not a camera's address, and remember its password for redaction.

    Raises:
        ValueError: unknown scheme, no host, or a form that opens something else than it says.
    """
    parts = urlsplit(url)
    for secret in filter(None, (parts.password, unquote(parts.password or ""))):
        remember_secret(secret)
    if parts.scheme not in SCHEMES:
        raise ValueError(
            f"the scheme {parts.scheme + ':' if parts.scheme else '(none)'} is not allowed; "
            f"want one of {', '.join(s + '://' for s in SCHEMES)}"
        )
    if parts.scheme == "file":
        if not parts.path.startswith("/") or parts.netloc:
            raise ValueError("want file:///an/absolute/path")
        return
    if not re.match(r"^[a-z]+://", url) or not parts.hostname:
        raise ValueError(f"no host in the address; want {parts.scheme}://host:port/path")
    try:
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"the port is not a number from 1 to 65535 ({redact(error)})") from None


def address_allowed(address: str, networks: tuple[str, ...]) -> bool:
    """Whether an IP address lies in one of ``networks`` (CIDR)."""
    ip = ipaddress.ip_address(address)
    return any(ip in ipaddress.ip_network(network) for network in networks)
