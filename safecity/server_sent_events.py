"""Reading a stream of server-sent events. https://html.spec.whatwg.org/multipage/server-sent-events.html"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple


class ServerSentEvent(NamedTuple):
    """One message of the stream."""

    kind: str
    """The field ``event``; ``message`` without one."""
    data: str
    """The lines of the field ``data``."""
    last_id: str
    """The newest field ``id`` so far."""


def read_messages(lines: Iterable[str]) -> Iterator[ServerSentEvent]:
    """The messages in the lines of a stream; comments and messages without data are left out."""
    kind, data, last_id = "", list[str](), ""
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield ServerSentEvent(kind or "message", "\n".join(data), last_id)
            kind, data = "", []
        elif name == "event":
            kind = value
        elif name == "data":
            data.append(value)
        elif name == "id":
            last_id = value
