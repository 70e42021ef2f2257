"""The fence: what a worker decided about a camera after another had taken it over is not believed. Pure.

What it decided before is, however late it comes: until the event time at which its successor began to decide
it was the camera's only owner. The time is the camera's, so no worker's clock matters, and what lies within
the overlap of a hand-over (:data:`~safecity.ownership.OVERLAP`) is taken from both. A hand-over that the bus
has compacted away before the centre read it refuses nothing: rather an event twice than none.
"""

from collections.abc import Mapping
from datetime import datetime

from safecity.event import Trace
from safecity.ownership import OVERLAP

Takeovers = Mapping[str, Mapping[int, datetime]]
"""By camera: the event time of the first frame that the owner of an epoch decided on, by epoch."""


def successor(takeovers: Takeovers, camera_id: str, trace: Trace) -> int | None:
    """The epoch of the owner to whom the frame of ``trace`` belonged already; None: it is to be believed."""
    later = [
        epoch
        for epoch, since in takeovers.get(camera_id, {}).items()
        if epoch > trace.epoch and trace.captured_at >= since + OVERLAP
    ]
    return min(later, default=None)
