"""Serving the centre over HTTP, from the first connection to a clean end."""

import socket

import uvicorn

from command_center.api.app import create_app
from command_center.centre import Centre


class _Server(uvicorn.Server):
    """Lets the live streams go before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, centre: Centre) -> None:
        super().__init__(config)
        self._centre = centre

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._centre.live.close()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        OSError: the port is in use, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def serve(centre: Centre, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM, then close the centre."""
    config = uvicorn.Config(
        create_app(centre),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
        lifespan="off",
    )
    centre.start()
    try:
        _Server(config, centre).run(sockets=[listening])
    except KeyboardInterrupt:
        # uvicorn hands the signal on once it has ended in order: for us this is the end that was wanted.
        return
    finally:
        centre.close()
