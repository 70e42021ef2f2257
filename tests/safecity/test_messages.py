"""Events, observations, statuses: on the wire and back, canonical, and by their published schemas."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary
from cloudevents.core.formats.json import JSONFormat
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import ValidationError

import safecity
from safecity.camera_record import CameraRecord
from safecity.cloudevents import TRACE_HEADER, event_headers, published
from safecity.event import Event, Trace, derive_event_id
from safecity.observation import Observation, TrackState
from safecity.ownership import Ownership
from safecity.status import OUTCOMES, LedgerCounts, Status

SCHEMAS = Path(safecity.__file__).parent / "schemas"

names = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,20}", fullmatch=True)
# Hypothesis wants the limits without a zone.
times = st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
shares = st.floats(0, 1)
boxes = st.tuples(shares, shares, shares, shares)
tracks = st.builds(
    dict, track_id=st.integers(0, 10**6), label=st.text(max_size=10), confidence=shares, box=boxes
)
events = st.builds(
    Event,
    event_id=st.from_regex(r"[0-9a-f]{32}", fullmatch=True),
    revision=st.integers(1, 99),
    phase=st.sampled_from(["opened", "updated", "closed"]),
    camera_id=names,
    kind=names,
    rule=names,
    occurred_at=times,
    opened_at=times,
    closed_at=st.none() | times,
    tracks=st.lists(tracks, max_size=3).map(tuple),
    zone=st.none() | names,
    box=st.none() | boxes,
    attributes=st.dictionaries(names, st.integers() | st.booleans() | st.text(max_size=20), max_size=3),
    config=names,
)
observations = st.builds(
    Observation,
    camera_id=names,
    captured_at=times,
    frame_index=st.integers(0, 10**9),
    width=st.integers(1, 8000),
    height=st.integers(1, 8000),
    tracks=st.lists(tracks, max_size=3).map(tuple),
)
statuses = st.builds(
    Status,
    camera_id=names,
    worker=st.text(max_size=20),
    reported_at=times,
    since=times,
    state=st.sampled_from(["starting", "live", "reconnecting", "ended", "stopped"]),
)

cameras = st.builds(
    CameraRecord,
    camera_id=names,
    camera=st.fixed_dictionaries(
        {"id": names, "source": st.text(max_size=20), "analysed_fps": st.floats(1, 9)}
    ),
    applied_at=times,
)
owners = st.builds(
    Ownership,
    camera_id=names,
    worker=st.text(max_size=20),
    member=names,
    epoch=st.integers(0, 10**15),
    hold=st.sampled_from(["holds", "leaves", "left"]),
    since=st.none() | times,
    at=times,
)


def validator(name):
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.v1.json").read_text()))


@pytest.mark.parametrize(
    ("name", "messages"),
    [
        ("event", events),
        ("observation", observations),
        ("status", statuses),
        ("camera", cameras),
        ("owner", owners),
    ],
)
def test_there_and_back_and_by_the_schema(name, messages):
    schema = validator(name)

    @given(messages)
    def check(message):
        wire = message.to_bytes()
        again = type(message).from_bytes(wire)
        assert again == message
        assert again.to_bytes() == wire, "the same message gives the same bytes"
        schema.validate(json.loads(wire))

    check()


def test_an_older_reader_survives_a_newer_writer():
    event = _event()
    newer = {**json.loads(event.to_bytes()), "mood": "new", "extra": {"nested": 1}}
    assert Event.from_bytes(json.dumps(newer).encode()) == event


def _event(**more):
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    fields = {
        "event_id": "0" * 32,
        "phase": "closed",
        "camera_id": "cam-1",
        "kind": "zone_entered",
        "rule": "r",
        "occurred_at": now,
        "opened_at": now,
        "config": "c",
    }
    return Event.model_validate({**fields, **more})


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema_version": 2}, {"event_id": "x"}, {"revision": 0}, {"phase": "later"}, {"camera_id": "Cam 1"},
        {"occurred_at": "2026-03-01T12:00:00"}, {"box": [0, 0, 2, 1]}, {"box": [0, 0, float("nan"), 1]},
        {"kind": None},
    ],
)  # fmt: skip
def test_what_is_no_event_is_refused(wrong):
    document = {**json.loads(_event().to_bytes()), **wrong}
    with pytest.raises(ValidationError):
        Event.from_bytes(json.dumps(document).encode())


def test_times_are_utc_on_the_wire_and_sort_as_text():
    karachi = timezone(timedelta(hours=5))
    event = _event(occurred_at=datetime(2026, 3, 1, 17, 0, 0, 5, tzinfo=karachi))
    assert json.loads(event.to_bytes())["occurred_at"] == "2026-03-01T12:00:00.000005Z"


def test_the_id_is_derived_from_what_decides_it_and_nothing_else():
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    base = derive_event_id("cam", "rule", "config", at, 1)
    assert base == derive_event_id("cam", "rule", "config", at.astimezone(timezone(timedelta(hours=5))), 1)
    others = {
        derive_event_id("cam2", "rule", "config", at, 1),
        derive_event_id("cam", "rule2", "config", at, 1),
        derive_event_id("cam", "rule", "config2", at, 1),
        derive_event_id("cam", "rule", "config", at + timedelta(microseconds=1), 1),
        derive_event_id("cam", "rule", "config", at, 2),
    }
    assert len(others | {base}) == 6


def test_another_library_reads_it_as_a_cloudevent():
    event = _event()
    trace = Trace(
        captured_at=event.occurred_at, received_at=event.occurred_at, decided_at=event.occurred_at, worker="w"
    )
    headers = dict(event_headers(event, trace))
    assert Trace.from_bytes(headers[TRACE_HEADER]) == trace
    message = KafkaMessage(headers=headers, key=b"cam-1", value=event.to_bytes())
    read = from_binary(message, JSONFormat())
    assert read.get_id() == f"{event.event_id}.1"
    assert read.get_type() == "org.safecity.event.v1"
    assert read.get_source() == "/cameras/cam-1"
    assert read.get_time() == event.occurred_at
    assert read.get_data() == json.loads(event.to_bytes())


def test_the_time_of_publishing_goes_into_the_trace_and_nowhere_else():
    event, at = _event(), datetime(2026, 3, 1, 13, tzinfo=UTC)
    trace = Trace(
        captured_at=event.occurred_at, received_at=event.occurred_at, decided_at=event.occurred_at, worker="w"
    )
    before = event_headers(event, trace)
    after = published(before, at)
    assert [name for name, _ in after] == [name for name, _ in before]
    assert Trace.from_bytes(dict(after)[TRACE_HEADER]) == trace.model_copy(update={"published_at": at})
    assert set(before) - set(after) == {(TRACE_HEADER, trace.to_bytes())}
    assert published([("n", b"1")], at) == [("n", b"1")]


def test_the_residue_is_what_has_no_outcome():
    counts = LedgerCounts(received=10, analysed=4, in_flight=1)
    assert counts.residue == 5
    assert set(OUTCOMES) == set(LedgerCounts.model_fields) - {"received", "in_flight"}


def test_a_changed_message_is_a_copy_that_differs_only_there():
    track = TrackState(track_id=1, label="person", confidence=0.5, box=(0.0, 0.0, 0.5, 0.5))
    other = track.changed(track_id=7, stationary=True)
    assert other == track.model_copy(update={"track_id": 7, "stationary": True})
    assert (
        other.model_dump_json()
        == track.model_copy(update={"track_id": 7, "stationary": True}).model_dump_json()
    )
    assert other.model_fields_set == track.model_fields_set | {"stationary"}
    assert (track.track_id, track.stationary) == (1, False)
    with pytest.raises(ValidationError):
        other.track_id = 8


def test_counts_of_two_ledgers_are_added_field_by_field():
    one = LedgerCounts(received=10, analysed=4, in_flight=1, shed=5)
    assert one.plus(LedgerCounts(received=3, still=3)) == LedgerCounts(
        received=13, analysed=4, in_flight=1, shed=5, still=3
    )
