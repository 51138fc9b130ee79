"""The OpenAPI document covers every route, and what the studio really answers is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from artkit.studio.answers import Failure
from artkit.studio.endpoints import Asked
from artkit.studio.routes import ENDPOINTS, openapi
from studio_kit import grey, open_studio, wait_for_end

DOCUMENT = openapi()


@pytest.fixture(scope="module")
def visitor():
    with open_studio() as visitor:
        yield visitor


def operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (method.upper(), path): operation
        for path, item in DOCUMENT["paths"].items()
        for method, operation in item.items()
    }


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (text for name, text in value.items() if name == "$ref")
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_every_route_is_described_and_no_other(visitor):
    routes = {(method, re.sub(r":\w+", "", route.path)) for route in app_of(visitor).routes for method in route.methods}
    assert {(method, path) for method, path in routes if method != "HEAD"} == set(operations())


def app_of(visitor) -> Any:
    from artkit.studio.app import make_app

    return make_app(visitor.studio).app


def test_the_document_is_served_and_whole(visitor):
    assert visitor.get("/api/openapi.json").json() == json.loads(msgspec.json.encode(DOCUMENT))
    names = [text.removeprefix("#/components/schemas/") for text in references(DOCUMENT)]
    assert set(names) == set(DOCUMENT["components"]["schemas"])
    assert len({operation["operationId"] for operation in operations().values()}) == len(ENDPOINTS)


def test_parameters_and_bodies_are_described():
    for endpoint in ENDPOINTS:
        path = re.sub(r":\w+", "", endpoint.path)
        operation = operations()[endpoint.method, path]
        in_path = {one["name"] for one in operation["parameters"] if one["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert ("requestBody" in operation) == (endpoint.method == "POST")
        assert {"200", "202"} & operation["responses"].keys()
    form = operations()["POST", "/api/run"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["required"] == ["chain"]
    assert form["properties"]["input"]["format"] == "binary"


def test_the_form_of_a_run_is_the_one_that_is_read():
    from artkit.studio.making import FIELDS

    (run,) = (endpoint for endpoint in ENDPOINTS if endpoint.path == "/api/run")
    assert isinstance(run.asks, Asked)
    assert {part.name for part in run.asks.parts if part.schema is not None} == FIELDS


def asked(visitor) -> dict[str, list[Any]]:
    """Return real answers of every endpoint, right and wrong ones."""
    job = visitor.job("invert", grey(200))
    wait_for_end(job)
    place = f"/api/jobs/{job.id}"
    png = visitor.get(f"{place}/picture").content
    ask = visitor.post
    return {
        "GET /": [visitor.get("/")],
        "GET /page/{file:path}": [visitor.get("/page/index.html"), visitor.get("/page/no.js")],
        "GET /api/methods": [visitor.get("/api/methods")],
        "GET /api/models": [visitor.get("/api/models")],
        "POST /api/chain": [
            ask("/api/chain", json={"text": "semgan,pix2pix"}),
            ask("/api/chain", json={"text": "nst(style=[can])"}),
            ask("/api/chain", json={"text": "no"}),
            ask("/api/chain", content=b"x" * 2**17),
        ],
        "POST /api/run": [
            visitor.run("invert", grey(1)),
            visitor.run("invert", grey(1), png=True),
            visitor.run("invert"),
            ask("/api/run"),
            ask("/api/run", content=b"--", headers={"Content-Type": "multipart/form-data; boundary=x"}),
        ],
        "GET /api/jobs/{id}": [visitor.get(place), visitor.get("/api/jobs/no")],
        "DELETE /api/jobs/{id}": [visitor.delete(place), visitor.delete("/api/jobs/no")],
        "GET /api/jobs/{id}/events": [visitor.get(f"{place}/events"), visitor.get("/api/jobs/no/events")],
        "GET /api/jobs/{id}/picture": [visitor.get(f"{place}/picture"), visitor.get("/api/jobs/no/picture")],
        "GET /api/jobs/{id}/sketch": [visitor.get(f"{place}/sketch")],
        "GET /api/jobs/{id}/recipe.toml": [visitor.get(f"{place}/recipe.toml")],
        "POST /api/restore": [
            ask("/api/restore", files={"picture": png}),
            ask("/api/restore", files={"picture": grey(1)}),
        ],
        "POST /api/dream": [
            ask("/api/dream", json={"seed": 1, "size": "32x32"}),
            ask("/api/dream", json={"from": "atelier", "seed": 1, "size": "32x24"}),
            ask("/api/dream", json={"chain": "can"}),
        ],
        "GET /api/examples": [visitor.get("/api/examples")],
        "GET /api/examples/{name}": [visitor.get("/api/examples/lake"), visitor.get("/api/examples/no")],
        "GET /api/openapi.json": [visitor.get("/api/openapi.json")],
    }


def test_real_answers_are_those_that_are_described(visitor):
    answers = asked(visitor)
    assert set(answers) == {f"{endpoint.method} {endpoint.path}" for endpoint in ENDPOINTS}
    for endpoint in ENDPOINTS:
        described = operations()[endpoint.method, re.sub(r":\w+", "", endpoint.path)]["responses"]
        for answer in answers[f"{endpoint.method} {endpoint.path}"]:
            status = answer.status_code
            assert str(status) in described, f"{endpoint.path} answered {status}: {answer.text}"
            declared = endpoint.answers.get(status, Failure)
            if isinstance(declared, str | tuple):
                media = answer.headers["content-type"].partition(";")[0]
                assert media in declared or declared == "*/*"
            else:
                value = msgspec.json.decode(answer.content, type=declared)
                assert json.loads(msgspec.json.encode(value)) == answer.json()


def test_dreams_are_maps_of_indices(visitor):
    from studio_kit import pixels_of

    for body in ({"seed": 1, "size": "32x24"}, {"from": "atelier", "seed": 1, "size": "32x24"}):
        answer = visitor.post("/api/dream", json=body)
        levels = pixels_of(answer.content)
        assert levels.shape == (24, 32)
        assert levels.max() < 12
        assert len(set(levels.ravel())) > 2
        assert answer.headers["x-artkit-classes"] == "landscapes"
        assert visitor.run("pix2pix", answer.content, png=True, labels="index").status_code == 200
        assert visitor.post("/api/dream", json=body).content == answer.content
        assert visitor.post("/api/dream", json=body | {"seed": 2}).content != answer.content
    for body in ({"from": "nowhere"}, {"from": "atelier", "chain": "semgan"}, {"size": "0x3"}, {"size": "90000x90000"}):
        assert visitor.post("/api/dream", json=body).status_code == 422


def test_examples_are_what_they_say(visitor):
    from studio_kit import pixels_of

    examples = visitor.get("/api/examples").json()
    assert {one["kind"] for one in examples} == {"image", "labels"}
    for one in examples:
        answer = visitor.get(one["url"])
        assert pixels_of(answer.content).size
        if one["kind"] == "labels":
            assert one["classes"] == "landscapes"
            assert visitor.run("pix2pix", answer.content, png=True, longest=32).status_code == 200


def test_a_method_that_there_is_not_is_answered_with_those_that_there_are(visitor):
    answer = visitor.put("/api/jobs/no")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD")
    assert answer.json() == {"error": "Method Not Allowed"}
