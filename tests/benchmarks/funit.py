"""Does funit find a look from a few pictures, and keep the content? `python tests/benchmarks/funit.py [MODEL ...]`.

MODEL is a model's name or file, the default model if left out; several are measured one after the other, such as those
that learned 8, 30 and 120 classes (`held_out=136`, `114`, `24` of the landscapes, which hold the same 24 out; of what
is printed as seen, a model of 8 has seen a third). Scenes that no model was trained on are shown in classes of training
(`seen`) and in those held out (`unseen`), from K pictures of other scenes each. Printed of each:

- class: how often the class asked for is the first that is seen, and among the first five, of all 144, those held out
  among them; by a linear classifier of moments of random filters, trained here on the atelier's own pictures of all;
- content: how much of the label map a small reader, trained here likewise, sees in the picture (mean intersection over
  union, and the share of pixels);
- distance: L1 of averages over 8 x 8 pixels to the scene's true picture in that class;
- seconds for a picture, model loaded.

Beside it: the atelier's own pictures, which are the ceiling; the content left as it is; and nst, from the same one
picture, on some of the unseen.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from spade import StyleReader, cells, read_back, train_reader
from torch import Tensor
from torch.nn import functional as F

from artkit import Chain
from artkit.data import Sample
from artkit.images import Picture
from artkit_atelier import LandscapesOptions
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.painting import STYLES
from artkit_atelier.views import PHOTO, View, list_looks, paint_scene

SIDE, SCENES, LEARNED, SHOTS, SLOW = 256, 2, 6, (1, 2, 5, 10), 12
"""Pixels a side; scenes a class; pictures a class that the classifier learns from; K; pictures that nst paints."""
SHARP = 8.0
"""Makes likelihoods of a ridge classifier's scores, which are about 0 and 1."""
LANDSCAPES = LandscapesOptions(lights="any", styles=(PHOTO, *STYLES), held_out=24)
WORDS = ("time", "weather", "style")


@dataclass
class Case:
    """A scene to be shown in a class: its content, the pictures of the class, and the truth with its words and map."""

    content: Tensor
    shots: list[Tensor]
    truth: Sample


def picture(view: View) -> Tensor:
    """Return a view as a picture 3HW in [0, 1]."""
    return torch.from_numpy(paint_scene(view.make(), view.style)).permute(2, 0, 1).float() / 255


def sample(view: View) -> Sample:
    """Return a view's picture, map and words."""
    labels = torch.from_numpy(view.make().labels.copy())
    return {"painting": picture(view), "label": labels} | {name: getattr(view, name) for name in WORDS}


def views(looks: Sequence[tuple[str, str, str]], count: int, seed: int) -> list[View]:
    """Return so many views of each look, each of another scene."""
    pairs = enumerate(product(looks, range(count)), seed)
    return [View(number, (SIDE, SIDE), *look, drawn=0.1) for number, (look, _) in pairs]


def cases(looks: Sequence[tuple[str, str, str]], seed: int) -> list[Case]:
    """Return the cases of some classes; contents are photos in a light of training, in turn."""
    lights = [look[:2] for look in list_looks(LANDSCAPES, "train") if look[2] == PHOTO]
    shots = [picture(view) for view in views(looks, max(SHOTS), seed + 10_000)]
    found = []
    for number, view in enumerate(views(looks, SCENES, seed)):
        hour, weather = lights[number % len(lights)]
        content = picture(replace(view, time=hour, weather=weather, style=PHOTO))
        first = number // SCENES * max(SHOTS)
        found.append(Case(content, shots[first : first + max(SHOTS)], sample(view)))
    return found


class ClassReader(StyleReader):
    """Sees the class of a picture: each word by itself, and all together."""

    def rank(self, made: list[Tensor], shown: list[Sample]) -> Tensor:
        """Return for each picture how many classes are likelier than its own."""
        seen = self.scale(torch.stack([self.moments(one) for one in made]))
        scores = {name: (SHARP * (seen @ self.weights[name])).log_softmax(1) for name in WORDS}
        total = scores["time"][:, :, None, None] + scores["weather"][:, None, :, None]
        total = total + scores["style"][:, None, None, :]
        own = [[self.words[name].index(str(one[name])) for name in WORDS] for one in shown]
        right = torch.stack([row[tuple(place)] for row, place in zip(total, own, strict=True)])
        return (total.flatten(1) > right[:, None]).sum(1)


def score(name: str, made: list[Tensor], shown: list[Sample], reader: torch.nn.Module, looks: ClassReader) -> None:
    """Print a line."""
    rank = looks.rank(made, shown).float()
    overlap, share = read_back(reader, made, shown)
    own = [F.l1_loss(cells(one), cells(truth["painting"])) for one, truth in zip(made, shown, strict=True)]
    words = ", ".join(f"{word} {right:.2f}" for word, right in looks.accuracy(made, shown).items())
    print(
        f"{name}: class {float((rank < 1).float().mean()):.2f}, of five {float((rank < 5).float().mean()):.2f} "
        f"({words}); content mIoU {overlap:.3f}, pixels {share:.3f}; distance {float(torch.stack(own).mean()):.3f}",
        flush=True,
    )


def run(chain: Chain, shown: list[Case], shots: int) -> tuple[list[Tensor], float]:
    """Return what a chain makes of all cases, and its seconds for one."""
    made, start = [], time.perf_counter()
    for number, case in enumerate(shown):
        style = [Picture(one[None]) for one in case.shots[:shots]]
        given = style[0] if shots == 1 else style  # nst takes no list
        made.append(chain(Picture(case.content[None]), seed=number, style=given).tensor[0])
    return made, (time.perf_counter() - start) / len(shown)


@torch.no_grad()
def main(models: list[str]) -> None:
    """Print a line a model, split and K."""
    seen, unseen = list_looks(LANDSCAPES, "train"), list_looks(LANDSCAPES, "val")
    everything = list(product(TIMES, WEATHERS, LANDSCAPES.styles))
    learned = [sample(view) for view in views(everything, LEARNED, 980_001)]
    looks = ClassReader(learned)
    with torch.enable_grad():
        reader = train_reader(learned)
    shown = {"seen": cases(seen[-len(unseen) :], 970_001), "unseen": cases(unseen, 975_001)}
    for split, some in shown.items():
        truths = [case.truth for case in some]
        score(f"the atelier, {split}", [one["painting"] for one in truths], truths, reader, looks)
        score(f"content as it is, {split}", [case.content for case in some], truths, reader, looks)
    for model, shots, (split, some) in product(models, SHOTS, shown.items()):
        chain = Chain(f"funit(model={model!r})" if model else "funit")
        chain(Picture(some[0].content[None]), style=Picture(some[0].shots[0][None]))  # loads it
        made, seconds = run(chain, some, shots)
        name = f"{model or 'funit'}, {split}, K = {shots}, {seconds:.2f} s"
        score(name, made, [case.truth for case in some], reader, looks)
    some = shown["unseen"][:: max(1, len(shown["unseen"]) // SLOW)]
    made, seconds = run(Chain("nst"), some, 1)
    score(f"nst, unseen, K = 1, {seconds:.2f} s, {len(some)} pictures", made, [c.truth for c in some], reader, looks)


if __name__ == "__main__":
    main(sys.argv[1:] or [""])
