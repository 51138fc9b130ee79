"""The page: its files as they lie in `page/`, found by exact name, so that no path from outside reaches a disk."""

from __future__ import annotations

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from artkit.studio.studio import nothing_here

FOLDER = Path(__file__).with_name("page")
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}
"""Files that are sent, by suffix; no others are."""


async def get_index(request: Request) -> Response:
    """Answer the page."""
    return _send("index.html")


async def get_file(request: Request) -> Response:
    """Answer one of the page's files."""
    return _send(request.path_params["file"])


def page_files() -> dict[str, Path]:
    """Return the files that are sent, by their names below `page/`."""
    found = (path for path in FOLDER.rglob("*") if path.suffix in TYPES and path.is_file())
    return {path.relative_to(FOLDER).as_posix(): path for path in found}


def _send(name: str) -> Response:
    path = page_files().get(name)
    if path is None:
        raise nothing_here()
    return Response(path.read_bytes(), media_type=TYPES[path.suffix], headers={"Cache-Control": "no-cache"})
