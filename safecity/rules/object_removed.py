"""object_removed: a thing that belonged to the picture has gone. One event per thing.

The counterpart of object_left: the background of minutes ago has edges where the picture has none any more.
The event is closed when the thing is back for ``gap_seconds``, or after a quarter of an hour, when its
absence is the scene. What was put down and is taken away before it became part of the scene closes its
object_left instead.
"""

from typing import Literal

from safecity.rules._changed import ChangedRegions, ChangedSettings
from safecity.rules.base import Scene


class Settings(ChangedSettings):
    """What object_removed is configured with."""

    kind: Literal["object_removed"] = "object_removed"


def build(settings: Settings, scene: Scene) -> ChangedRegions:
    """Plug-in entry: the rule for one scene."""
    return ChangedRegions(scene, settings, "vanished")
