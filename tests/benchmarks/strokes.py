"""How fast are strokes? `python tests/benchmarks/strokes.py` prints tables; nothing is asserted.

A field of stroke noise, by a plain loop that lays each stroke's neighbourhood over all cells, as artkit did before, and
by artkit. And pictures of a folder, which share their noise: seconds a picture of whole chains with that loop for each
picture, with noise drawn for each picture, and with the noise kept; all of it in turns, the least of `RUNS`. Seconds
are the processor's, so that other work on the machine counts little; `OMP_NUM_THREADS=1` keeps threads from waiting.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from unittest import mock

import torch
from torch import Tensor

from artkit.nn import noise, strokes as plain
from artkit.nn.strokes import LAYERS, Layer, Raster, Strokes

EXAMPLE = Path(__file__).parents[2] / "examples" / "semantic.png"
CHAINS = (("cyclegan", (512, 512)), ("semgan,pix2pix,touchup", (512, 384)))
RUNS = 3
BAND = 2**16


def neighbours(layer: Layer) -> list[tuple[int, int]]:
    """Return the cell offsets whose strokes can reach a pixel."""
    span = range(-layer.margin, layer.margin + 1)
    gaps = {step: math.hypot(*(max(abs(side) - 1, 0) * layer.cell for side in step)) for step in product(span, span)}
    return [step for step, gap in gaps.items() if gap < layer.reach]


def rasterise(strokes: Strokes, theta: Tensor, density: Tensor | None = None, size: Tensor | None = None) -> Raster:
    """Rasterise by trying all strokes of all cells around each cell at each of its pixels."""
    layer, cell, margin = strokes.layer, strokes.layer.cell, strokes.layer.margin
    present = strokes.chance < (layer.density if density is None else density)
    rank = torch.where(present, strokes.rank, -1).float()
    brush = plain._brush(strokes, theta, size)
    rows, columns = (side - 2 * margin for side in rank.shape)
    inner = torch.arange(cell, dtype=torch.float32)
    inner_y, inner_x = inner.view(-1, 1, 1, 1), inner.view(1, -1, 1, 1)
    best = torch.full((cell, cell, rows, columns), -1.0)
    band = max(BAND // (cell * cell * columns), 1)
    for start, (dy, dx) in product(range(0, rows, band), neighbours(layer)):
        top = best[:, :, start : start + band]
        first = start + margin + dy
        window = (slice(first, first + top.shape[2]), slice(margin + dx, margin + dx + columns))
        along, across = plain._local(brush[(slice(None), *window)], inner_y - dy * cell, inner_x - dx * cell)
        inside = along.square_().square_().add_(across.square_()) < 1
        torch.maximum(top, torch.where(inside, rank[window], -1.0), out=top)
    best = best.permute(2, 0, 3, 1).reshape(rows * cell, columns * cell)[: strokes.height, : strokes.breadth].long()
    return plain._raster(best, strokes, brush)


def seconds(call: Callable[[], object]) -> float:
    """Return the processor time of one call."""
    start = time.process_time()
    call()
    return time.process_time() - start


def plainly(call: Callable[[], object]) -> object:
    """Call with the plain rasteriser, all noise forgotten."""
    with mock.patch.object(noise, "rasterise", rasterise):
        return anew(call)


def anew(call: Callable[[], object]) -> object:
    """Call with all noise forgotten."""
    noise._KEPT = noise.TensorCache(noise._KEPT.limit)
    return call()


def compare(call: Callable[[], object]) -> str:
    """Return the least seconds of a call in the three ways, taken in turns."""
    ways = (("plain", lambda: plainly(call)), ("drawn", lambda: anew(call)), ("kept", call))
    rounds = [[seconds(way) for _, way in ways] for _ in range(RUNS)]
    least = [min(times) for times in zip(*rounds, strict=True)]
    each = [f"{name} {taken:.3f} s ({least[0] / taken:.2f}x)" for (name, _), taken in zip(ways, least, strict=True)]
    return ", ".join(each)


def main() -> None:
    """Print the tables."""
    from artkit.chain import Chain, plan_chain
    from artkit.engine import Runner
    from artkit.images import read_picture
    from artkit.plugins import current_registry

    layers = (*LAYERS, Layer(cell=4, length=12, width=4.2, density=0.9))
    for side in (256, 512):
        draw = partial(noise.stroke_noise, side, side, 1, layers, centres=True)
        print(f"noise {side}x{side}: {compare(draw)}", flush=True)
    picture = read_picture(EXAMPLE)
    for chain, size in CHAINS:
        runner = Runner(plan_chain(Chain(chain), current_registry(), has_input=True))
        run = partial(runner.run, picture, size=size)
        print(f"{chain} {size[0]}x{size[1]}: {compare(run)}", flush=True)


if __name__ == "__main__":
    main()
