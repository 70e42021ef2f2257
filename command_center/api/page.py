"""The page: the files of ``command_center/web``, each under its own name and nothing else."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

PAGE = Path(__file__).parent.parent / "web"


def page_routes() -> list[Route]:
    """``/`` and a route for each file. Not a mount: that would take what the API refuses for its own."""
    return [_route("/", PAGE / "index.html"), *(_route(f"/{file.name}", file) for file in PAGE.iterdir())]


def _route(path: str, file: Path) -> Route:
    def send(_request: Request) -> Response:
        # Asked for again each time: a page and a centre of different versions do not fit.
        return FileResponse(file, headers={"Cache-Control": "no-cache"})

    return Route(path, send, include_in_schema=False)
