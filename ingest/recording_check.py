"""Whether a recorded file is still what it was when it was finished."""

import hashlib
from pathlib import Path

from ingest.recording_index import Segment


def check_segment(folder: Path, segment: Segment) -> str | None:
    """What is wrong with a segment's file; None: nothing."""
    try:
        with (folder / segment.path).open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
            size = content.tell()
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if size != segment.size_bytes:
        return f"has {size} bytes, had {segment.size_bytes} when it was finished"
    return None if digest == segment.sha256 else "its content was changed after it was finished"
