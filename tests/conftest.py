"""What all tests share."""

import pytest

from safecity import redaction

pytest_plugins = ["tests.kafka_broker", "tests.postgres"]


@pytest.fixture(autouse=True)
def _secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word that one test uses as a password does not mask it in what the next one reads."""
    monkeypatch.setattr(redaction, "_known_secrets", set(redaction._known_secrets))
