"""The one place through which URLs, exceptions and log lines pass: no camera password gets out."""

import re
from collections.abc import MutableMapping
from typing import Any

MASK = "***"

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)(?P<userinfo>[^\s/]*)@(?=[^\s@/]*)")
_SECRET_PARAMETER = re.compile(
    r"(?i)(?P<name>\b(?:password|passwd|pwd|pass|token|secret|api_?key|authorization)\b[\"']?\s*[=:]\s*[\"']?)"
    # A reference to the environment is what people are told to write, and no secret.
    r"(?P<value>(?!\$\{)(?:Bearer\s+|Basic\s+|Digest\s+)?[^\s&\"',;]+)"
)
_known_secrets: set[str] = set()


def remember_secret(secret: str) -> None:
    """Take note of a secret, so that it is masked wherever it turns up, even without its URL."""
    if len(secret) >= 4:
        _known_secrets.add(secret)


def redact(text: object) -> str:
    """``str(text)`` with the user-info of URLs, secret parameters and known secrets masked."""
    clean = _USERINFO.sub(rf"\g<scheme>{MASK}@", str(text))
    clean = _SECRET_PARAMETER.sub(rf"\g<name>{MASK}", clean)
    for secret in sorted(_known_secrets, key=len, reverse=True):
        clean = clean.replace(secret, MASK)
    return clean


def redact_log(_logger: Any, _method: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A structlog processor: every value of a log entry passes through :func:`redact`."""
    return {key: _redact_value(value) for key, value in entry.items()}


def _redact_value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {key: _redact_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_redact_value(item) for item in value]
    return redact(value)
