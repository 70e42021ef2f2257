"""Who may ask: the token, the cookie that stands for it, and the names that the centre answers to."""

import hashlib
import hmac
import json
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from safecity.settings import CentreSettings, is_loopback

COOKIE = "safecity_session"
OPEN_PATHS = frozenset({"/api/v1/health/live", "/api/v1/health/ready", "/api/v1/session"})
GUARDED = ("/api/", "/metrics", "/openapi.json")
SECURITY_HEADERS = (
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
        b"connect-src 'self'; "
        b"form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
)


class TokenCheck:
    """Compares what a client gives with the site's token, in constant time.

    Args:
        token: the site's; None: everybody may ask, which only loopback allows.
    """

    def __init__(self, token: str | None) -> None:
        self._token = token

    @property
    def required(self) -> bool:
        """Whether a token is wanted at all."""
        return self._token is not None

    def is_token(self, given: str) -> bool:
        """Whether ``given`` is the token."""
        return self._token is not None and hmac.compare_digest(given.encode(), self._token.encode())

    @property
    def cookie(self) -> str:
        """What the cookie of a signed-in browser holds: it proves the token and does not tell it."""
        return hmac.new((self._token or "").encode(), b"safecity session v1", hashlib.sha256).hexdigest()

    def admits(self, headers: Headers) -> bool:
        """Whether a request with these headers may be answered."""
        if self._token is None:
            return True
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self.is_token(given.strip()):
            return True
        try:
            morsel = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
        except CookieError:
            return False
        return morsel is not None and hmac.compare_digest(morsel.value.encode(), self.cookie.encode())


class Guard:
    """ASGI middleware in front of everything: names, origins, token; and the headers that browsers heed.

    On loopback a page of another site could reach the centre through a name that it makes point here (DNS
    rebinding), so only loopback's own names are answered.

    Args:
        app: what is guarded.
        settings: the address that is listened on.
        check: of the token.
    """

    def __init__(self, app: ASGIApp, settings: CentreSettings, check: TokenCheck) -> None:
        self._app = app
        self._check = check
        self._names: frozenset[str] | None = None
        if is_loopback(settings.host):
            self._names = frozenset({"localhost", "127.0.0.1", "::1", settings.host})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *SECURITY_HEADERS]
            await send(message)

        refusal = self._refusal(scope["method"], scope["path"], Headers(scope=scope))
        if refusal is None:
            await self._app(scope, receive, send_with_headers)
        else:
            await _answer(send_with_headers, *refusal)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if self._names is not None and _host_name(host) not in self._names:
            return 421, "this centre answers only to localhost"
        origin = headers.get("origin")
        if method not in {"GET", "HEAD"} and origin is not None and urlsplit(origin).netloc != host:
            return 403, "the request comes from another site"
        guarded = path.startswith(GUARDED) and path not in OPEN_PATHS
        if guarded and not self._check.admits(headers):
            return 401, "a token is wanted: Authorization: Bearer …, or sign in on the page"
        return None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _answer(send: Send, status: int, detail: str) -> None:
    headers: Iterable[tuple[bytes, bytes]] = [(b"content-type", b"application/json")]
    if status == 401:
        headers = [*headers, (b"www-authenticate", b'Bearer realm="safecity"')]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})
