"""What an endpoint is: one declaration from which requests are routed and OpenAPI is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

Handler = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class Part:
    """A part of a form: a field of a JSON `schema`, or a picture."""

    name: str
    summary: str
    schema: Mapping[str, Any] | None = None
    required: bool = False


@dataclass(frozen=True)
class Asked:
    """A multipart form; `others` says what pictures of any other name are."""

    parts: tuple[Part, ...]
    others: str | None = None


@dataclass(frozen=True)
class Endpoint:
    """What is answered to `method` at `path`.

    `answers` are types of `answers.py` or media types, by status; `asks` is the type of a JSON body, or a form;
    `refusals` the statuses of failures, beside those that any request may get.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    answers: Mapping[int, Any]
    asks: Any = None
    refusals: tuple[int, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
