"""What went wrong with Kafka, in words that say what to do. kafka-python often knows only "unable"."""

import socket
from collections.abc import Sequence

from kafka import errors

from safecity.bus.port import BusError, BusUnavailableError, RecordTooLargeError
from safecity.redaction import redact
from safecity.settings import is_loopback

PROBE_SECONDS = 1.0

_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_FORBIDDEN = (errors.AuthorizationError,)


def bus_error(servers: Sequence[str], doing: str, error: BaseException) -> BusError:
    """The error of the port for one of kafka-python's.

    Args:
        servers: host:port of the brokers, to look why none answers.
        doing: what was tried, e.g. "publishing".
        error: what came of it.
    """
    if isinstance(error, _TOO_LARGE):
        return RecordTooLargeError(redact(f"{doing}: the broker takes no record as large as this"))
    if isinstance(error, _FORBIDDEN):
        return BusError(redact(f"{doing}: the broker does not allow it: {error}"))
    if isinstance(error, errors.KafkaConfigurationError | errors.UnsupportedVersionError):
        return BusError(redact(f"{doing}: {error}"))
    return BusUnavailableError(redact(no_answer(servers) or f"{doing}: {error or type(error).__name__}"))


def no_answer(servers: Sequence[str]) -> str | None:
    """Why none of the brokers can be reached; None when one of them takes connections."""
    reasons = []
    for server in servers:
        reason = _try(server)
        if reason is None:
            return None
        reasons.append(f"{server} ({reason})")
    host, port = split(servers[0])
    hint = f"; start one with: safecity kafka start --port {port} --data DIR" if is_loopback(host) else ""
    return f"no broker answers at {', '.join(reasons)}{hint}"


def check_reachable(servers: Sequence[str]) -> None:
    """Fail at once where the client would try for its whole time-out and then not know why.

    Raises:
        BusUnavailableError: none of the brokers takes connections.
    """
    if reason := no_answer(servers):
        raise BusUnavailableError(reason)


def split(server: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``."""
    host, _, port = server.rpartition(":")
    return host.strip("[]"), int(port)


def _try(server: str) -> str | None:
    try:
        with socket.create_connection(split(server), timeout=PROBE_SECONDS):
            return None
    except socket.gaierror:
        return "unknown host name"
    except TimeoutError:
        return "no answer in time"
    except OSError as error:
        return (error.strerror or str(error)).lower()
