"""References to the environment (``${NAME}``) in a camera, for those who do not know their values."""

import os
import re
from typing import Any

STREAMS = ("source", "substream")
STAND_IN = "rtsp://127.0.0.1/"

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def stood_in(value: Any, key: str = "") -> Any:
    """A parsed configuration with something harmless for each reference to a variable that is not set here.

    So it can be checked, and all but its addresses used, by somebody who need not know its secrets.
    """
    if isinstance(value, dict):
        return {name: stood_in(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [stood_in(item) for item in value]
    if not isinstance(value, str):
        return value
    if key in STREAMS and (whole := _REFERENCE.fullmatch(value)) and whole[1] not in os.environ:
        return STAND_IN
    return _REFERENCE.sub(lambda found: found[0] if found[1] in os.environ else "unset", value)


def password_in(source: object) -> bool:
    """Whether an address holds a password, instead of a reference to one."""
    if not isinstance(source, str):
        return False
    found = re.match(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^\s/:@]*:(?P<password>[^\s/]*)@", source)
    return found is not None and not _REFERENCE.fullmatch(found["password"])
