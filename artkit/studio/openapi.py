"""The OpenAPI document (version 3.1), made from the endpoints' declarations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from artkit import __version__
from artkit.studio.answers import Failure
from artkit.studio.endpoints import Asked, Endpoint

ALWAYS = (400, 401, 403)
"""Statuses that the guard may answer to any request."""
_REASONS = {
    400: "The request cannot be read.",
    401: "The studio wants its token.",
    403: "The request comes from another page, or calls the studio by another name.",
    404: "There is nothing here.",
    408: "Sending took too long.",
    409: "The picture was cancelled, or a newer one took its place.",
    413: "The request is too large.",
    415: "The request is no multipart form.",
    422: "What is asked for cannot be done; the error says why.",
    429: "Too much is waiting: try again later.",
}
_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")


def make_openapi(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return the document that describes `endpoints`."""
    types = list(dict.fromkeys(_types(endpoints)))
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    known = dict(zip(types, schemas, strict=True))
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        path = _PARAMETER.sub(r"{\1}", endpoint.path)
        paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "artkit studio", "version": __version__, "summary": "Chains of image methods over HTTP."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _types(endpoints: Sequence[Endpoint]) -> Iterator[Any]:
    yield Failure
    for endpoint in endpoints:
        if endpoint.asks is not None and not isinstance(endpoint.asks, Asked):
            yield endpoint.asks
        yield from (answer for answer in endpoint.answers.values() if not isinstance(answer, str | tuple))


def _operation(endpoint: Endpoint, known: dict[Any, Any]) -> dict[str, Any]:
    responses = {str(status): _response(answer, known) for status, answer in sorted(endpoint.answers.items())}
    for status in (*ALWAYS, *endpoint.refusals):
        responses[str(status)] = {"description": _REASONS[status], "content": _json(known[Failure])}
    found = {
        "operationId": endpoint.handler.__name__,
        "summary": endpoint.summary,
        "parameters": [*_parameters(endpoint)],
        "responses": responses,
    }
    if endpoint.asks is not None:
        found["requestBody"] = {"required": True, "content": _asked(endpoint.asks, known)}
    return found


def _response(answer: Any, known: dict[Any, Any]) -> dict[str, Any]:
    if isinstance(answer, str | tuple):
        media = (answer,) if isinstance(answer, str) else answer
        return {"description": "As it is.", "content": {one: {} for one in media}}
    return {"description": "As JSON.", "content": _json(known[answer])}


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
    for name, summary in endpoint.query.items():
        yield {"name": name, "in": "query", "description": summary, "schema": {"type": "string"}}


def _asked(asked: Any, known: dict[Any, Any]) -> dict[str, Any]:
    if not isinstance(asked, Asked):
        return _json(known[asked])
    picture = {"type": "string", "format": "binary"}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {part.name: {"description": part.summary, **(part.schema or picture)} for part in asked.parts},
        "required": [part.name for part in asked.parts if part.required],
        "additionalProperties": {"description": asked.others, **picture} if asked.others else False,
    }
    return {"multipart/form-data": {"schema": schema}}


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
