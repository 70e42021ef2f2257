"""``/runs``: replays, whose events are kept apart from the live ones."""

from typing import Annotated

from fastapi import APIRouter, Body, HTTPException, Path, Request
from fastapi.concurrency import run_in_threadpool

from command_center.api.models import Problem, RunItem, RunList, RunTaken
from command_center.centre import Centre
from command_center.media import MediaNameError
from command_center.store import replays
from command_center.store.rows import Batch
from safecity.event import Event
from safecity.message import Name

MOST_EVENTS = 1000
MOST_BYTES = 8 * 1024 * 1024

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

    @router.post("/{run}/events")
    def take_events(
        run: RunName, events: Annotated[list[Event], Body(min_length=1, max_length=MOST_EVENTS)]
    ) -> RunTaken:
        """Keep events of a replay. What the run has already adds nothing."""
        recorded = centre.store.record(Batch(replayed=[(run, event) for event in events]))
        return RunTaken(stored=recorded.replayed, duplicates=len(events) - recorded.replayed)

    # Not in the schema: a body that is a picture is nothing that a client can be generated for.
    @router.put(
        "/{run}/media/{name}", status_code=204, include_in_schema=False, responses={422: {"model": Problem}}
    )
    async def take_picture(run: RunName, name: str, request: Request) -> None:
        """Keep a picture of a replay; it never takes the place of one that was seen live."""
        if int(request.headers.get("content-length") or MOST_BYTES + 1) > MOST_BYTES:
            raise HTTPException(413, f"want a picture of at most {MOST_BYTES} bytes, and its length")
        picture = await request.body()
        if not picture.startswith(b"\xff\xd8"):
            raise HTTPException(422, "want a JPEG")
        try:
            if centre.media.find(name) is None:
                await run_in_threadpool(centre.media.save, name, picture)
        except MediaNameError as error:
            raise HTTPException(422, str(error)) from None

    return router
