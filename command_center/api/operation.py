"""``/media``, ``/stats``, ``/health`` and ``/metrics``."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, HTTPException, Path, Response
from fastapi.responses import FileResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from command_center.api.models import EventStats, Health, LatencyStats, Problem, Stats
from command_center.centre import Centre
from command_center.media import MediaNameError
from command_center.store import queries
from command_center.store.database import StoreError


def operation_router(centre: Centre) -> APIRouter:
    """The routes of pictures, counts and health."""
    router = APIRouter()

    @router.get(
        "/media/{name}",
        tags=["events"],
        response_class=FileResponse,
        responses={200: {"content": {"image/jpeg": {}}}, 404: {"model": Problem}},
    )
    def media(name: Annotated[str, Path(description="Event.snapshot")]) -> FileResponse:
        """The picture of an event: privacy masks burned in, people pixelated."""
        try:
            path = centre.media.find(name)
        except MediaNameError as error:
            raise HTTPException(404, str(error)) from None
        if path is None:
            raise HTTPException(404, "there is no such picture, or not yet")
        return FileResponse(
            path, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400, immutable"}
        )

    @router.get("/stats", tags=["operation"])
    def stats() -> Stats:
        """Counts, and how long events take from the camera to the store."""
        totals = queries.totals(centre.store)
        return Stats(
            events=EventStats(
                stored=totals.stored,
                duplicates=totals.duplicates,
                by_kind=dict(totals.by_kind),
                by_camera=dict(totals.by_camera),
            ),
            latency_ms=summarise(queries.recent_latencies(centre.store)),
            dead_letter=totals.dead_letters,
            lag=dict(centre.consumer.lag),
        )

    @router.get("/health/live", tags=["operation"])
    def live() -> Health:
        """The process answers."""
        return Health(status="live")

    @router.get("/health/ready", tags=["operation"], responses={503: {"model": Health}})
    def ready(response: Response) -> Health:
        """The centre reads the bus and stores what comes."""
        checks = {
            "bus": centre.consumer.connected,
            "store": _store_answers(centre) and centre.consumer.storing,
            "consumer": centre.consumer.alive,
        }
        if not all(checks.values()):
            response.status_code = 503
            return Health(status="not ready", checks=checks)
        return Health(status="ready", checks=checks)

    return router


def metrics_router(centre: Centre) -> APIRouter:
    """The route that Prometheus reads."""
    router = APIRouter(tags=["operation"])

    @router.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    def metrics() -> Response:
        """Metrics in Prometheus' text format."""
        centre.refresh_metrics()
        return Response(generate_latest(centre.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router


def summarise(latencies: list[float]) -> LatencyStats:
    """Percentiles of milliseconds."""
    if not latencies:
        return LatencyStats(count=0, p50=None, p95=None, p99=None)
    p50, p95, p99 = (round(float(value), 1) for value in np.percentile(latencies, (50, 95, 99)))
    return LatencyStats(count=len(latencies), p50=p50, p95=p95, p99=p99)


def _store_answers(centre: Centre) -> bool:
    try:
        centre.store.check()
    except StoreError:
        return False
    return True
