"""What FFmpeg says, in words that help: a reason for the camera's status."""

import errno

import av

from safecity.redaction import redact

_BY_ERRNO = {
    errno.ECONNREFUSED: "the camera refuses the connection; is it on, and is the port right?",
    errno.EHOSTUNREACH: "no way to the camera's address",
    errno.ENETUNREACH: "no way to the camera's network",
    errno.ETIMEDOUT: "the camera does not answer in time",
    errno.ECONNRESET: "the camera closed the connection",
    errno.EPIPE: "the camera closed the connection",
    errno.EIO: "the connection to the camera broke",
    errno.ENOENT: "there is no such file",
    errno.EISDIR: "this is a folder, not a recording",
    errno.EACCES: "no permission to read it",
}

_BY_TYPE: tuple[tuple[type[Exception], str], ...] = (
    (av.error.HTTPUnauthorizedError, "the camera wants another user or password (401)"),
    (av.error.HTTPForbiddenError, "the camera forbids it (403)"),
    (av.error.HTTPNotFoundError, "the camera knows no such path (404)"),
    (av.error.HTTPServerError, "the camera has an error of its own (5xx)"),
    (av.error.HTTPTooManyRequestsError, "the camera has too many clients (429)"),
    (av.error.HTTPClientError, "the camera refuses the request (4xx)"),
    (av.error.ExitError, "the camera does not answer in time"),
    (av.error.InvalidDataError, "it is no video that can be read"),
    (av.error.EOFError, "the camera ended the stream"),
    (av.error.ProtocolNotFoundError, "the address leads to a protocol that is not allowed"),
)


def reason_of(error: Exception) -> str:
    """Why a camera gives no pictures; without the address and its password."""
    for kind, reason in _BY_TYPE:
        if isinstance(error, kind):
            return reason
    number = getattr(error, "errno", None)
    if number in _BY_ERRNO:
        return _BY_ERRNO[number]
    return redact(getattr(error, "strerror", None) or error)
