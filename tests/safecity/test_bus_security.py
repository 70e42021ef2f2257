"""TLS and users of the bus in the site file: no password in it, and half a configuration is refused."""

from pathlib import Path

import pytest

from safecity.redaction import MASK, redact
from safecity.settings import SettingsError, load_site

KAFKA = '[bus]\nbackend = "kafka"\n'
SASL = '[bus.sasl]\nuser = "safecity-worker"\npassword = "${BUS_PASSWORD}"\n'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BUS_PASSWORD", "a-canary-of-this-test")

    def written(text: str) -> Path:
        path = tmp_path / "site.toml"
        path.write_text(text)
        return path

    return written


def test_files_are_beside_the_site_file_and_the_password_is_masked_everywhere(write, tmp_path):
    site = load_site(
        write(KAFKA + SASL + '[bus.tls]\nca_file = "ca.pem"\ncert_file = "/c.pem"\nkey_file = "k.pem"')
    )
    assert site.bus.tls.ca_file == tmp_path / "ca.pem"
    assert site.bus.tls.cert_file == Path("/c.pem")
    assert site.bus.tls.check_hostname
    assert site.bus.sasl.mechanism == "SCRAM-SHA-512"
    assert site.bus.sasl.password.get_secret_value() == "a-canary-of-this-test"
    assert "canary" not in f"{site!r}{site.model_dump_json()}"
    assert redact("it is a-canary-of-this-test") == f"it is {MASK}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            KAFKA + "[bus.tls]\n" + SASL.replace("${BUS_PASSWORD}", "in-the-clear"),
            r"bus.sasl.password: a password has no place in the file",
        ),
        (
            KAFKA + "[bus.tls]\n" + SASL.replace("${BUS_PASSWORD}", "x${BUS_PASSWORD}"),
            r"bus.sasl.password: a password has no place in the file",
        ),
        (
            KAFKA + "[bus.tls]\n" + SASL.replace("BUS_PASSWORD", "NOT_SET"),
            r"bus.sasl.password: the environment variable NOT_SET is not set",
        ),
        (KAFKA + SASL, r"bus: sasl wants tls"),
        (KAFKA + '[bus.tls]\ncert_file = "c.pem"', r"bus.tls: cert_file and key_file belong together"),
        ("[bus.tls]\n", r"bus: tls and sasl are for kafka, and the backend is embedded"),
        (KAFKA + "[bus.tls]\n" + SASL.replace("safecity-worker", "a,b"), r"bus.sasl.user"),
        (KAFKA + '[bus.tls]\n[bus.sasl]\nmechanism = "PLAIN"\nuser = "u"', r"bus.sasl.mechanism"),
    ],
)
def test_what_is_wrong_is_named_and_not_shown(write, text, told):
    with pytest.raises(SettingsError, match=told) as error:
        load_site(write(text))
    assert "canary" not in str(error.value)
    assert "in-the-clear" not in str(error.value)
