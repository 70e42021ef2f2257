"""The site file: cameras, bus, worker and centre, in TOML. Errors name the path and what was wanted."""

import ipaddress
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator, model_validator

from safecity.bus_security import SaslSettings, TlsSettings
from safecity.camera import DEFAULT_NETWORKS, Camera, Settings, Timezone, address_allowed
from safecity.known_keys import advice
from safecity.message import Share
from safecity.redaction import redact, remember_secret


class SettingsError(ValueError):
    """The site file cannot be used; each line names a path in it and what was wanted."""


class BusSettings(Settings):
    """How edge and centre talk."""

    backend: Literal["embedded", "kafka", "memory"] = Field(
        default="embedded", description="kafka for a city; embedded: one machine, no broker; memory: tests"
    )
    path: Path = Field(default=Path("bus.sqlite"), description="embedded: the log's file, under data_dir")
    bootstrap_servers: tuple[str, ...] = Field(
        default=("localhost:9092",), min_length=1, description="kafka: host:port of some brokers"
    )
    topic_prefix: str = Field(
        default="safecity.", pattern=r"^[A-Za-z0-9._-]{0,64}$", description="before every topic's name"
    )
    partitions: int = Field(
        default=12,
        ge=1,
        le=1000,
        description="of a topic that has to be created; as many workers at most can share cameras",
    )
    replication_factor: int = Field(default=1, ge=1, le=9, description="of a topic that has to be created")
    tls: TlsSettings | None = Field(
        default=None, description="kafka: encrypt, and check the brokers' certificate"
    )
    sasl: SaslSettings | None = Field(default=None, description="kafka: say who we are; wants tls")

    @model_validator(mode="after")
    def _security_fits(self) -> Self:
        if self.backend != "kafka" and (self.tls or self.sasl):
            raise ValueError(f"tls and sasl are for kafka, and the backend is {self.backend}")
        if self.sasl is not None and self.tls is None:
            raise ValueError(
                "sasl wants tls, or whoever listens can guess the password; an empty [bus.tls] will do where "
                "the brokers' certificate is of an authority that this system knows"
            )
        return self

    @field_validator("bootstrap_servers")
    @classmethod
    def _host_and_port(cls, servers: tuple[str, ...]) -> tuple[str, ...]:
        for server in servers:
            if not re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[^\s:/]+):\d{1,5}", server):
                raise ValueError(f"{server!r} is not host:port, e.g. localhost:9092")
        return servers


class DetectorSettings(Settings):
    """What looks at the pictures."""

    backend: str = Field(default="onnx", description="a module of detectors/backends/")
    model: str = Field(default="nanodet-g", description="a model card's name, or the path of one")
    confidence: Share = Field(default=0.5, description="detections below it do not start a track")
    labels: tuple[str, ...] = Field(
        default=("person", "bicycle", "car", "motorcycle", "bus", "truck"),
        min_length=1,
        description="classes that are tracked",
    )


class WorkerSettings(Settings):
    """The edge process."""

    name: str = Field(default="", description="in status and traces; the host name when empty")
    cameras: Literal["site", "bus"] = Field(
        default="site",
        description="site: those of this file; bus: its share of those applied with safecity cameras apply, "
        "which all workers with this setting divide among themselves",
    )
    processes: int = Field(default=0, ge=0, le=256, description="one a core when 0")
    metrics_host: str = Field(default="127.0.0.1", description="where /metrics and /health listen")
    metrics_port: int = Field(default=9464, ge=0, le=65535, description="0: any free port")
    outbox_max_mb: int = Field(
        default=1024,
        ge=1,
        description="bound of each process's outbox on disk; when it is full, the oldest observations and "
        "statuses are given up, events and their pictures never",
    )
    unsaved_max_mb: int = Field(
        default=64,
        ge=1,
        description="what each process keeps in memory of events that a full disk does not take; see "
        "operations.md, The outbox",
    )
    read_timeout_seconds: float = Field(
        default=8.0, gt=0.0, le=120.0, description="a camera that sends nothing for so long is reconnected"
    )
    status_seconds: float = Field(default=5.0, gt=0.0, le=60.0, description="between two status messages")
    cpu_share: float = Field(
        default=0.8,
        gt=0.0,
        le=1.0,
        description="what a process may use of its core; above it cameras are given less, those of the "
        "lowest priority first (see operations.md, Overload)",
    )


