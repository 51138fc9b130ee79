"""The table of all that the studio answers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from artkit.studio import about, making, page
from artkit.studio.answers import (
    Accepted,
    ChainForm,
    ChainInfo,
    DreamForm,
    ExampleInfo,
    JobInfo,
    MethodInfo,
    ModelInfo,
    Restored,
)
from artkit.studio.endpoints import Asked, Endpoint, Part
from artkit.studio.openapi import make_openapi
from artkit.studio.sending import send_json

PNG, JPEG, EVENTS, HTML = "image/png", "image/jpeg", "text/event-stream", "text/html"
_TEXT = {"type": "string"}

RUN = Asked(
    parts=(
        Part("chain", "the chain's text, as `artkit run --chain` takes it", _TEXT, required=True),
        Part("seed", "the random seed", {"type": "integer", "minimum": 0, "default": 0}),
        Part("size", "`WxH` of the result in pixels", {"type": "string", "pattern": "^[1-9][0-9]*x[1-9][0-9]*$"}),
        Part("longest", "for a look: at most so many pixels wide or high", {"type": "integer", "minimum": 1}),
        Part("client", "who asks, such as a tab: 1 to 64 letters, digits, `-` and `_`", _TEXT),
        Part("supersedes", "takes the place of the client's last preview", {"type": "string", "enum": ["preview"]}),
        Part("labels", "the input's levels are class indices", {"type": "string", "enum": ["index"]}),
        Part("input", "the chain's input"),
    ),
    others="A picture for the port of that name; a field with words for one that takes words.",
)
RESTORE = Asked((Part("picture", "a PNG that artkit wrote", required=True),))


async def get_openapi(request: Request) -> Response:
    """Answer this table as OpenAPI."""
    return send_json(openapi())


ENDPOINTS = (
    Endpoint("GET", "/", page.get_index, "The page.", {200: HTML}),
    Endpoint("GET", "/page/{file:path}", page.get_file, "A file of the page.", {200: "*/*"}, refusals=(404,)),
    Endpoint("GET", "/api/methods", about.get_methods, "The methods, with their options.", {200: list[MethodInfo]}),
    Endpoint("GET", "/api/models", about.get_models, "The models on this machine.", {200: list[ModelInfo]}),
    Endpoint(
        "POST", "/api/chain", about.post_chain, "Check a chain: text to steps, and steps to text.",
        {200: ChainInfo}, asks=ChainForm, refusals=(408, 413, 422),
    ),
    Endpoint(
        "POST", "/api/run", making.post_run, "Run a chain: answers a job, or the picture where PNG is accepted.",
        {202: Accepted, 200: PNG}, asks=RUN, refusals=(400, 408, 409, 413, 415, 422, 429),
    ),
    Endpoint("GET", "/api/jobs/{id}", making.get_job, "How a job stands.", {200: JobInfo}, refusals=(404,)),
    Endpoint(
        "DELETE", "/api/jobs/{id}", making.delete_job, "Cancel a job; what there is to show is kept.",
        {200: JobInfo}, refusals=(404,),
    ),
    Endpoint(
        "GET", "/api/jobs/{id}/events", making.get_events,
        "A job's events as they come: progress, sketch, and in the end done, failed or cancelled.",
        {200: EVENTS}, refusals=(404, 429),
    ),
    Endpoint("GET", "/api/jobs/{id}/picture", making.get_picture, "The result.", {200: PNG}, refusals=(404,)),
    Endpoint(
        "GET", "/api/jobs/{id}/sketch", making.get_sketch, "What the result would be by now.",
        {200: JPEG}, refusals=(404,), query={"n": "the sketch's number, so that each has an address of its own"},
    ),
    Endpoint(
        "GET", "/api/jobs/{id}/recipe.toml", making.get_recipe, "The recipe, as `artkit run --recipe` reads it.",
        {200: "application/toml"}, refusals=(404,),
    ),
    Endpoint(
        "POST", "/api/restore", about.post_restore, "What a picture remembers of its making.",
        {200: Restored}, asks=RESTORE, refusals=(400, 408, 413, 415, 422),
    ),
    Endpoint(
        "POST", "/api/dream", making.post_dream, "Dream a label map: a grey PNG whose levels are class indices.",
        {200: PNG}, asks=DreamForm, refusals=(408, 409, 413, 422, 429),
    ),
    Endpoint("GET", "/api/examples", about.get_examples, "Pictures to begin with.", {200: list[ExampleInfo]}),
    Endpoint(
        "GET", "/api/examples/{name}", about.get_example, "One of them.", {200: (PNG, JPEG)}, refusals=(404,)
    ),
    Endpoint("GET", "/api/openapi.json", get_openapi, "This description.", {200: dict[str, Any]}),
)  # fmt: skip


def openapi() -> dict[str, Any]:
    """Return the table as an OpenAPI document."""
    return make_openapi(ENDPOINTS)
