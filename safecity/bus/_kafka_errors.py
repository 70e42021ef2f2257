"""What went wrong with Kafka, in words that say what to do. kafka-python often knows only "unable"."""

import re
import socket
import time
from collections.abc import Sequence
from contextlib import suppress

from kafka import errors

from safecity.bus._kafka_probe import refusal
from safecity.bus._kafka_servers import Servers
from safecity.bus.port import BusAccessError, BusError, BusUnavailableError, RecordTooLargeError
from safecity.redaction import redact
from safecity.settings import is_loopback

PROBE_SECONDS = 1.0
ASK_AGAIN_SECONDS = 2.0

_TOO_LARGE = (errors.MessageSizeTooLargeError, errors.RecordListTooLargeError)
_FORBIDDEN = (errors.AuthorizationError,)
ACL_HINT = "safecity kafka acls prints what each role needs"


def bus_error(servers: Servers, doing: str, error: BaseException) -> BusError:
    """The error of the port for one of kafka-python's.

    Args:
        servers: the brokers, to look why none answers.
        doing: what was tried, e.g. "publishing".
        error: what came of it.
    """
    if isinstance(error, BusError):
        return error
    if isinstance(error, _TOO_LARGE):
        return RecordTooLargeError(redact(f"{doing}: the broker takes no record as large as this"))
    if isinstance(error, _FORBIDDEN):
        return BusAccessError(redact(f"{doing}: {_missing_permission(servers, doing, error)}"))
    if isinstance(error, errors.KafkaConfigurationError | errors.UnsupportedVersionError):
        return BusError(redact(f"{doing}: {error}"))
    if reason := no_answer(servers.addresses):
        return BusUnavailableError(redact(reason))
    if reason := _why_refused(servers):
        return BusAccessError(redact(f"{doing}: {reason}"))
    return BusUnavailableError(redact(f"{doing}: {error or type(error).__name__}"))


def no_answer(addresses: Sequence[str]) -> str | None:
    """Why none of the brokers can be reached; None when one of them takes connections."""
    reasons = []
    for server in addresses:
        reason = _try(server)
        if reason is None:
            return None
        reasons.append(f"{server} ({reason})")
    host, port = split(addresses[0])
    hint = f"; start one with: safecity kafka start --port {port} --data DIR" if is_loopback(host) else ""
    return f"no broker answers at {', '.join(reasons)}{hint}"


def check_reachable(servers: Servers) -> None:
    """Fail at once where the client would try for its whole time-out and then not know why.

    Raises:
        BusUnavailableError: none of the brokers takes connections.
    """
    if reason := no_answer(servers.addresses):
        raise BusUnavailableError(reason)


def check_access(servers: Servers) -> None:
    """Ask the brokers whether they take us.

    Raises:
        BusUnavailableError: none of the brokers takes connections.
        BusAccessError: one does not take us; the message says whether certificate or password is wrong.
    """
    check_reachable(servers)
    if reason := _refused_by(servers):
        raise BusAccessError(redact(reason))


def split(server: str) -> tuple[str, int]:
    """Host and port of ``host:port`` or ``[v6]:port``."""
    host, _, port = server.rpartition(":")
    return host.strip("[]"), int(port)


def _refused_by(servers: Servers) -> str | None:
    """What the first of the brokers that answers has against us."""
    for server in servers.addresses:
        with suppress(OSError):
            return refusal(server, split(server), servers)
    return None


_asked: dict[Servers, tuple[float, str | None]] = {}


def _why_refused(servers: Servers) -> str | None:
    # A batch fails record by record; the brokers need not be asked as often.
    at, reason = _asked.get(servers, (float("-inf"), None))
    if time.monotonic() - at > ASK_AGAIN_SECONDS:
        try:
            reason = _refused_by(servers)
        except BusAccessError as error:
            reason = str(error)
        _asked[servers] = time.monotonic(), reason
    return reason


def _missing_permission(servers: Servers, doing: str, error: BaseException) -> str:
    is_group = isinstance(error, errors.GroupAuthorizationFailedError)
    operation = "Write" if doing.startswith("publishing") and not is_group else "Read"
    named = re.search(r"Error: \{?'?([\w.-]+)'?\}?$", str(error))
    what = f"{'group' if is_group else 'topic'} {named[1]}" if named else str(error) or type(error).__name__
    return f"missing permission: {servers.user} needs an ACL for {operation} on {what}; {ACL_HINT}"


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
