"""Where a camera's name leads: looked up before it is opened, and held against the allowed networks."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from ingest.sources.base import SourceError
from safecity.camera import address_allowed


def check_address(url: str, allowed_networks: Sequence[str]) -> None:
    """Refuse a host any of whose addresses lies outside ``allowed_networks`` (CIDR).

    Raises:
        SourceError: the name is not known, or leads to where no camera may be.
    """
    host = urlsplit(url).hostname or ""
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        raise SourceError(f"the name {host} is not known") from None
    for address in sorted(found):
        if not address_allowed(address.partition("%")[0], tuple(allowed_networks)):
            raise SourceError(f"{host} leads to {address}, which is outside allowed_networks")
