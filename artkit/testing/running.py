"""Checks that run a method: sizes, repetition, batches, and what it may not touch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain, Step
from artkit.engine.runner import load_translator
from artkit.nn import fix_tiles
from artkit.plugins import Registry
from artkit.spec import Kind, Tiling
from artkit.translator import Translator

SIZES = ((1, 1), (1, 7), (16, 16), (17, 33), (40, 24))
TILE = 8
TOLERANCE = 1e-4
MANY_CLASSES = 1000
"""Classes in maps that a method only carries: so many that a mixture of two is hardly ever a third of the map."""

Size = tuple[int, int]


def check_method(
    name: str,
    registry: Registry,
    *,
    model: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    sizes: Sequence[Size] = SIZES,
) -> None:
    """Run a registered method, with its default model or `model`, and raise AssertionError listing every fault.

    Checked for every (height, width) of `sizes`: the output has the size that `output_size` promises, the kind and the
    range; the same call gives the same bits; inputs stay as they were; a batch of two equals two batches of one, within
    1e-4, and so does a picture computed in small tiles. A method that says `tiling="exact"` has to use
    `artkit.nn.in_tiles`. A method that takes any picture is run on an image, a label map and a mask, and invents no
    class.
    """
    step = Step(name, dict(options or {}) | ({} if model is None else {"model": str(model)}))
    spec = registry.method(name)
    others = {port.name: ... for port in spec.inputs[1:] if port.required}
    planned = plan_chain(Chain([step]), registry, has_input=not spec.is_source, ports=others).steps[0]
    translator = load_translator(planned, torch.device("cpu"), "fp32")
    kinds = {port.name: planned.port_kind(port.name) for port in spec.inputs}
    classes = len(planned.header.classes) if planned.header and planned.header.classes else 2
    variants = [kinds]
    if planned.carries:
        classes = MANY_CLASSES
        variants = [kinds | {spec.inputs[0].name: kind} for kind in (Kind.IMAGE, Kind.LABELS, Kind.MASK)]
    faults = [f for variant in variants for size in sizes for f in _faults(translator, variant, classes, size)]
    faults += _tile_faults(translator, kinds, classes, max(sizes))
    assert not faults, "\n".join([f"{name} breaks the contract:", *faults])


def _faults(translator: Translator, kinds: dict[str, Kind], classes: int, size: Size) -> Iterator[str]:
    ports = {name: _example(kind, classes, size) for name, kind in kinds.items()}
    before = {name: value.clone() for name, value in ports.items() if isinstance(value, Tensor)}
    both = translator.run(ports, seeds=(3, 4), size=size)
    where = f"{', '.join(kinds.values())} at {size[0]}x{size[1]}"
    if tuple(both.shape[-2:]) != translator.output_size(*size):
        yield f"{where}: the output is {tuple(both.shape[-2:])}"
    if any(not torch.equal(value, before[name]) for name, value in ports.items() if isinstance(value, Tensor)):
        yield f"{where}: an input was changed"
    if not torch.equal(both, translator.run(ports, seeds=(3, 4), size=size)):
        yield f"{where}: the same call gave other bits"
    for index, seed in enumerate((3, 4)):
        alone = translator.run(
            {name: value[index : index + 1] for name, value in ports.items()}, seeds=(seed,), size=size
        )
        if not _alike(alone[0], both[index]):
            yield f"{where}: picture {index} depends on the rest of its batch"
    if translator.spec.output is Kind.PICTURE and _invented(both, next(iter(ports.values()))):
        yield f"{where}: it makes classes that were not in the map"


def _tile_faults(translator: Translator, kinds: dict[str, Kind], classes: int, size: Size) -> Iterator[str]:
    """Compare a picture that is computed in tiles with the whole."""
    ports = {name: _example(kind, classes, size) for name, kind in kinds.items()}
    whole = translator.run(ports, seeds=(3, 4), size=size)
    with fix_tiles(TILE) as limits:
        tiled = translator.run(ports, seeds=(3, 4), size=size)
    if not _alike(tiled, whole):
        yield "in tiles it makes another picture: a halo or a multiple is too small (artkit.nn.in_tiles)"
    if translator.spec.tiling is Tiling.EXACT and not limits.asked:
        yield "it says tiling=exact, but computes every picture as a whole: use artkit.nn.in_tiles"


def _alike(one: Tensor, other: Tensor) -> bool:
    """Equal within the tolerance; label maps may differ where rounding tips a tie."""
    if one.is_floating_point():
        return torch.allclose(one, other, atol=TOLERANCE)
    return float((one != other).float().mean()) <= 0.001


def _invented(output: Tensor, source: Any) -> bool:
    return not output.is_floating_point() and not bool(torch.isin(output, source).all())


def _example(kind: Kind, classes: int, size: Size) -> Tensor | tuple[str, ...]:
    generator = torch.Generator().manual_seed(0)
    if kind is Kind.TEXT:
        return ("a lake", "a hill")
    if kind is Kind.LABELS:
        return torch.randint(classes, (2, *size), generator=generator)
    return torch.rand(2, 3 if kind is Kind.IMAGE else 1, *size, generator=generator)
