"""Redaction: a password gets out in no form in which it could turn up."""

import io
import json
import logging
from urllib.parse import quote

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from safecity.camera import check_url
from safecity.log import configure_logging
from safecity.redaction import redact

PASSWORD = "c4nary/Pa55:w@rd"


@pytest.mark.parametrize(
    "text",
    [
        "rtsp://viewer:{0}@10.0.0.1/x",
        "Error opening 'rtsp://viewer:{0}@10.0.0.1:554/x?y=1': 401",
        "http://{0}@10.0.0.1/ and rtsp://a:{0}@b/",
        "password={0}",
        "Authorization: Basic {0}",
        '{{"token": "{0}"}}',
        "?user=a&pwd={0}&x=1",
    ],
)
def test_a_password_is_masked_where_it_usually_is(text):
    shown = redact(text.format(quote("unknown-Pa55word", "")))
    assert "unknown-Pa55word" not in shown
    assert "***" in shown


def test_a_known_password_is_masked_wherever_it_turns_up():
    check_url(f"rtsp://viewer:{quote(PASSWORD, '')}@10.0.0.1/x")
    for form in (PASSWORD, quote(PASSWORD, "")):
        assert form not in redact(f"the server said: {form} is wrong")


def test_what_is_no_secret_stays():
    for text in (
        "rtsp://10.0.0.1:554/stream2",
        "zone 'yard' has 3 corners",
        'token = "${SAFECITY_TOKEN}"',
        "mail operator@example.org",
    ):
        assert redact(text) == text


def test_errors_are_redacted_by_their_text():
    assert "hidden-word" not in redact(ValueError("rtsp://u:hidden-word@h/"))


@given(
    st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=4, max_size=30),
    st.text(max_size=30),
    st.text(max_size=30),
)
def test_no_password_of_a_url_survives_in_any_text(password, before, after):
    marked = f"Zq{password}qZ"
    assert marked not in redact(f"{before} rtsp://user:{marked}@host/path {after}")


@pytest.mark.parametrize("as_json", [True, False])
def test_logs_are_redacted_whoever_writes_them(monkeypatch, as_json):
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    before = logging.getLogger().handlers[:]
    try:
        configure_logging(json=as_json)
        url = "rtsp://viewer:hidden-Pa55word@10.0.0.1/x"
        structlog.get_logger().error("cannot open", url=url, nested={"list": [url]})
        logging.getLogger("somebody.else").error("failed: %s", url)
        try:
            raise OSError(f"cannot open {url}")
        except OSError:
            structlog.get_logger().exception("it failed")
    finally:
        logging.getLogger().handlers[:] = before
        structlog.reset_defaults()
    text = written.getvalue()
    assert "hidden-Pa55word" not in text
    assert text.count("***") >= 4
    if as_json:
        assert all(json.loads(line)["event"] for line in text.splitlines())
