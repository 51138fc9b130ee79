"""Endpoints that say what there is: methods, models, chains, examples, and what a picture remembers."""

from __future__ import annotations

import base64
from io import BytesIO

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from artkit.images import read_provenance
from artkit.plugins import Registry
from artkit.studio.answers import ChainForm, Record, Restored, RestoredInput
from artkit.studio.chains import INPUT, chain_of_form, describe_chain, describe_recipe, read_chain
from artkit.studio.describing import describe_methods, describe_models
from artkit.studio.examples import list_examples, read_example
from artkit.studio.limits import Refusal
from artkit.studio.receiving import file_name, read_form, read_json
from artkit.studio.sending import send_json
from artkit.studio.studio import aside, nothing_here, studio_of

_PNG = b"\x89PNG\r\n\x1a\n"


async def get_methods(request: Request) -> Response:
    """Answer the methods."""
    studio = studio_of(request)
    return send_json(await aside(lambda: describe_methods(studio.registry)))


async def get_models(request: Request) -> Response:
    """Answer the models on this machine."""
    studio = studio_of(request)
    return send_json(await aside(lambda: describe_models(studio.registry)))


async def post_chain(request: Request) -> Response:
    """Answer a chain, checked, as text and as steps."""
    studio = studio_of(request)
    form = await read_json(request, ChainForm, studio.limits)
    return send_json(await aside(lambda: describe_chain(chain_of_form(form, studio.registry), studio.registry)))


async def get_examples(request: Request) -> Response:
    """Answer the examples."""
    return send_json(await aside(list_examples))


async def get_example(request: Request) -> Response:
    """Answer an example's picture."""
    found = await aside(lambda: read_example(request.path_params["name"]))
    if found is None:
        raise nothing_here()
    return Response(found[0], media_type=found[1])


async def post_restore(request: Request) -> Response:
    """Answer how a picture was made."""
    studio = studio_of(request)
    form = await read_form(request, studio.limits)
    form.refuse_unknown(set(), {"picture"})
    if "picture" not in form.files:
        raise Refusal(422, "Send the picture: -F picture=@art.png")
    return send_json(await aside(lambda: restore(form.files["picture"], studio.registry)))


def restore(picture: bytes, registry: Registry) -> Restored:
    """Return what a PNG that artkit wrote remembers of its making. Raises Refusal, or ChainError for its chain."""
    found = read_provenance(BytesIO(picture))
    if found is None:
        raise Refusal(422, "This picture carries no recipe: only PNGs that artkit wrote do.")
    try:
        record = msgspec.convert(found, Record)
        msgspec.json.encode(record)  # where its text is none that can be answered
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise Refusal(422, f"The recipe in this picture cannot be read: {str(error)[:200]}.") from None
    inputs = _inputs(record)
    made_with = {"models": record.models, "plugins": record.plugins}
    recipe = describe_recipe(read_chain(record.chain, registry), record.seed, record.size, inputs, **made_with)
    return Restored(
        chain=recipe.chain,
        seed=recipe.seed,
        size=recipe.size,
        version=record.version,
        models=record.models,
        inputs=inputs,
        stopped_at=record.stopped_at,
        recipe=recipe,
    )


def _inputs(record: Record) -> dict[str, RestoredInput]:
    """Return what a picture was made of, by port, the chain's input as INPUT and first."""
    names = record.ports | record.port_names
    ports = {
        port: RestoredInput(record.port_pictures.get(port), file_name(names.get(port)) or None)
        for port in dict.fromkeys([*record.port_pictures, *names])
    }
    if not (record.input or record.input_hash or record.map):
        return ports
    return {INPUT: RestoredInput(record.input_hash, file_name(record.input) or None, _map_url(record.map))} | ports


def _map_url(text: str | None) -> str | None:
    """Return a label map that travelled in a record as a data URL, once it is known to be a PNG at least."""
    try:
        data = base64.b64decode(text or "", validate=True)
    except ValueError:
        return None
    return f"data:image/png;base64,{text}" if data.startswith(_PNG) else None
