from collections.abc import Iterator
from pathlib import Path

import pytest

from safecity.bus import _sqlite_log
from tests.safecity.bus.backends import Backend, make_settings

KAFKA = pytest.param("kafka", marks=pytest.mark.kafka)


@pytest.fixture(params=["memory", "embedded", KAFKA])
def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    yield from _make(request, tmp_path, monkeypatch)


@pytest.fixture(params=["embedded", KAFKA])
def shared_backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    """The ones that several processes can use."""
    yield from _make(request, tmp_path, monkeypatch)


def _make(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Backend]:
    monkeypatch.setattr(_sqlite_log, "BUSY_SECONDS", 0.3)
    broker = request.getfixturevalue("kafka_broker") if request.param == "kafka" else None
    backend = Backend(request.param, tmp_path, make_settings(request.param, broker), broker)
    yield backend
    backend.end_children()
