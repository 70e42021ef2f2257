"""A port for what is started on this machine, is reached by others, and may be started there again."""

import secrets
import socket

FIRST, LAST = 16_384, 32_767


def free_port() -> int:
    """A port of 127.0.0.1 that is free now and no client's (Linux: ``ip_local_port_range``, from 32768 on).

    A client that tries again and again to reach a server that is down is given, sooner or later, that very
    port for its own end: it is connected to itself, and the server finds its port taken.

    Raises:
        OSError: none of a hundred that were tried is free.
    """
    for _ in range(100):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no port of 127.0.0.1 from {FIRST} to {LAST} is free")
