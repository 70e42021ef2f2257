"""Old and new releases on one bus: today's code reads what every release wrote, and they read what it writes.

The samples are what a release's code made of messages with every field filled in (docs/samples.py); the
schemas beside them say what that release reads.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import ValidationError

from safecity.cloudevents import TRACE_HEADER
from safecity.event import Event, Trace
from safecity.message import Message
from safecity.observation import Observation
from safecity.status import Status

SAMPLES = Path(__file__).parent / "samples"
KINDS: dict[str, type[Message]] = {
    "events": Event,
    "replays": Event,
    "observations": Observation,
    "status": Status,
}
SCHEMA_OF = {"events": "event", "replays": "event", "observations": "observation", "status": "status"}
FILES = sorted(path.relative_to(SAMPLES) for path in SAMPLES.glob("v*/*.json"))
RELEASES = sorted({path.parts[0] for path in FILES})

samples = pytest.mark.parametrize("file", FILES, ids=str)


def read(file: Path) -> dict[str, Any]:
    return json.loads((SAMPLES / file).read_text(encoding="utf-8"))


def test_there_are_samples_of_every_kind_of_every_release():
    assert "v0.1.0" in RELEASES
    for release in RELEASES:
        assert {read(file)["topic"] for file in FILES if file.parts[0] == release} >= set(KINDS)


@samples
def test_todays_code_reads_what_that_release_wrote_and_loses_nothing_of_it(file):
    record = read(file)
    message = KINDS[record["topic"]].from_bytes(json.dumps(record["value"]).encode())
    missing = differences(record["value"], json.loads(message.to_bytes()))
    assert missing == [], (
        "a field was renamed, dropped or changed its meaning; that needs a new schema version"
    )


@samples
def test_todays_code_reads_the_headers_of_that_release(file):
    headers = dict(read(file)["headers"])
    if TRACE_HEADER in headers:
        trace = Trace.from_bytes(headers[TRACE_HEADER].encode())
        assert differences(json.loads(headers[TRACE_HEADER]), json.loads(trace.to_bytes())) == []
        assert headers["ce_specversion"] == "1.0"


@pytest.mark.parametrize("release", RELEASES)
@samples
def test_that_release_reads_what_todays_code_writes(file, release):
    record = read(file)
    message = KINDS[record["topic"]].from_bytes(json.dumps(record["value"]).encode())
    schema = read(Path(release) / "schemas" / f"{SCHEMA_OF[record['topic']]}.v1.json")
    Draft202012Validator(schema).validate(json.loads(message.to_bytes()))


@samples
def test_what_a_newer_release_adds_is_ignored_wherever_it_stands(file):
    record = read(file)
    kind = KINDS[record["topic"]]
    plain = kind.from_bytes(json.dumps(record["value"]).encode())
    assert kind.from_bytes(json.dumps(with_more(record["value"])).encode()) == plain
    schema = read(file.parent / "schemas" / f"{SCHEMA_OF[record['topic']]}.v1.json")
    Draft202012Validator(schema).validate(with_more(record["value"]))


@samples
def test_another_version_of_the_schema_is_refused_with_the_reason(file):
    record = read(file)
    newer = json.dumps({**record["value"], "schema_version": 2}).encode()
    with pytest.raises(ValidationError, match="version 2 of the schema, and this release reads version 1"):
        KINDS[record["topic"]].from_bytes(newer)


def with_more(value: Any) -> Any:
    """The value with unknown fields in every object but ``attributes``, whose keys are free."""
    if isinstance(value, dict):
        known = {key: item if key == "attributes" else with_more(item) for key, item in value.items()}
        return {**known, "added_later": {"deep": [1, "two"]}}
    return [with_more(item) for item in value] if isinstance(value, list) else value


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Where ``new`` lacks, or has otherwise, what is in ``old``."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [d for key, item in old.items() for d in differences(item, new.get(key), f"{path}.{key}")]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [
            d for n, pair in enumerate(zip(old, new, strict=True)) for d in differences(*pair, f"{path}[{n}]")
        ]
    return [] if old == new else [f"{path}: {old!r} became {new!r}"]
