"""``/events/{id}/clip``: what was recorded around an event."""

import re

import structlog
from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import FileResponse

from command_center.api.models import ClipInfo, Problem
from command_center.centre import Centre
from command_center.clips import NoClipError, StoredClip
from command_center.store import queries

_log = structlog.get_logger()
_PLAYS_NOT = "{codec}: many browsers do not play it; save it and use a player such as VLC"


def clips_router(centre: Centre) -> APIRouter:
    """The routes of clips."""
    router = APIRouter(prefix="/events", tags=["events"])

    @router.get(
        "/{event_id}/clip",
        response_class=FileResponse,
        responses={
            200: {"content": {"video/mp4": {}}},
            206: {"description": "the part that was asked for", "content": {"video/mp4": {}}},
            404: {"model": Problem},
            416: {"description": "no such part"},
        },
    )
    def clip(event_id: str, request: Request) -> FileResponse:
        """The recording around an event, MP4, in parts where a ``Range`` is given, so that a player can seek.

        Privacy masks are burned in; people are not pixelated. Who asked is in the log. A codec that browsers
        may not play is said in ``X-Safecity-Browser``.
        """
        stored = _find(centre, event_id)
        client = request.client.host if request.client else None
        _log.info("clip given out", event_id=event_id, client=client, range=request.headers.get("range"))
        headers = {"Cache-Control": "private, no-store"}
        if not stored.plays_in_browsers:
            headers["X-Safecity-Browser"] = _PLAYS_NOT.format(codec=stored.codec)
        return FileResponse(
            stored.path,
            media_type="video/mp4",
            filename=f"{event_id}.mp4",
            content_disposition_type="inline",
            headers=headers,
        )

    @router.get("/{event_id}/clip/info", responses={404: {"model": Problem}})
    def clip_info(event_id: str) -> ClipInfo:
        """What the clip of an event holds, and whether a browser plays it."""
        stored = _find(centre, event_id)
        note = None if stored.plays_in_browsers else _PLAYS_NOT.format(codec=stored.codec)
        return ClipInfo(
            url=f"/api/v1/events/{event_id}/clip",
            start=stored.start,
            seconds=stored.seconds,
            codec=stored.codec,
            masked=stored.masked,
            plays_in_browsers=stored.plays_in_browsers,
            note=note,
            gaps=list(stored.gaps),
        )

    return router


def _find(centre: Centre, event_id: str) -> StoredClip:
    found = queries.revisions(centre.store, event_id) if re.fullmatch(r"[0-9a-f]{32}", event_id) else []
    if not found:
        raise HTTPException(404, "there is no such event")
    try:
        return centre.clips.of(found[-1].event)
    except NoClipError as error:
        raise HTTPException(404, str(error)) from None
