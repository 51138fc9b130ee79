"""How near does igan come, and does it do as strokes say? `python tests/benchmarks/igan.py [MODEL] [VIEWS]`.

MODEL is a model's name or file, the default model if left out. On VIEWS landscapes that no model was trained on, 40 if
left out, at the generator's own size. Printed:

- projection: mean absolute error of what is found for a photo, and of its averages over 8 x 8 pixels, in [0, 1]; of the
  encoder's guess, of a search from the mean picture, and of a search from the guess, with as many steps and the seconds
  that a photo took (Zhu et al. 2016 compare these three). The bar is linear: principal components of `LEARNED` other
  views, as many as the code has numbers. Who is above it projects worse than no network at all;
- strokes: two broad strokes a view, each in the colour that another view has there. Obedience is how much of the way to
  their colour the places below went: 0 is not at all, 1 all of it. Error: mean absolute change of the photo outside of
  the strokes, and from `reach` on, where it is to be 0 with transfer. Beside it the strokes as they were painted, and
  seconds;
- realism: the patch distance (sliced Wasserstein, artkit.metrics) to as many other real views, in thousandths. That of
  the photos themselves is the floor. It sees texture and colour, not sense: strokes as painted, in colours of real
  views, come near the floor. So it tells what an edit loses, and not that an edit is more real than its strokes.

Seconds are those of this machine and of OMP_NUM_THREADS; a busy machine tells nothing.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Chain
from artkit.data import open_dataset
from artkit.images import Picture, read_picture
from artkit.metrics import patch_distance
from artkit.models import read_header
from artkit.models.store import find_model
from artkit.nn import read_arguments
from artkit.plugins import current_registry
from artkit_igan.fitting import fit_components
from artkit_igan.networks import IganArguments, NetworksArguments
from artkit_igan.transfer import nearness

LEARNED, STEPS, REACH = 1500, (5, 25, 100), 0.25
HELD_OUT = "landscapes(count={},seed={},size=[{},{}],lights=any,drawn=0.1)"


@dataclass(frozen=True)
class Strokes:
    """Strokes over a view: colours 3SS and where they are, 1SS."""

    colours: Tensor
    mask: Tensor

    def picture(self) -> Picture:
        """Return them as a picture that is transparent elsewhere."""
        return Picture(self.colours[None], alpha=self.mask[None])


def read_views(count: int, side: int, seed: int) -> Tensor:
    """Return views, N3SS in [0, 1]."""
    data = open_dataset(HELD_OUT.format(2 * count, seed, side, side))
    found = [torch.as_tensor(data.load(index, ["photo"])["photo"]) for index in range(count)]
    return torch.stack(found).float() / 255


def arguments_of(model: str) -> NetworksArguments:
    """Return what a model's header says of its networks."""
    registry = current_registry()
    path = find_model("igan", model or None, registry, registry.method("igan").default_model)
    return read_arguments(read_header(path), IganArguments).networks


def errors(found: Tensor, views: Tensor) -> tuple[float, float]:
    """Return the mean absolute error, and that of averages over 8 x 8 pixels."""
    away = found - views
    return float(away.abs().mean()), float(F.avg_pool2d(away, 8).abs().mean())


def linear_bar(views: Tensor, learned: Tensor, latent: int) -> Tensor:
    """Return the best linear projection of views onto components of other ones."""
    networks = NetworksArguments(latent=latent, side=views.shape[-1], width=4)
    generator, encoder = networks.build(), networks.build_encoder()
    fit_components(encoder, generator, learned * 2 - 1)  # convolutions add nothing yet
    return ((generator(encoder(views * 2 - 1)[0]) + 1) / 2).clamp(0, 1)


def run(options: str, views: Tensor, strokes: list[Strokes] | None = None) -> tuple[Tensor, float]:
    """Run an igan step on views, one by one; return what it makes and the median of the seconds."""
    chain, made, seconds = Chain(f"igan({options})"), [], []
    for index, view in enumerate(views):
        ports = {} if strokes is None else {"edit": strokes[index].picture()}
        before = time.perf_counter()
        made.append(chain(read_picture(view), **ports).tensor[0])
        seconds.append(time.perf_counter() - before)
    return torch.stack(made), float(np.median(seconds))


