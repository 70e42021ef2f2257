"""The application: routes, guard, page."""

from importlib.metadata import version

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from starlette.routing import compile_path

from command_center.api.cameras import cameras_router
from command_center.api.clips import clips_router
from command_center.api.events import events_router
from command_center.api.operation import metrics_router, operation_router
from command_center.api.page import page_routes
from command_center.api.runs import runs_router
from command_center.api.session import session_router
from command_center.auth import Guard, TokenCheck
from command_center.centre import Centre
from command_center.store.database import StoreError

DESCRIPTION = """Events of a city's cameras.

The live stream, `GET /api/v1/events/stream`, sends server-sent events: `event` (the id is the sequence) and
`status`; it resumes after `Last-Event-ID`. Where a token is set, give `Authorization: Bearer …`."""


def create_app(centre: Centre) -> FastAPI:
    """The centre's HTTP application: API under ``/api/v1``, ``/metrics``, and the page."""
    app = FastAPI(
        title="safecity",
        version=version("safecity"),
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
    )
    token = centre.site.centre.token
    check = TokenCheck(token.get_secret_value() if token else None)
    app.add_middleware(Guard, settings=centre.site.centre, check=check)
    api = APIRouter(prefix="/api/v1")
    for router in (
        cameras_router(centre),
        events_router(centre),
        clips_router(centre),
        operation_router(centre),
        runs_router(centre),
        session_router(check),
    ):
        api.include_router(router)
    app.include_router(api)
    app.include_router(metrics_router(centre))
    app.router.routes.extend(page_routes())

    @app.exception_handler(StoreError)
    def store_away(_request: Request, error: StoreError) -> JSONResponse:
        return JSONResponse({"detail": f"the store does not answer: {error}"}, status_code=503)

    @app.exception_handler(405)
    def other_method(request: Request, error: HTTPException) -> JSONResponse:
        # Starlette names the methods of the first route only; a path may have several.
        allowed = _methods(app, request.url.path)
        headers = {"Allow": ", ".join(allowed)} if allowed else error.headers
        return JSONResponse({"detail": error.detail}, status_code=405, headers=headers)

    return app


def _methods(app: FastAPI, path: str) -> list[str]:
    """The methods that the API describes for ``path``."""
    paths: dict[str, dict[str, object]] = app.openapi()["paths"]
    fitting = (methods for template, methods in paths.items() if compile_path(template)[0].match(path))
    return sorted({method.upper() for methods in fitting for method in methods})
