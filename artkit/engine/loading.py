"""Loading what a step computes with: its translator, with the weights of its model."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TypeVar

import torch

from artkit.chain.plan import PlannedStep
from artkit.engine.blame import blame_file, blame_plugin
from artkit.engine.devices import PRECISIONS
from artkit.errors import ModelError
from artkit.models.building import within
from artkit.models.file import check_fit, load_into, model_hash, read_shapes
from artkit.models.opening import ModelFile, load_opened, stamp
from artkit.nn.layout import inference_format
from artkit.plugins import Registry, resolve
from artkit.translator import Translator

T = TypeVar("T")

KEPT = 16
"""How many steps' networks stay loaded after use, at most."""
KEPT_BYTES = 2**30
"""How many bytes of weights stay loaded, at most; those loaded last stay whatever they weigh."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """A translator ready to run, and the hash of the model file that its weights came from; None without weights.

    `lock` is held by whoever computes with the translator: several chains may share it, in several threads.
    """

    translator: Translator
    digest: str | None
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @cached_property
    def nbytes(self) -> int:
        """How much the weights weigh."""
        return sum(tensor.nbytes for tensor in self.translator.state_dict().values())


class Shelf:
    """Keeps what was loaded last, so that the next call of a chain finds its networks ready. Threads may share it."""

    def __init__(self, count: int = KEPT, nbytes: int = KEPT_BYTES) -> None:
        self._count, self._nbytes = count, nbytes
        self._kept: OrderedDict[Hashable, Loaded] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, load: Callable[[], Loaded]) -> Loaded:
        """Return what is kept under `key`, or what `load` returns, which is kept; what was used longest ago goes."""
        with self._lock:
            if key not in self._kept:
                self._kept[key] = load()
            self._kept.move_to_end(key)
            while len(self._kept) > 1 and self._is_full():
                self._kept.popitem(last=False)
            return self._kept[key]

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._kept.clear()

    def __len__(self) -> int:
        """Return how many are kept."""
        return len(self._kept)

    def _is_full(self) -> bool:
        return len(self._kept) > self._count or sum(loaded.nbytes for loaded in self._kept.values()) > self._nbytes


SHELF = Shelf()


def load_step(planned: PlannedStep, registry: Registry, device: torch.device, precision: str) -> Loaded:
    """Return a step's translator, loaded now or by an earlier call with the same options, model file and device.

    Raises PluginError, or ModelError naming the file.
    """
    factory = resolve(planned.spec.translator, planned.plugin)
    if not getattr(factory, "reusable", True):
        return _load(planned, registry, device, precision)
    file = planned.file
    key = (registry, planned.spec.name, repr(planned.options), file and (file.path, file.stamp), device, precision)
    return SHELF.get(key, lambda: _load(planned, registry, device, precision))


def _load(planned: PlannedStep, registry: Registry, device: torch.device, precision: str) -> Loaded:
    file = planned.file
    digest = model_hash(file.path) if file else None
    translator = load_translator(planned, registry, device, precision)
    if file and stamp(file.path) != file.stamp:
        raise ModelError(f"{file.path} changed while it was being read: run again.")
    return Loaded(translator, digest)


def load_translator(planned: PlannedStep, registry: Registry, device: torch.device, precision: str) -> Translator:
    """Build a step's translator, load its weights, and place it. Raises PluginError or ModelError."""
    factory = resolve(planned.spec.translator, planned.plugin)
    build = partial(factory, planned.options, planned.header)
    if planned.file:
        translator = _build_from(planned.file, build, registry)
    else:
        with blame_plugin(planned.spec.name, planned.plugin):
            translator = build()
    translator.eval().requires_grad_(False)
    placed = translator.to(device, PRECISIONS[precision], memory_format=inference_format(device))  # type: ignore[call-overload]
    assert isinstance(placed, Translator)
    return placed


def _build_from(file: ModelFile, build: Callable[[], Translator], registry: Registry) -> Translator:
    """Build the network that a header describes, once the file is known to hold its tensors, and load them."""
    model = load_opened(file, registry) if file.foreign else None
    shapes = {name: tuple(tensor.shape) for name, tensor in model.tensors.items()} if model else read_shapes(file.path)
    with blame_file(file.path, file.header.method), within(shapes, file.path):
        outline = _outline(build)
        if outline is not None:
            check_fit(outline, _of_its_networks(outline, shapes), file.path)
        translator = build()
    tensors = (model or load_opened(file, registry)).tensors
    load_into(translator, _of_its_networks(translator, tensors), file.path)
    return translator


def _outline(build: Callable[[], Translator]) -> Translator | None:
    """Build a translator whose tensors have shapes but no memory; None where its code wants to see their values."""
    try:
        with torch.device("meta"):
            return build()
    except (NotImplementedError, RuntimeError):
        return None


def _of_its_networks(translator: Translator, tensors: Mapping[str, T]) -> dict[str, T]:
    """Return what belongs to the networks a translator has; a model may hold others, such as discriminators."""
    networks = {name.partition(".")[0] for name in translator.state_dict()}
    return {name: tensor for name, tensor in tensors.items() if name.partition(".")[0] in networks}
