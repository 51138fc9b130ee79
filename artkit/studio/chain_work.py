"""The work of a chain: from what was sent to the PNG, with its networks kept for the next time."""

from __future__ import annotations

import base64
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from artkit.chain import Chain, Plan
from artkit.engine import Runner
from artkit.engine.inputs import Input
from artkit.engine.step import ProgressEvent, resize
from artkit.engine.work import DREAM_SIZE
from artkit.images import Picture, encode_picture, read_picture
from artkit.images.provenance import add_provenance
from artkit.plugins import Registry
from artkit.spec import Kind, StepEvent
from artkit.studio.answers import MAP_BYTES, RecipeInfo
from artkit.studio.chains import INPUT, class_set, describe_recipe, plan_for
from artkit.studio.jobs import Job
from artkit.studio.stopping import Stoppable
from artkit.studio.uploads import encode_indices, read_upload

KEPT = 8
"""Chains that stay ready; their networks are kept by the engine (`artkit.engine.loading.SHELF`)."""
SKETCH_SIDE = 512
SKETCH_COST = 0.1
"""A sketch is at most so many pixels wide or high, and drawing them takes at most such a share of the time."""

Encoder = Callable[[Picture], bytes]


def encode_result(picture: Picture) -> bytes:
    """Return a finished picture as a PNG, with its provenance."""
    return encode_picture(picture, ".png")


def encode_look(picture: Picture) -> bytes:
    """Return a preview as a PNG, with its provenance; larger than a finished one, in a third of the time."""
    stream = BytesIO()
    picture.to_pil().save(stream, "PNG", compress_level=1)
    return add_provenance(stream.getvalue(), picture.provenance or {})


class Runners:
    """Chains made ready, the last used ones; for the thread that computes alone."""

    def __init__(self, device: str = "auto", count: int = KEPT) -> None:
        self._device, self._count = device, count
        self._kept: OrderedDict[Hashable, Runner] = OrderedDict()

    def get(self, plan: Plan) -> Runner:
        """Return the runner of a plan; one that was made for the same chain and the same model files, if there is."""
        key = (str(plan.chain), plan.has_input, tuple(_stamps(plan)))
        runner = self._kept.pop(key, None) or self.make(plan)
        self._kept[key] = runner
        if len(self._kept) > self._count:
            self._kept.popitem(last=False)
        return runner

    def make(self, plan: Plan) -> Runner:
        """Return a runner that nobody keeps."""
        return Runner(plan, device=self._device, interruptible=True, bookmarked=False)


def _stamps(plan: Plan) -> list[Hashable]:
    return [step.file and (step.file.path, step.file.stamp) for part in plan.walk() for step in part.steps]


