"""``/events``: pages of them, one of them, and the live stream."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Header, HTTPException, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime, BeforeValidator

from command_center.api.models import EventDetail, EventItem, EventPage, Problem
from command_center.centre import Centre
from command_center.store import queries
from command_center.store.rows import Cursor, Filter, Order, StoredEvent
from safecity.message import Name

KEEP_ALIVE_SECONDS = 10.0
AT_ONCE = 200
NUMBER = r"^\d{1,18}$"


def _not_a_number(given: object) -> object:
    """Pydantic would take a number for seconds since 1970; the API says that it takes RFC 3339."""
    if isinstance(given, str) and re.fullmatch(r"\d{4}-\d\d-\d\d[Tt ].*", given) is None:
        raise ValueError("want a time with its zone, e.g. 2026-03-01T12:00:00Z")
    return given


Time = Annotated[AwareDatetime, BeforeValidator(_not_a_number)]
CursorText = Annotated[
    str | None, Query(pattern=r"^-?\d{1,17}\.\d{1,18}$", description="next_cursor of the page before")
]


def present(centre: Centre, stored: StoredEvent) -> EventItem:
    """A stored event as the API shows it."""
    snapshot, camera = stored.event.snapshot, centre.cameras.get(stored.event.camera_id)
    return EventItem.model_construct(
        **dict(stored.event),
        sequence=stored.sequence,
        stored_at=stored.stored_at,
        camera_name=camera.label if camera else stored.event.camera_id,
        snapshot_url=f"/api/v1/media/{snapshot}" if snapshot else None,
        latency_ms=stored.latency_ms,
        trace=stored.trace,
    )


def events_router(centre: Centre) -> APIRouter:
    """The routes of events."""
    router = APIRouter(prefix="/events", tags=["events"])

    @router.get("", response_model=EventPage)
    def list_events(
        request: Request,
        response: Response,
        limit: Annotated[int, Query(ge=1, le=1000)] = 100,
        cursor: CursorText = None,
        order: Annotated[Order, Query(description="by event time")] = Order.NEWEST,
        camera_id: Annotated[Name | None, Query()] = None,
        kind: Annotated[Name | None, Query()] = None,
        since: Annotated[Time | None, Query(description="this time or later")] = None,
        until: Annotated[Time | None, Query(description="before this time")] = None,
        revisions: Annotated[
            Literal["newest", "all"], Query(description="of each event: only the newest, or all")
        ] = "newest",
        run: Annotated[Name | None, Query(description="of this replay, instead of the live ones")] = None,
    ) -> EventPage:
        """Events, of each its newest revision. ``next_cursor``, or the Link header, leads through all."""
        after = None
        if cursor is not None:
            occurred_at, sequence = map(int, cursor.split("."))
            after = Cursor(occurred_at, sequence)
        wanted = Filter(camera_id, kind, since, until, revisions=revisions == "all", run=run)
        found, more = queries.page(centre.store, wanted, order, limit, after)
        next_cursor = f"{more.occurred_at}.{more.sequence}" if more else None
        if next_cursor:
            query = urlencode({**request.query_params, "cursor": next_cursor})
            response.headers["Link"] = f'<{request.url.path}?{query}>; rel="next"'
        return EventPage.model_construct(
            items=[present(centre, item) for item in found], next_cursor=next_cursor
        )

    # Not in the schema: an answer without an end is nothing that a client can be generated for.
    @router.get("/stream", include_in_schema=False)
    async def stream_events(
        last_event_id: Annotated[str | None, Query()] = None,
        last_event_id_header: Annotated[str | None, Header(alias="Last-Event-ID")] = None,
    ) -> StreamingResponse:
        """Events and statuses as they come, as server-sent events; resumes after ``Last-Event-ID``."""
        wanted = last_event_id_header or last_event_id or ""
        newest = await run_in_threadpool(queries.last_sequence, centre.store)
        begin = min(int(wanted), newest) if re.fullmatch(NUMBER, wanted) else newest
        return StreamingResponse(
            _follow(centre, begin), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @router.get("/{event_id}", responses={404: {"model": Problem}})
    def one_event(
        event_id: str,
        run: Annotated[Name | None, Query(description="of this replay, instead of the live ones")] = None,
    ) -> EventDetail:
        """One event at its newest revision, with all revisions."""
        is_id = re.fullmatch(r"[0-9a-f]{32}", event_id)
        found = queries.revisions(centre.store, event_id, run) if is_id else []
        if not found:
            raise HTTPException(404, "there is no such event")
        items = [present(centre, item) for item in found]
        return EventDetail.model_construct(**dict(items[-1]), revisions=items)

    return router


async def _follow(centre: Centre, sequence: int) -> AsyncIterator[str]:
    live = centre.live
    version, _ = live.statuses_since(0)
    live.followers += 1
    try:
        yield "retry: 1000\n\n"
        while not live.closed:
            told, statuses = live.statuses_since(version)
            while stored := await run_in_threadpool(queries.stored_after, centre.store, sequence, AT_ONCE):
                sequence = stored[-1].sequence
                yield "".join(
                    f"id: {item.sequence}\nevent: event\ndata: {present(centre, item).model_dump_json()}\n\n"
                    for item in stored
                )
            if statuses:
                yield "".join(f"event: status\ndata: {item.model_dump_json()}\n\n" for item in statuses)
            version = told
            if not await live.wait(version, KEEP_ALIVE_SECONDS) and not live.closed:
                yield ": still here\n\n"
    finally:
        live.followers -= 1
