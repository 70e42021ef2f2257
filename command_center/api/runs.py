"""``/runs``: replays, whose events are kept apart from the live ones."""

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import Field, TypeAdapter, ValidationError

from command_center.api.models import Problem, RunItem, RunList, RunTaken
from command_center.centre import Centre
from command_center.media import MediaNameError
from command_center.store import replays
from command_center.store.rows import Batch
from safecity.event import Event
from safecity.message import Name

MOST_EVENTS = 1000
MOST_BYTES = 8 * 1024 * 1024

EVENTS = TypeAdapter(Annotated[list[Event], Field(min_length=1, max_length=MOST_EVENTS)])
RunName = Annotated[Name, Path(description="of the run")]


def runs_router(centre: Centre) -> APIRouter:
    """The routes of replays."""
    router = APIRouter(prefix="/runs", tags=["runs"])

    @router.get("")
    def list_runs() -> RunList:
        """The runs that there are, the newest first. Their events: ``/api/v1/events?run=NAME``."""
        with centre.store.reading() as connection:
            found = replays.runs(connection)
        return RunList(items=[RunItem(**vars(run)) for run in found])

    # Not in the schema: it is read as the bus reads it, and what is wrong with it is said in the same way.
    @router.post("/{run}/events", include_in_schema=False, responses={422: {"model": Problem}})
    async def take_events(run: RunName, request: Request) -> RunTaken:
        """Keep events of a replay, a JSON list. What the run has already adds nothing."""
        try:
            events = EVENTS.validate_json(await _body(request), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise HTTPException(422, f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        batch = Batch(replayed=[(run, event) for event in events])
        recorded = await run_in_threadpool(centre.store.record, batch)
        return RunTaken(stored=recorded.replayed, duplicates=len(events) - recorded.replayed)

    # Not in the schema: a body that is a picture is nothing that a client can be generated for.
    @router.put(
        "/{run}/media/{name}", status_code=204, include_in_schema=False, responses={422: {"model": Problem}}
    )
    async def take_picture(run: RunName, name: str, request: Request) -> None:
        """Keep a picture of a replay; it never takes the place of one that was seen live."""
        picture = await _body(request)
        if not picture.startswith(b"\xff\xd8"):
            raise HTTPException(422, "want a JPEG")
        try:
            if centre.media.find(name) is None:
                await run_in_threadpool(centre.media.save, name, picture)
        except MediaNameError as error:
            raise HTTPException(422, str(error)) from None

    return router


async def _body(request: Request) -> bytes:
    said = request.headers.get("content-length", "")
    if not said.isdigit() or int(said) > MOST_BYTES:
        raise HTTPException(413, f"want at most {MOST_BYTES} bytes, and a Content-Length that says how many")
    return await request.body()