class RecordingSettings(Settings):
    """What the worker keeps of the cameras' streams; each camera's ``recording`` says of which."""

    dir: Path = Field(
        default=Path("recordings"), description="folder of the recordings, under data_dir unless absolute"
    )
    segment_seconds: float = Field(
        default=60.0, ge=1.0, le=3600.0, description="a file is ended at the first key frame after so long"
    )
    max_age_days: float = Field(default=14.0, gt=0.0, description="older recordings are deleted")
    max_disk_share: float = Field(
        default=0.8,
        gt=0.0,
        le=1.0,
        description="share of the disk that recordings may fill; the oldest are deleted first",
    )
    least_free_mb: int = Field(
        default=512, ge=0, description="with less than this free on its disk, nothing is recorded"
    )


class CentreSettings(Settings):
    """The command centre."""

    host: str = Field(
        default="127.0.0.1", description="address to listen on; other than loopback wants token"
    )
    port: int = Field(default=8080, ge=0, le=65535)
    token: SecretStr | None = Field(
        default=None,
        description="bearer token of the API; required on any address but loopback; ${NAME} from environment",
    )
    database: SecretStr | None = Field(
        default=None, description="SQLAlchemy URL; SQLite under data_dir when not given"
    )
    media_retention_days: int = Field(
        default=30, ge=1, description="pictures and clips older than this are deleted"
    )
    recordings_dir: Path | None = Field(
        default=None,
        description="where the centre finds the workers' recordings, for clips: the same disk or a shared "
        "one; recording.dir when not given",
    )
    event_retention_days: int = Field(default=365, ge=1, description="events older than this are deleted")

    @field_validator("token")
    @classmethod
    def _long_enough(cls, token: SecretStr | None) -> SecretStr | None:
        if token is not None:
            if len(token.get_secret_value()) < 16:
                raise ValueError(
                    "the token is shorter than 16 characters; make one with: openssl rand -hex 24"
                )
            remember_secret(token.get_secret_value())
        return token

    @field_validator("database")
    @classmethod
    def _remember_password(cls, database: SecretStr | None) -> SecretStr | None:
        if database is not None and (password := urlsplit(database.get_secret_value()).password):
            remember_secret(password)
        return database


TLS_FILES = ("ca_file", "cert_file", "key_file")
_REFERENCE = r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}"

Network = Annotated[str, Field(description="CIDR, e.g. 10.20.0.0/16")]


