"""object_left: a thing that was not there stands in the picture, and nobody is at it. One event per thing.

It goes by the picture itself, not by what a detector thinks of a bag: a region that differs from the
background of minutes ago, has edges that the background has not, has stayed unchanged for
``persistence_seconds`` and does not belong to a tracked object. The event is closed when the thing has gone
for ``gap_seconds``, or after a quarter of an hour, when it has become part of the scene (see
:mod:`detectors.scene_change`). Changes of the light, rain, headlights and a camera that switches to infrared
are no things: see there, too.
"""

from typing import Literal

from safecity.rules._changed import ChangedRegions, ChangedSettings
from safecity.rules.base import Scene


class Settings(ChangedSettings):
    """What object_left is configured with."""

    kind: Literal["object_left"] = "object_left"


def build(settings: Settings, scene: Scene) -> ChangedRegions:
    """Plug-in entry: the rule for one scene."""
    return ChangedRegions(scene, settings, "appeared")
