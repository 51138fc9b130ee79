"""Whether a graph gives the pictures that artkit makes: both on the same inputs, at several sizes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.errors import ModelError
from artkit.exporting.graphs import Run
from artkit.nn import Portable
from artkit.spec import Kind
from artkit.translator import Translator

SIZES = ((64, 96), (120, 88), (97, 131))
"""Heights and widths that are tried; the last is a multiple of nothing, so that padding is tried as well."""
TOLERANCE = 1e-3
"""How far apart two pictures in [0, 1] may be at any pixel, or what share of the pixels of two label maps."""
CELLS = 8


@dataclass(frozen=True)
class Trial:
    """How far graph and artkit were apart at one size: of pictures at most, of label maps the share of the pixels."""

    height: int
    width: int
    difference: float


def try_out(translator: Translator, portable: Portable, run: Run) -> list[Trial]:
    """Compare a graph with the translator it came from. Raises ModelError where they are further apart than allowed."""
    trials = [Trial(*size, _difference(translator, portable, run, size, seed)) for seed, size in enumerate(SIZES)]
    worst = max(trials, key=lambda trial: trial.difference)
    if not worst.difference <= TOLERANCE:
        raise ModelError(
            f"nothing was written: at {worst.width}x{worst.height} pixels the exported network is off by "
            f"{worst.difference:.2g}, where {TOLERANCE:g} is allowed."
        )
    return trials


def _difference(translator: Translator, portable: Portable, run: Run, size: tuple[int, int], seed: int) -> float:
    given: dict[str, Any] = {"seeds": (seed,), "size": size, "facts": ({"caption": _caption(portable, seed)},)}
    ports = make_ports(translator, size, seed)
    wanted = translator.run(ports, **given)
    try:
        with _replaced(translator, portable, run):
            made = translator.run(ports, **given)
    except RuntimeError as error:  # of onnxruntime, too
        raise ModelError(
            f"nothing was written: the exported network fails at {size[1]}x{size[0]} pixels: {error}"
        ) from error
    apart = (made != wanted).float().mean() if portable.output.kind == "labels" else (made - wanted).abs().max()
    return float(apart)


@contextmanager
def _replaced(translator: Translator, portable: Portable, run: Run) -> Iterator[None]:
    """Let the graph compute in the place of the translator's own code, under the same contract."""

    def translate(context: Any, **ports: Any) -> Tensor:
        return portable.finish(run(portable.feed(context, **ports)), context)

    translator.translate = translate
    try:
        yield
    finally:
        del translator.translate


def example_of(translator: Translator, portable: Portable) -> tuple[Tensor, ...]:
    """Return what the graph is traced with: its inputs for a picture of the first size."""
    kept: list[tuple[Tensor, ...]] = []

    def look(inputs: tuple[Tensor, ...]) -> Tensor:
        kept.append(inputs)
        with torch.no_grad():
            found: Tensor = portable.network(*inputs)
        return found

    _difference(translator, portable, look, SIZES[0], 0)
    return tuple(one.clone() for one in kept[0])  # inference tensors cannot be traced


def make_ports(translator: Translator, size: tuple[int, int], seed: int) -> dict[str, Tensor | list[Tensor] | None]:
    """Return something for each port that a model takes: soft colours with grain, and label maps in large pieces."""
    header, ports = translator.header, dict[str, Tensor | list[Tensor] | None]()
    known = header.inputs if header else {}
    for number, port in enumerate(translator.spec.inputs):
        kind = known.get(port.name, port.kind)
        generator = torch.Generator().manual_seed(100 * seed + number)
        count = len(translator.class_set) if kind is Kind.LABELS and translator.class_set else 3
        coarse = torch.rand(1, count, CELLS, CELLS, generator=generator)
        soft = F.interpolate(coarse, size, mode="bilinear")
        grain = torch.rand(1, count, *size, generator=generator)
        beside = port.any_size and not port.required  # a picture to look at, such as one of style: words do as well
        if (port.name in known or port.required) and not beside:
            made = soft.argmax(1) if kind is Kind.LABELS else (0.9 * soft + 0.1 * grain)
            ports[port.name] = [made] if port.many else made
        else:
            ports[port.name] = None
    return ports


def _caption(portable: Portable, seed: int) -> str:
    """Return a sentence of words that the network knows, of another length for each seed."""
    words: list[str] = next((field.more["words"] for field in portable.inputs if field.kind == "words"), [])
    return " ".join(words[seed :: max(len(words) // (3 + seed), 1)])