class Site(Settings):
    """A site file, whole."""

    name: str = Field(default="safecity", min_length=1, description="what the page's title says")
    timezone: Timezone = Field(
        default="UTC", description="IANA name, for people's eyes and the schedules of rules; the wire is UTC"
    )
    data_dir: Path = Field(
        default=Path("data"), description="outbox, embedded bus, store, pictures; relative to the site file"
    )
    allowed_networks: tuple[Network, ...] = Field(
        default=DEFAULT_NETWORKS, description="networks that a camera's address may lie in"
    )
    bus: BusSettings = BusSettings()
    detector: DetectorSettings = DetectorSettings()
    worker: WorkerSettings = WorkerSettings()
    recording: RecordingSettings = RecordingSettings()
    centre: CentreSettings = CentreSettings()
    cameras: tuple[Camera, ...] = Field(default=(), description="the cameras of the site")

    @field_validator("allowed_networks")
    @classmethod
    def _cidr(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        for network in networks:
            try:
                ipaddress.ip_network(network)
            except ValueError as error:
                raise ValueError(f"{error}; want e.g. 10.20.0.0/16") from None
        return networks

    @field_validator("cameras", mode="after")
    @classmethod
    def _ids_differ_and_networks_fit(
        cls, cameras: tuple[Camera, ...], info: ValidationInfo
    ) -> tuple[Camera, ...]:
        networks = info.data.get("allowed_networks", DEFAULT_NETWORKS)
        first: dict[str, int] = {}
        for index, camera in enumerate(cameras):
            if camera.id in first:
                raise ValueError(
                    f"[{index}].id: {camera.id!r} is already the id of cameras[{first[camera.id]}]"
                )
            first[camera.id] = index
            for stream, url in camera.urls.items():
                host = urlsplit(url).hostname
                if host and _is_ip(host) and not address_allowed(host, networks):
                    raise ValueError(
                        f"[{index}].{stream}: the address {host} is outside allowed_networks "
                        f"({', '.join(networks)}); add its network there if the camera is really there"
                    )
        return cameras

    @field_validator("cameras", mode="after")
    @classmethod
    def _in_the_sites_timezone(cls, cameras: tuple[Camera, ...], info: ValidationInfo) -> tuple[Camera, ...]:
        local = {"timezone": info.data.get("timezone", "UTC")}
        return tuple(c if c.timezone else c.model_copy(update=local) for c in cameras)

    @model_validator(mode="after")
    def _token_where_needed(self) -> Self:
        if not is_loopback(self.centre.host) and self.centre.token is None:
            raise ValueError(
                f"centre.host: {self.centre.host} is not loopback, so [centre] needs a token, "
                'e.g. token = "${SAFECITY_TOKEN}"'
            )
        return self

    @property
    def recordings(self) -> Path:
        """Folder that workers record into."""
        return self.in_data_dir(self.recording.dir)

    @property
    def centre_recordings(self) -> Path:
        """Folder that the centre reads recordings from."""
        return self.in_data_dir(self.centre.recordings_dir or self.recording.dir)

    def in_data_dir(self, path: Path | str) -> Path:
        """``path`` under the data folder, unless it is absolute."""
        return self.data_dir / path


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches ``host``."""
    return host == "localhost" or (_is_ip(host) and ipaddress.ip_address(host).is_loopback)


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def load_site(path: Path) -> Site:
    """Read and check a site file: TOML, or JSON when a program wrote it to a name that ends in ``.json``.

    Raises:
        SettingsError: it cannot be read, or something in it is wrong; every line names a path in the file.
    """
    return parse_site(read_document(path), path.resolve().parent, str(path))


def read_document(path: Path) -> dict[str, Any]:
    """What stands in a site file, unchecked, with its references to the environment.

    Raises:
        SettingsError: it cannot be read, or is no table.
    """
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not {'JSON' if path.suffix == '.json' else 'TOML'}: {error}") from None
    if not isinstance(document, dict):
        raise SettingsError(f"{path}: want a table of settings, not a {type(document).__name__}")
    return document


def parse_site(document: dict[str, Any], folder: Path, name: str = "site") -> Site:
    """A site from a parsed document; relative paths start at ``folder``.

    Raises:
        SettingsError: something in it is wrong.
    """
    _refuse_clear_password(document, name)
    document = _fill_environment(document, name)
    document.setdefault("data_dir", "data")
    document["data_dir"] = str(folder / str(document["data_dir"]))
    tls = _table(document, "bus", "tls")
    tls |= {key: str(folder / tls[key]) for key in TLS_FILES if isinstance(tls.get(key), str)}
    cameras = document.get("cameras")
    for camera in cameras if isinstance(cameras, list) else ():
        if isinstance(camera, dict):
            name_files(camera, folder)
    try:
        return Site.model_validate(document)
    except ValidationError as error:
        raise SettingsError("\n".join(f"{name}: {line}" for line in _explain(error))) from None


def name_files(camera: dict[str, Any], folder: Path) -> None:
    """Make ``file://`` addresses of a camera's streams that are paths; a reference stays one."""
    for stream in ("source", "substream"):
        source = camera.get(stream)
        if isinstance(source, str) and not re.match(r"^([A-Za-z][A-Za-z0-9+.,-]*:|\$\{)", source):
            camera[stream] = f"file://{(folder / source).resolve()}"


def _refuse_clear_password(document: dict[str, Any], name: str) -> None:
    password = _table(document, "bus", "sasl").get("password")
    if isinstance(password, str) and not re.fullmatch(_REFERENCE, password):
        raise SettingsError(
            f"{name}: bus.sasl.password: a password has no place in the file; name a variable of the "
            'environment: password = "${SAFECITY_BUS_PASSWORD}"'
        )


def _table(document: dict[str, Any], *path: str) -> dict[str, Any]:
    found: Any = document
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def _fill_environment(value: Any, name: str, path: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _fill_environment(v, name, f"{path}.{k}" if path else k) for k, v in value.items()}
    if isinstance(value, list):
        return [_fill_environment(v, name, f"{path}[{i}]") for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def substitute(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise SettingsError(f"{name}: {path}: the environment variable {match[1]} is not set")
        return found

    return re.sub(_REFERENCE, substitute, value)


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for problem in error.errors(include_url=False):
        path = ""
        for part in problem["loc"]:
            if isinstance(part, int):
                path += f"[{part}]"
            elif not _is_union_tag(path, part):
                path += f".{part}" if path else str(part)
        message = problem["msg"].removeprefix("Value error, ")
        if problem["type"] == "extra_forbidden":
            known = advice(Site, problem["loc"]) or "see docs/configuration.md for the keys there are"
            message = f"unknown key; {known}"
        elif re.match(r"^(\[\d+\]\.|[a-z]+\[\d+\]\.|[a-z]+\.)[a-z.]+: ", message):
            inner, _, message = message.partition(": ")
            path += inner if inner.startswith("[") or not path else f".{inner}"
        lines.append(redact(f"{path or '(top)'}: {message}"))
    return lines


def _is_union_tag(path: str, part: str) -> bool:
    return bool(re.search(r"(^|\.)rules\[\d+\]$", path)) and part in _rule_kinds()


def _rule_kinds() -> set[str]:
    from safecity.rules import rule_kinds

    return set(rule_kinds())
