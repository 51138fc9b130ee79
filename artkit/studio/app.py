"""The studio as a web application (ASGI)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from artkit.errors import ArtkitError
from artkit.studio.guard import LOCAL, Access, Guard
from artkit.studio.limits import Refusal
from artkit.studio.routes import ENDPOINTS
from artkit.studio.sending import refuse
from artkit.studio.studio import Studio
from artkit.studio.worker import FAULT

JOIN = 2.0
"""Seconds that the job at hand gets to end when the studio closes."""


def make_app(studio: Studio, access: Access = LOCAL) -> ASGIApp:
    """Return the application; while it is open, its thread computes."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        studio.worker.start()
        yield
        studio.desk.close()
        studio.worker.join(JOIN)

    app = Starlette(
        routes=[Route(one.path, one.handler, methods=[one.method]) for one in ENDPOINTS],
        exception_handlers={ArtkitError: _refused, HTTPException: _unrouted, Exception: _failed},
        lifespan=lifespan,
    )
    app.state.studio = studio
    return Guard(app, access)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, Refusal) else HTTPStatus.UNPROCESSABLE_ENTITY
    return refuse(status, str(error))


async def _unrouted(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    message = "There is nothing here." if error.status_code == HTTPStatus.NOT_FOUND else str(error.detail)
    return refuse(error.status_code, message, _allowed(request) if error.status_code == 405 else None)


def _allowed(request: Request) -> dict[str, str]:
    """Return the header that a refusal of a method carries (RFC 9110, section 15.5.6)."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return {"Allow": ", ".join(sorted(method for route in routes for method in route.methods))}


async def _failed(request: Request, error: Exception) -> Response:
    return refuse(HTTPStatus.INTERNAL_SERVER_ERROR, FAULT)
