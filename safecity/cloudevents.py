"""Events on the bus: CloudEvents 1.0, Kafka protocol binding, binary mode.

The value is the event's own JSON; the attributes travel in ``ce_*`` headers.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Iterable
from datetime import datetime

from safecity.event import EVENT_VERSION, Event, Trace
from safecity.message import format_utc

EVENT_TYPE = f"org.safecity.event.v{EVENT_VERSION}"
TRACE_HEADER = "safecity-trace"
RUN_HEADER = "safecity-run"
"""On the topic ``replays``: the name of the run that told an event, or took a picture."""


def event_headers(event: Event, trace: Trace) -> list[tuple[str, bytes]]:
    """The headers of an event: CloudEvents attributes, and the trace beside them."""
    return [*_attributes(event), (TRACE_HEADER, trace.to_bytes())]


def _attributes(event: Event) -> list[tuple[str, bytes]]:
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": f"{event.event_id}.{event.revision}",
        "ce_source": f"/cameras/{event.camera_id}",
        "ce_type": EVENT_TYPE,
        "ce_subject": event.kind,
        "ce_time": format_utc(event.occurred_at),
        "ce_dataschema": f"urn:safecity:schema:event:{EVENT_VERSION}",
        "ce_partitionkey": event.camera_id,
        "content-type": "application/json",
    }
    return [(name, value.encode()) for name, value in attributes.items()]


def replayed_headers(event: Event, run: str) -> list[tuple[str, bytes]]:
    """The headers of an event of a replay: CloudEvents attributes and the run's name."""
    return [*_attributes(event), (RUN_HEADER, run.encode())]


def published(headers: Iterable[tuple[str, bytes]], at: datetime) -> list[tuple[str, bytes]]:
    """The headers with the time of publishing in their trace; without a trace they stay as they are."""
    return [(name, _published(value, at) if name == TRACE_HEADER else value) for name, value in headers]


def _published(trace: bytes, at: datetime) -> bytes:
    return Trace.from_bytes(trace).model_copy(update={"published_at": at}).to_bytes()
