"""Whose footage it is: a camera of the site file or one without, with its own rules or others."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safecity.camera import Camera
from safecity.settings import DetectorSettings, SettingsError, Site, parse_site

RULE_KEYS = ("lines", "masks", "rules", "zones")
NOWHERE = "file:///recording"
"""Of a camera that only its observations are known of; a source has no part in what is decided."""


@dataclass(frozen=True)
class RuleFile:
    """What a file of rules says, not yet checked: that needs a camera's zones and lines."""

    path: Path
    content: dict[str, Any]


def read_rules(path: Path) -> RuleFile:
    """Read a TOML file with ``[[rules]]``, and ``[[zones]]``, ``[[lines]]`` and ``masks`` where they are new.

    Raises:
        SettingsError: it cannot be read, or has other keys.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path}: not TOML: {error}") from None
    for key in content:
        if key not in RULE_KEYS:
            raise SettingsError(f"{path}: {key}: unknown key; want {', '.join(RULE_KEYS)}, as in a site file")
    return RuleFile(path, content)


def replayed_camera(site: Site | None, camera_id: str, rules: RuleFile | None) -> Camera:
    """The camera as it is replayed: its fingerprint is that of the live one with the same rules.

    Args:
        site: None: a camera without zones, lines and rules.
        camera_id: of the site's camera, or any name where there is no site.
        rules: replace what the site says, key by key.

    Raises:
        SettingsError: the site has no such camera, or the rules are wrong; every line names a path.
    """
    known = {camera.id: camera for camera in site.cameras} if site is not None else {}
    if site is not None and camera_id not in known:
        raise SettingsError(f"--camera {camera_id}: the site has no such camera; it has: {_some(known)}")
    changed = {"start_time": None, "start_offset_seconds": 0.0}
    if rules is None and camera_id in known:
        return known[camera_id].model_copy(update=changed)
    settings: dict[str, Any] = {"id": camera_id}
    if camera_id in known:
        settings = known[camera_id].model_dump(mode="json", exclude_none=True)
    settings.update(changed, source=NOWHERE, **(rules.content if rules is not None else {}))
    settings = {key: value for key, value in settings.items() if value is not None}
    document: dict[str, Any] = {"cameras": [settings]}
    if site is not None:
        document["timezone"] = site.timezone
    name = str(rules.path) if rules is not None else "--camera"
    try:
        parsed = parse_site(document, Path(), name)
    except SettingsError as error:
        raise SettingsError(str(error).replace("cameras[0].", "")) from None
    return parsed.cameras[0]


def detector_of(site: Site | None) -> DetectorSettings:
    """What looks at the site's pictures."""
    return site.detector if site is not None else DetectorSettings()


def _some(known: dict[str, Camera]) -> str:
    names = sorted(known)
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "") or "none"
