"""A client of the centre's API, for the commands that show something in a terminal."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx

from safecity.redaction import redact


class ClientError(Exception):
    """The centre does not answer as it should; the message says what to do."""


class CentreClient:
    """Asks one centre.

    Args:
        url: of the centre.
        token: when the centre wants one.
    """

    def __init__(self, url: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.url = url
        self._client = httpx.Client(base_url=url, headers=headers, timeout=httpx.Timeout(10.0, read=30.0))

    def get(self, path: str, parameters: Mapping[str, str] | None = None) -> Any:
        """What the API answers.

        Args:
            path: below ``/api/v1/``.
            parameters: of the query.

        Raises:
            ClientError: the centre is not there, or refuses.
        """
        try:
            answer = self._client.get(f"/api/v1/{path}", params=parameters or {})
        except httpx.HTTPError as error:
            raise ClientError(
                f"no command centre at {redact(self.url)} ({redact(error)}); start one, or give --url"
            ) from None
        _refuse(answer)
        try:
            return answer.json()
        except ValueError:
            raise ClientError(f"what answers at {redact(self.url)} is no command centre") from None

    @contextmanager
    def stream(self, path: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An answer that is read as it comes.

        Raises:
            ClientError: the centre refuses.
            httpx.HTTPError: it is away.
        """
        with self._client.stream("GET", f"/api/v1/{path}", headers=headers) as answer:
            _refuse(answer)
            yield answer


def _refuse(answer: httpx.Response) -> None:
    if answer.status_code == httpx.codes.UNAUTHORIZED:
        raise ClientError("the centre wants a token; set SAFECITY_TOKEN")
    if answer.is_error:
        answer.read()
        raise ClientError(f"the centre refuses ({answer.status_code}): {redact(answer.text[:300])}")