@dataclass
class ChainWork:
    """A chain with what it is run on: `picture` for its input, `sides` by port, encoded as they came.

    `words`, by port, become part of the chain. `names` are what the files are called, by port, the input's as INPUT.
    `indices` says that the input's levels are class indices. `size` is (width, height) of the result, at last that
    which a look was made at, which is at most `longest` pixels wide or high. `encode` makes the file; by default a PNG.
    """

    chain: Chain
    registry: Registry = field(repr=False)
    runners: Runners = field(repr=False)
    picture: bytes | None = None
    sides: dict[str, bytes] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    indices: bool = False
    seed: int = 0
    size: tuple[int, int] | None = None
    longest: int | None = None
    encode: Encoder | None = None

    def __post_init__(self) -> None:
        """Check the chain with what it is fed. Raises ArtkitError."""
        self.models: dict[str, str] = {}  # hashes by name, once they are loaded
        self.has_input = self.picture is not None
        self.fed = [*([INPUT] if self.has_input else []), *self.sides]
        self.plan = plan_for(self.chain, self.registry, {**self.sides, **self.words}, has_input=self.has_input)
        self.chain = self.plan.chain

    @property
    def nbytes(self) -> int:
        """How many bytes of pictures it holds."""
        return len(self.picture or b"") + sum(map(len, self.sides.values()))

    def drop(self) -> None:
        """Let go of the pictures."""
        self.picture, self.sides = None, {}

    def recipe(self) -> RecipeInfo:
        """Return how to make the picture again."""
        return describe_recipe(
            self.chain, self.seed, self.size, self.fed, models=self.models, plugins=self.plan.plugins()
        )

    def compute(self, job: Job) -> bytes:
        """Run the chain and return the PNG; see `Work`."""
        plan, sides = self.plan, {port: read_picture(data) for port, data in self.sides.items()}
        if sides:
            plan = plan_for(self.chain, self.registry, sides, has_input=self.has_input)
        job.tell(0.0, plan.steps[0].spec.name)
        runner = self.runners.make(plan) if sides else self.runners.get(plan)
        given = self._given(plan)
        self.size = size = self._extent(given.picture if given else None)
        watch = Watch(job, plan)
        with Stoppable(job.heed):
            self.models = runner.models
            steps = runner.run(given, seed=self.seed, size=size, on_step=watch.step, on_progress=watch.progress)
        job.steps = [{"method": step.method, **step.report} for step in steps]
        made = steps[-1].picture
        made = replace(made, provenance={**(made.provenance or {}), **self._remembered(given)})
        encode = self.encode or (encode_look if self.longest else encode_result)
        return encode(made)

    def _given(self, plan: Plan) -> Input | None:
        if self.picture is None:
            return None
        name = self.names.get(INPUT) or None
        return read_upload(self.picture, class_set(plan), indices=self.indices, name=name)

    def _remembered(self, given: Input | None) -> dict[str, Any]:
        """Return what the picture's record says besides what the engine writes there, so that it opens again here.

        `port_pictures` and `port_names`: the SHA-256 of the side pictures, and what they are called; `map`: the label
        map itself as a PNG of indices, if it is not large, and this is not for a look.
        """
        record: dict[str, Any] = {}
        if self.sides:
            record["port_pictures"] = {port: hashlib.sha256(data).hexdigest() for port, data in self.sides.items()}
            record["port_names"] = {port: self.names[port] for port in self.sides if self.names.get(port)}
        labels = given.picture if given and given.picture.kind is Kind.LABELS and self.longest is None else None
        if labels is not None and len(labels.classes or ()) <= 256:
            encoded = encode_indices(labels)
            if len(encoded) <= MAP_BYTES:
                record["map"] = base64.b64encode(encoded).decode()
        return record

    def _extent(self, picture: Picture | None) -> tuple[int, int] | None:
        """Return (width, height) to run at; None where nothing is resized."""
        width, height = self.size or ((picture.width, picture.height) if picture else DREAM_SIZE)
        if self.longest is None or self.longest >= max(width, height):
            return self.size
        scale = self.longest / max(width, height)
        return max(1, round(width * scale)), max(1, round(height * scale))


class Watch:
    """Tells a job how far its chain has come, and draws sketches now and then."""

    def __init__(self, job: Job, plan: Plan) -> None:
        self.job, self.names = job, [step.spec.name for step in plan.steps]
        self._next = 0.0

    def step(self, event: StepEvent) -> None:
        """Note that a step is done; a chain that is done is not stopped any more."""
        following = event.index + 1
        if following < len(self.names):
            self.job.tell(following / len(self.names), self.names[following])

    def progress(self, event: ProgressEvent) -> None:
        """Note how far a step has come, and what its picture would be by now."""
        now = time.monotonic()
        if event.sketch is not None and now >= self._next:
            self.job.sketch = _encode_sketch(event.sketch())
            self.job.sketches += 1
            end = time.monotonic()
            self._next = end + (end - now) / SKETCH_COST
        self.job.tell((event.index + event.share) / len(self.names), event.method)


def _encode_sketch(picture: Picture) -> bytes:
    painted = picture.painted()
    scale = SKETCH_SIDE / max(painted.size)
    if scale < 1:
        painted = resize(painted, (max(1, round(painted.width * scale)), max(1, round(painted.height * scale))))
    return encode_picture(painted, ".jpg")
