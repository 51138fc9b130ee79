"""Endpoints that make pictures: runs, dreams, and the jobs that they are."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from artkit.chain.arguments import parse_size
from artkit.images.decoding import max_pixels
from artkit.spec import Kind
from artkit.studio.answers import Accepted, DreamForm
from artkit.studio.chain_work import ChainWork
from artkit.studio.chains import INPUT, class_set, ports_for_words, read_chain
from artkit.studio.jobs import Job, State
from artkit.studio.limits import Refusal
from artkit.studio.receiving import Form, read_form, read_json
from artkit.studio.scenes import WorldWork, default_dreamer, find_world
from artkit.studio.sending import send_json, send_png
from artkit.studio.studio import Studio, aside, nothing_here, studio_of
from artkit.studio.uploads import check_picture, encode_indices
from artkit.studio.watching import describe_job, events, wait_for

CLIENT = re.compile(r"[A-Za-z0-9_-]{1,64}")
FIELDS = {"chain", "seed", "size", "longest", "client", "supersedes", "labels"}
_SEED = re.compile(r"[0-9]{1,18}|[0-8][0-9]{18}")  # what fits into 63 bits, and nearly all of that
_SIZE = re.compile(r"[1-9][0-9]{0,4}[xX][1-9][0-9]{0,4}")
_SIDE = re.compile(r"[1-9][0-9]{0,4}")


async def post_run(request: Request) -> Response:
    """Take a run on; answer its job, or wait and answer its picture where PNG is asked for."""
    studio = studio_of(request)
    turn = studio.desk.draw_turn()  # before anything that another request may overtake
    form = await read_form(request, studio.limits)
    preview = _choice(form, "supersedes", "preview")
    work = await aside(lambda: _chain_work(form, studio))
    job = Job(work, _client(form.fields.get("client"), request), preview, turn)
    studio.desk.submit(job)
    if "image/png" in request.headers.get("accept", ""):
        return await _picture_of(job, studio, request)
    return send_json(Accepted(job.id, f"/api/jobs/{job.id}/events"), 202)


def _chain_work(form: Form, studio: Studio) -> ChainWork:
    """Return what a form asks for. Raises Refusal or ArtkitError."""
    if "chain" not in form.fields:
        raise Refusal(422, "Say what to do: -F chain=semgan,pix2pix")
    chain = read_chain(form.fields["chain"], studio.registry)
    words = ports_for_words(chain, studio.registry) - FIELDS
    form.refuse_unknown(FIELDS | words)
    for name in words & form.files.keys():
        raise Refusal(422, f"The port '{name}' takes words, not a file: -F {name}='...'")
    for name, data in form.files.items():
        check_picture(data, f"The picture '{name[:40]}'")
    sides = {name: data for name, data in form.files.items() if name != INPUT}
    return ChainWork(
        chain,
        studio.registry,
        studio.runners,
        picture=form.files.get(INPUT),
        sides=sides,
        words={name: text for name, text in form.fields.items() if name in words},
        names=form.names,
        indices=_choice(form, "labels", "index"),
        seed=int(_field(form, "seed", _SEED, "a whole number from 0 up") or 0),
        size=_extent(_field(form, "size", _SIZE, "width x height in pixels, as in 512x384")),
        longest=int(_field(form, "longest", _SIDE, "a number of pixels") or 0) or None,
    )


def _choice(form: Form, name: str, word: str) -> bool:
    """Return whether a field that knows one word says it. Raises Refusal for another word."""
    if form.fields.get(name, "") not in ("", word):
        raise Refusal(422, f"{name} may be '{word}', or be left out.")
    return bool(form.fields.get(name))


def _field(form: Form, name: str, pattern: re.Pattern[str], what: str) -> str | None:
    text = form.fields.get(name, "").strip()
    if text and not pattern.fullmatch(text):
        raise Refusal(422, f"{name} is {what}, not '{text[:40]}'.")
    return text or None


def _extent(text: str | None) -> tuple[int, int] | None:
    """Return (width, height) of `WxH`. Raises Refusal for more pixels than artkit makes."""
    size = None if text is None else parse_size(text)
    if not isinstance(size, tuple):
        return None
    if size[0] * size[1] > max_pixels():
        raise Refusal(422, f"{text} are more pixels than the {max_pixels():,} that this studio makes.")
    return size


def _client(given: str | None, request: Request) -> str:
    """Return who asks: the id that a tab gave itself, or else the machine."""
    if given and not CLIENT.fullmatch(given):
        raise Refusal(422, "client is 1 to 64 letters, digits, '-' and '_'.")
    return given or f"at {request.client.host if request.client else 'unknown'}"


async def _picture_of(job: Job, studio: Studio, request: Request) -> Response:
    """Wait for a job and answer its picture. Raises Refusal where there is none."""
    await wait_for(job, studio.desk, request)
    if job.state is State.FAILED:
        raise Refusal(500 if job.fault else 422, job.error or "The picture could not be made.")
    if job.picture is None:
        raise Refusal(409, "The picture was cancelled, or a newer one took its place.")
    return send_png(job.picture)


async def post_dream(request: Request) -> Response:
    """Answer a label map, dreamt by a chain or made by a dataset, as a PNG of class indices."""
    studio = studio_of(request)
    form = await read_json(request, DreamForm, studio.limits)
    if form.chain and form.source:
        raise Refusal(422, "A map comes from a chain, or from a dataset: say one of the two.")
    work = await aside(lambda: _dream_work(form, studio))
    job = Job(work, _client(form.client, request))
    studio.desk.submit(job)
    answer = await _picture_of(job, studio, request)
    classes = work.classes if isinstance(work, WorldWork) else _class_set_name(work)
    answer.headers["X-Artkit-Classes"] = quote(classes)
    return answer


def _dream_work(form: DreamForm, studio: Studio) -> ChainWork | WorldWork:
    if form.size and not _SIZE.fullmatch(form.size):
        raise Refusal(422, "size is width x height in pixels, as in 512x384.")
    size = _extent(form.size)
    if form.source:
        return WorldWork(find_world(form.source, studio.registry), studio.registry, form.seed, size)
    chain = read_chain(form.chain, studio.registry) if form.chain else default_dreamer(studio.registry)
    work = ChainWork(chain, studio.registry, studio.runners, seed=form.seed, size=size, encode=encode_indices)
    if work.plan.output is not Kind.LABELS:
        raise Refusal(422, f"{chain} dreams no label maps.")
    return work


def _class_set_name(work: ChainWork) -> str:
    found = class_set(work.plan)
    return found.name if found else ""


async def get_job(request: Request) -> Response:
    """Answer how a job stands."""
    studio = studio_of(request)
    return send_json(describe_job(studio.find(request.path_params["id"]), studio.desk))


async def delete_job(request: Request) -> Response:
    """Cancel a job, keeping what there is, and answer how it stands; a second time nothing is kept."""
    studio = studio_of(request)
    job = studio.find(request.path_params["id"])
    studio.desk.cancel(job)
    return send_json(describe_job(job, studio.desk))


async def get_picture(request: Request) -> Response:
    """Answer what a job made."""
    picture = studio_of(request).find(request.path_params["id"]).picture
    if picture is None:
        raise nothing_here()
    return send_png(picture)


async def get_sketch(request: Request) -> Response:
    """Answer what a running job's picture would be by now."""
    sketch = studio_of(request).find(request.path_params["id"]).sketch
    if sketch is None:
        raise nothing_here()
    return Response(sketch, media_type="image/jpeg")


async def get_recipe(request: Request) -> Response:
    """Answer a job's recipe, as `artkit run --recipe` reads it."""
    toml = studio_of(request).find(request.path_params["id"]).work.recipe().toml
    headers = {"Content-Disposition": 'attachment; filename="recipe.toml"'}
    return Response(toml, media_type="application/toml", headers=headers)


async def get_events(request: Request) -> Response:
    """Answer a job's events as they come."""
    studio = studio_of(request)
    job = studio.find(request.path_params["id"])
    if studio.watchers >= studio.limits.watchers:
        raise Refusal(429, "Too many watch the studio's jobs: ask for the job itself now and then.")
    return StreamingResponse(_counted(job, studio), media_type="text/event-stream")


async def _counted(job: Job, studio: Studio) -> AsyncIterator[bytes]:
    studio.watchers += 1
    try:
        async for event in events(job, studio.desk):
            yield event
    finally:
        studio.watchers -= 1
