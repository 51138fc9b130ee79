"""Answers: JSON from declarations, pictures, and one line where something is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

from artkit.errors import excerpt
from artkit.studio.answers import Failure

LINE = 480
"""Characters of the longest line that says why."""


def send_json(value: Any, status: int = 200) -> Response:
    """Return a value of `answers.py` as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def send_png(data: bytes, headers: dict[str, str] | None = None) -> Response:
    """Return a PNG."""
    return Response(data, media_type="image/png", headers=headers)


def refuse(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return why a request is refused, in one line, which may quote a stranger's long words."""
    answer = send_json(Failure(excerpt(message, LINE)), status)
    answer.headers.update(headers or {})
    return answer
