"""Does funit paint as painters it has never seen? `python tests/benchmarks/painters.py PHOTOS PAINTER [PAINTER ...]`.

PHOTOS and each PAINTER are folders of photos and of paintings by one hand, such as Kodak's photos, data/vangogh and
data/monet. Every other photo is painted in the hand of each, from K paintings. Printed of each painter:

- seen: how often the painter is whom a classifier sees first, among the painters, photos, and the styles that funit
  learned; linear, of moments of random filters, trained here on other paintings, other photos and the atelier's;
- patch distance to more paintings of the same hand (`artkit.metrics.patch_distance`);
- content: correlation of light and dark with the photo's, and the structural similarity of what a blur leaves of both.

Beside it: the photos as they are, those other paintings themselves, the cyclegan model called like the folder, where
there is one (which learned from such paintings), and nst, from one painting, on some of the photos.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from itertools import cycle, islice, product
from pathlib import Path

import numpy as np
import torch
from funit import views
from masters import read, shrink, structure
from spade import StyleReader
from torch import Tensor

from artkit import ArtkitError, Chain
from artkit.data import Sample
from artkit.images import Picture
from artkit.metrics import luminance_correlation, patch_distance
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.painting import STYLES
from artkit_atelier.views import paint_scene

SIDE, LEARNED, SHOTS, DRAWS, SLOW = 384, 24, (1, 2, 5, 10), 3, 3
"""The longest side of photos; pictures a class that the classifier learns from; K; how often funit is shown others for
each photo; photos that nst paints."""


def known(name: str, pictures: list[Tensor]) -> list[Sample]:
    """Return so many pictures of a class, as StyleReader takes them."""
    return [{"painting": one, "time": "", "weather": "", "style": name} for one in islice(cycle(pictures), LEARNED)]


def atelier(style: str, seed: int) -> list[Tensor]:
    """Return paintings of the atelier in a style, 3HW in [0, 1], in all lights in turn."""
    looks = [(hour, weather, style) for hour, weather in islice(cycle(product(TIMES, WEATHERS)), LEARNED)]
    shown = views(looks, 1, seed)
    return [torch.from_numpy(paint_scene(view.make(), style)).permute(2, 0, 1).float() / 255 for view in shown]


def run(paint: Callable[[Picture, int], Picture], photos: list[Picture]) -> tuple[list[Picture], float]:
    """Return what is made of the photos, and the seconds for one."""
    start = time.perf_counter()
    made = [paint(photo, number) for number, photo in enumerate(photos)]
    return made, (time.perf_counter() - start) / len(photos)


def score(
    name: str, painter: str, made: list[Picture], photos: list[Picture], own: list[Tensor], reader: StyleReader
) -> None:
    """Print a line; `photos` are empty for what is made of none."""
    pictures = [one.tensor[0] for one in made]
    seen = reader.accuracy(pictures, [{"time": "", "weather": "", "style": painter}] * len(made))["style"]
    line = f"{painter}, {name}: seen {seen:.2f}, patch distance {patch_distance(shrink(made), own):.4f}"
    if photos:
        light = luminance_correlation(pictures, [one.tensor[0] for one in photos[: len(made)]])
        kept = np.mean([structure(*pair) for pair in zip(photos, made, strict=False)])
        line += f", light {light:.2f}, structure {kept:.2f}"
    print(line, flush=True)


def main(folder: str, *painters: str) -> None:
    """Print the lines of each painter."""
    photos = [Chain(f"resize(longest={SIDE})")(one) for one in read(folder)]
    hands = {Path(each).name: read(each) for each in painters}
    learned = known("photo", shrink(photos[1::2]))
    for number, style in enumerate(STYLES):
        learned += known(style, atelier(style, 990_001 + 100 * number))
    for painter, paintings in hands.items():
        learned += known(painter, shrink(paintings[::3]))
    reader, taken = StyleReader(learned), photos[::2]
    for painter, paintings in hands.items():
        shots, others = paintings[1::3], paintings[2::3]
        own = shrink(others)
        score("other paintings", painter, others, [], shrink(shots), reader)
        score("photos as they are", painter, taken, taken, own, reader)
        many = taken * DRAWS
        for count in SHOTS:
            chosen = [list(islice(cycle(shots), count * number, count * (number + 1))) for number in range(len(many))]
            made, seconds = run(lambda one, seed, some=chosen: Chain("funit")(one, seed=seed, style=some[seed]), many)
            score(f"funit, K = {count}, {seconds:.2f} s", painter, made, many, own, reader)
        try:
            trained = Chain(f"cyclegan(model={painter})")
            made, seconds = run(lambda one, seed, chain=trained: chain(one, seed=seed), taken)
            score(f"cyclegan, {seconds:.2f} s", painter, made, taken, own, reader)
        except ArtkitError as error:
            print(f"{painter}: no cyclegan: {error}")
        made, seconds = run(lambda one, seed, some=shots: Chain("nst")(one, seed=seed, style=some[seed]), taken[:SLOW])
        score(f"nst, K = 1, {seconds:.2f} s, {len(made)} photos", painter, made, taken, own, reader)


if __name__ == "__main__":
    main(*sys.argv[1:])
