"""``/site`` and ``/cameras``."""

from importlib.metadata import version

from fastapi import APIRouter

from command_center.api.models import CameraItem, CameraList, SiteInfo
from command_center.centre import Centre, is_stale


def cameras_router(centre: Centre) -> APIRouter:
    """The routes of the site and its cameras."""
    router = APIRouter(tags=["cameras"])

    @router.get("/site")
    def site() -> SiteInfo:
        """The site's name and time zone."""
        return SiteInfo(name=centre.site.name, timezone=centre.site.timezone, version=version("safecity"))

    @router.get("/cameras")
    def cameras() -> CameraList:
        """Every camera of the site, with the status that its worker sent last."""
        statuses = centre.statuses()
        items = []
        for camera in centre.cameras.all():
            shown, status = camera.public(), statuses.get(camera.id)
            items.append(
                CameraItem(
                    id=camera.id,
                    name=camera.label,
                    source=shown["source"],
                    zones=shown["zones"],
                    lines=shown["lines"],
                    masks=shown["masks"],
                    rules=shown["rules"],
                    status=status,
                    stale=is_stale(status),
                )
            )
        return CameraList(items=items)

    return router