def score_projection(asked: str, views: Tensor, learned: Tensor, latent: int) -> None:
    """Print a line a way."""
    bar, low = errors(linear_bar(views, learned, latent), views)
    print(f"projection, {latent} components (the bar): MAE {bar:.4f}, of 8 x 8 averages {low:.4f}", flush=True)
    ways = [("encoder", 0), *((way, steps) for steps in STEPS for way in ("optimisation", "hybrid"))]
    for way, steps in ways:
        made, seconds = run(f"{asked}projection={way},steps={steps}", views)
        error, low = errors(made, views)
        what = f"{way}, {steps} steps" if steps else way
        print(f"projection, {what}: {seconds:.2f} s, MAE {error:.4f}, of 8 x 8 averages {low:.4f}", flush=True)


def draw_strokes(views: Tensor) -> Iterator[Strokes]:
    """Yield two broad strokes for each view, in the colours that the next view has there."""
    random, side = torch.Generator().manual_seed(0), views.shape[-1]
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    for other in views.roll(-1, 0):
        colours, mask = torch.zeros(3, side, side), torch.zeros(1, side, side)
        for low, high in ((0.12, 0.3), (0.65, 0.88)):
            middle = side * (low + (high - low) * torch.rand((), generator=random))
            left = side * 0.4 * torch.rand((), generator=random)
            along = (columns >= left) & (columns <= left + 0.5 * side)
            stroke = (along & ((rows - middle).abs() <= 0.07 * side)).float()
            colour = (other * stroke).sum((1, 2)) / stroke.sum()
            colours, mask = torch.where(stroke > 0, colour[:, None, None], colours), torch.maximum(mask, stroke)
        yield Strokes(colours, mask)


def score_edits(asked: str, views: Tensor, strokes: list[Strokes]) -> dict[str, Tensor]:
    """Print a line a way of editing; return the pictures."""
    colours, mask = torch.stack([one.colours for one in strokes]), torch.stack([one.mask for one in strokes])
    near = nearness(mask, REACH)
    assert near is not None
    made = {"strokes as painted": views * (1 - mask) + colours * mask}
    seconds = {"strokes as painted": 0.0}
    for name, options in (("edited", ""), ("edited, transfer=false", ",transfer=false")):
        made[name], seconds[name] = run(f"{asked}reach={REACH}{options}", views, strokes)
    for name, pictures in made.items():
        way, gone = ((picture - views) * mask for picture in (colours, pictures))
        obedience = float((way.sum((2, 3)) * gone.sum((2, 3))).sum() / way.sum((2, 3)).square().sum())
        change = (pictures - views).abs().mean(1, keepdim=True)
        outside, beyond = (float((change * part).sum() / part.sum()) for part in (1 - mask, (near == 0).float()))
        print(
            f"strokes, {name}: obedience {obedience:.2f}, error outside {outside:.4f}, beyond the reach {beyond:.4f}, "
            f"{seconds[name]:.2f} s",
            flush=True,
        )
    return made


def score_speed(asked: str, views: Tensor, strokes: list[Strokes]) -> None:
    """Print the seconds of an edit of photos of other sizes."""
    for side in (64, 128, 512):
        photos = F.interpolate(views[:5], (side, side), mode="bilinear")
        first, again = (run(asked, shown, strokes)[1] for shown in (photos, photos[:1].expand(5, -1, -1, -1)))
        print(f"seconds of an edit, {side} x {side}: {first:.2f}, the next on that photo {again:.2f}", flush=True)


def score_realism(asked: str, views: Tensor, other: Tensor, made: dict[str, Tensor]) -> None:
    """Print how far each set of pictures is from other real views."""
    chain, (height, width) = Chain(f"igan({asked})"), views.shape[-2:]
    dreams = [chain(None, seed=seed, size=(width, height)).tensor[0] for seed in range(len(views))]
    found, _ = run(asked, views)
    for name, pictures in {"photos": views, **made, "found": found, "dreams": torch.stack(dreams)}.items():
        print(f"realism, {name}: {1000 * patch_distance(list(pictures), list(other)):.1f}", flush=True)


@torch.no_grad()
def main(model: str = "", count: str = "40") -> None:
    """Print everything."""
    networks, asked = arguments_of(model), f"model='{model}'," if model else ""
    side = networks.side
    views, other = read_views(int(count), side, 970001), read_views(int(count), side, 990001)
    score_projection(asked, views, read_views(LEARNED, side, 300000), networks.latent)
    strokes = list(draw_strokes(views))
    made = score_edits(asked, views, strokes)
    score_speed(asked, views, strokes)
    score_realism(asked, views, other, made)


if __name__ == "__main__":
    main(*sys.argv[1:])
