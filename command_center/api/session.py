"""``/session``: signing in with the site's token, and out."""

from datetime import UTC, datetime

from fastapi import APIRouter, HTTPException, Request, Response

from command_center.api.models import Problem, SignedIn, SignIn
from command_center.auth import COOKIE, TokenCheck


def session_router(check: TokenCheck) -> APIRouter:
    """The routes of signing in and out."""
    router = APIRouter(prefix="/session", tags=["session"])

    @router.post("", responses={400: {"model": Problem}, 401: {"model": Problem}})
    def sign_in(sign: SignIn, request: Request, response: Response) -> SignedIn:
        """Give the token, get a cookie that stands for it."""
        if check.required:
            if not check.is_token(sign.token):
                raise HTTPException(401, "this is not the token")
            response.set_cookie(
                COOKIE, check.cookie, httponly=True, samesite="strict", secure=request.url.scheme == "https"
            )
        return SignedIn(signed_in_at=datetime.now(UTC))

    @router.delete("", status_code=204)
    def sign_out(response: Response) -> None:
        """Forget the cookie."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")

    return router
