"""Camera record: one camera's configuration on the bus, topic ``cameras``. A tombstone removes the camera."""

from typing import Any, Final, Literal

from pydantic import Field

from safecity.message import Message, Name, UtcTime

MOVED_HEADER: Final = "safecity-moved"
"""On a record: the partition that the camera came from. On a tombstone: the one that it went to."""


class CameraRecord(Message):
    """One camera, as an operations team has applied it."""

    schema_version: Literal[1] = 1
    camera_id: Name = Field(description="also the key on the bus")
    camera: dict[str, Any] = Field(
        description="as under [[cameras]] in a site file; ${NAME} stands as it is and is filled in by the "
        "worker, from its own environment"
    )
    applied_at: UtcTime = Field(description="wall clock; of two records of a camera the newer one counts")
