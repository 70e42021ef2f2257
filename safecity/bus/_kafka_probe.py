"""Why a broker that takes connections does not take us.

kafka-python says of a wrong certificate and of a wrong password alike that it is unable to bootstrap. So
we ask ourselves, step by step: TLS handshake, then SaslHandshake and SaslAuthenticate of Kafka's protocol
(https://kafka.apache.org/protocol, API keys 17 and 36), with SCRAM inside.
"""

import socket
import ssl
import struct

from kafka.net.sasl.scram import ScramClient

from safecity.bus._kafka_servers import Servers, tls_context
from safecity.bus_security import SaslSettings, TlsSettings

CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 4.0
LARGEST_ANSWER = 1024 * 1024
SASL_HANDSHAKE, SASL_AUTHENTICATE = 17, 36
UNSUPPORTED_MECHANISM, ILLEGAL_STATE, AUTHENTICATION_FAILED = 33, 34, 58
"""Error codes of the protocol."""


class _RefusedError(Exception):
    """The broker does not take us; the message says why."""


def refusal(server: str, address: tuple[str, int], servers: Servers) -> str | None:
    """Why the broker at ``server`` does not take us; None when it does.

    Args:
        server: its address as the site file has it, for the message.
        address: host and port.
        servers: TLS, user and password.

    Raises:
        BusAccessError: a file of our certificates cannot be used.
        OSError: it does not answer.
    """
    context = tls_context(servers.tls) if servers.tls is not None else None
    try:
        with socket.create_connection(address, timeout=CONNECT_SECONDS) as plain:
            plain.settimeout(ANSWER_SECONDS)
            if context is None or servers.tls is None:
                _say_who_we_are(plain, servers)
            else:
                with _encrypted(plain, context, servers.tls, address[0]) as sock:
                    _say_who_we_are(sock, servers)
    except _RefusedError as error:
        return f"{server}: {error}"
    except (EOFError, ConnectionError) as error:
        # A broker that goes or comes does that as well: the other way round shows which it is.
        if reason := _speaks_otherwise(address, servers):
            return f"{server}: {reason}"
        raise ConnectionError(f"{server} ends the connection") from error
    return None


def _speaks_otherwise(address: tuple[str, int], servers: Servers) -> str | None:
    try:
        with socket.create_connection(address, timeout=CONNECT_SECONDS) as plain:
            plain.settimeout(ANSWER_SECONDS)
            if servers.tls is not None:
                _call(plain, SASL_HANDSHAKE, 1, _short(b"SCRAM-SHA-512"))
                return "it does not speak TLS on this port: give the port that does, or remove [bus.tls]"
            anybody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
            with anybody.wrap_socket(plain):
                return "it speaks TLS on this port: give [bus.tls], or another port"
    except (OSError, EOFError):
        return None


def _encrypted(plain: socket.socket, context: ssl.SSLContext, tls: TlsSettings, host: str) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        if "ostname" in error.verify_message or "IP address" in error.verify_message:
            raise _RefusedError(
                f"wrong certificate: {error.verify_message}; bus.bootstrap_servers must have a name that "
                "stands in the broker's certificate"
            ) from None
        authority = tls.ca_file or "the system's authorities"
        raise _RefusedError(
            f"wrong certificate: the broker's does not follow from {authority} ({error.verify_message}); "
            "see bus.tls.ca_file"
        ) from None
    except ssl.SSLEOFError:
        raise EOFError from None
    except ssl.SSLError as error:
        raise _RefusedError(_alert(error)) from None


def _alert(error: ssl.SSLError) -> str:
    reason = error.reason or str(error)
    if reason in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE"):
        return "it does not speak TLS on this port: give the port that does, or remove [bus.tls]"
    if "CERTIFICATE_REQUIRED" in reason or "HANDSHAKE_FAILURE" in reason:
        return "it wants a certificate of ours: give bus.tls.cert_file and key_file"
    if "ALERT" in reason and ("CERTIFICATE" in reason or "UNKNOWN_CA" in reason):
        return f"wrong certificate: it does not accept ours ({reason}); see bus.tls.cert_file"
    return f"no TLS connection: {reason}"


def _say_who_we_are(sock: socket.socket, servers: Servers) -> None:
    sasl = servers.sasl
    mechanism = sasl.mechanism if sasl is not None else "SCRAM-SHA-512"
    try:
        answer = _call(sock, SASL_HANDSHAKE, 1, _short(mechanism.encode()))
    except ssl.SSLError as error:  # TLS 1.3: what the broker thinks of our certificate comes only now
        raise _RefusedError(_alert(error)) from None
    (code,) = struct.unpack_from(">h", answer)
    if sasl is None:
        if code != ILLEGAL_STATE:
            raise _RefusedError("it wants to know who we are: give user and password, [bus.sasl]")
        return
    if code == ILLEGAL_STATE:
        raise _RefusedError("it knows no users on this port: give the port that does, or remove [bus.sasl]")
    if code == UNSUPPORTED_MECHANISM:
        raise _RefusedError(f"it does not offer {sasl.mechanism}, but {', '.join(_names(answer))}")
    _authenticate(sock, sasl)


def _authenticate(sock: socket.socket, sasl: SaslSettings) -> None:
    scram = ScramClient(sasl.user, sasl.password.get_secret_value(), sasl.mechanism)
    try:
        scram.process_server_first_message(_exchange(sock, sasl, scram.first_message()))
        scram.process_server_final_message(_exchange(sock, sasl, scram.final_message()))
    except (ValueError, KeyError):
        raise _RefusedError(
            f"it does not prove that it knows the password of {sasl.user}: is it the right broker?"
        ) from None


def _exchange(sock: socket.socket, sasl: SaslSettings, token: bytes) -> bytes:
    answer = _call(sock, SASL_AUTHENTICATE, 0, struct.pack(">i", len(token)) + token)
    (code,) = struct.unpack_from(">h", answer)
    if code == AUTHENTICATION_FAILED:
        raise _RefusedError(_wrong_password(sasl))
    if code != 0:
        raise _RefusedError(f"it ends the authentication with error {code} of Kafka's protocol")
    (length,) = struct.unpack_from(">h", answer, 2)
    begin = 4 + max(length, 0) + 4
    return answer[begin:]


def _wrong_password(sasl: SaslSettings) -> str:
    return (
        f"wrong user or password, it says to {sasl.user} ({sasl.mechanism}); see bus.sasl and this process's "
        "environment"
    )


def _call(sock: socket.socket, key: int, version: int, body: bytes) -> bytes:
    """One request, and what its answer holds behind the correlation id."""
    request = struct.pack(">hhi", key, version, 1) + _short(b"safecity-probe") + body
    sock.sendall(struct.pack(">i", len(request)) + request)
    (size,) = struct.unpack(">i", _read(sock, 4))
    if not 4 <= size <= LARGEST_ANSWER:
        # 0x15 0x03: an alert of TLS, from a broker that took our request for a broken hello.
        raise EOFError
    return _read(sock, size)[4:]


def _read(sock: socket.socket, size: int) -> bytes:
    parts = b""
    while len(parts) < size:
        part = sock.recv(size - len(parts))
        if not part:
            raise EOFError
        parts += part
    return parts


def _short(value: bytes) -> bytes:
    return struct.pack(">h", len(value)) + value


def _names(answer: bytes) -> list[str]:
    (count,) = struct.unpack_from(">i", answer, 2)
    names, at = [], 6
    for _ in range(count):
        (length,) = struct.unpack_from(">h", answer, at)
        names.append(answer[at + 2 : at + 2 + length].decode(errors="replace"))
        at += 2 + length
    return names
