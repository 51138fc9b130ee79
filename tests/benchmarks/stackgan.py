"""Do pictures show what their sentences say? `python tests/benchmarks/stackgan.py DATA MODEL [SENTENCE]` tells.

DATA is a folder of captioned pictures, such as `artkit data make landscapes` and `examples/emoji.py` write. Its
training pictures teach a linear reader, from colours of 16 x 16 cells to words, and the held-out captions are painted.
A line for the real held-out pictures, and for what is painted: as ever, without chance, and with eight tries.

- F1 of the words that can be seen: those of the held-out captions that half of the training pictures teach to read in
  the other half
- R-precision: how often the reader ranks a picture's own caption first of 100
- error: mean absolute difference of 8 x 8-pixel averages at 64 px to the captioned picture, beside that of the best
  guess that is linear in the words
- variety: mean difference of such averages between two pictures; of all captions, and of one sentence
- nearest: the median distance of pictures to the nearest training picture (`artkit.metrics.find_nearest`), and how many
  are copies: nearer to one than 19 of 20 real held-out pictures are. Training captions are painted besides, as many as
  are held out, and how many are nearest to their own picture: a model that has memorised gives those back
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Chain, Kind
from artkit.data import Dataset, open_dataset
from artkit.metrics import find_nearest
from artkit_stackgan.fitting import find_visible, regress
from artkit_stackgan.words import Vocabulary, bag_of

RIDGE, OTHERS, SAMPLES, RARE = 0.05, 99, 12, 0.05


def load(data: Dataset) -> tuple[Tensor, list[str]]:
    """Return the pictures at 64 px, N 3 64 64 in [0, 1], and their captions."""
    picture = "photo" if "photo" in data.columns else data.first(Kind.IMAGE).name
    pictures, captions = [], []
    for index in range(len(data)):
        sample = data.load(index, [picture, "caption"])
        pictures.append(F.interpolate(torch.as_tensor(sample[picture])[None].float() / 255, (64, 64), mode="area"))
        captions.append(str(sample["caption"]))
    return torch.cat(pictures), captions


def paint(model: str, captions: Sequence[str], options: str = "") -> Tensor:
    """Paint captions at 256 px, each under its own seed, and return them at 64."""
    chain, made = Chain(f"stackgan(model='{model}'{options})"), []
    for seed, caption in enumerate(captions):
        picture = chain(seed=seed, size=(256, 256), facts={"caption": caption})
        made.append(F.interpolate(picture.tensor, (64, 64), mode="area"))
    return torch.cat(made)


def cells(pictures: Tensor, count: int) -> Tensor:
    """Return the mean colours of count x count cells."""
    return F.adaptive_avg_pool2d(pictures, count).flatten(1).double()


def f1(read: Tensor, said: Tensor) -> float:
    """Return the mean over words of F1, N V of read and of said ones and zeros."""
    hits = (read * said).sum(0)
    return float((2 * hits / (read.sum(0) + said.sum(0)).clamp_min(1)).mean())


def ranked_first(scores: Tensor, said: Tensor) -> float:
    """Return how often a picture's own caption fits its scores better than 99 others do, which differ from it."""
    fits = F.normalize(scores, dim=1) @ F.normalize(said - said.mean(0), dim=1).T
    chance, won = np.random.default_rng(0), []
    for index in range(len(said)):
        different = [other for other in range(len(said)) if not torch.equal(said[other], said[index])]
        others = chance.choice(different, min(OTHERS, len(different)), replace=False)
        won.append(bool((fits[index, index] > fits[index, others]).all()))
    return float(np.mean(won))


def variety(pictures: Tensor) -> float:
    """Return the mean difference of 8 x 8 averages between two of the pictures."""
    found = cells(pictures, 8)
    return float((torch.cdist(found, found, p=1) / found.shape[1]).sum() / (len(found) * (len(found) - 1)))


def nearness(pictures: Tensor, learned: Tensor, held: Tensor) -> str:
    """Return how near pictures are to those that were learned from, beside real ones that were not, in words."""
    (found, _), (real, _) = (find_nearest(each, learned) for each in (pictures, held))
    copies = (found < real.quantile(RARE)).double().mean()
    return f"nearest {found.median():.3f}, copies {copies:.2f}"


def main(folder: str, model: str, sentence: str = "a lake below snowy mountains at dusk") -> None:
    """Print a line a way."""
    real, captions = load(open_dataset(folder, "train"))
    held, told = load(open_dataset(folder, "val"))
    vocabulary = Vocabulary.of(captions, 1000)
    said, asked = (bag_of(vocabulary.encode(each), len(vocabulary)).double() for each in (captions, told))
    reader = regress(cells(real, 16), said, RIDGE)
    visible = (find_visible(cells(real, 16), said) > 0) & asked.any(0)
    guess = regress(said, cells(real, 8), 0.01)
    error = (asked @ guess[0] + guess[1] - cells(held, 8)).abs().mean()
    words = [word for word, seen in zip(vocabulary.words, visible, strict=True) if seen]
    print(f"{len(held)} held-out captions; {len(words)} words can be seen: {' '.join(words)}")
    print(f"the best guess that is linear in the words: error {error:.3f}")
    ways = {"real": None, "painted": "", "without chance": ",truncation=0", "of 8 tries": ",tries=8"}
    for name, options in ways.items():
        pictures = held if options is None else paint(model, told, options)
        scores = cells(pictures, 16) @ reader[0] + reader[1]
        read = (scores > 0.5).double()
        line = f"{name}: F1 {f1(read[:, visible], asked[:, visible]):.2f}"
        line += f", R-precision {ranked_first((scores - said.mean(0))[:, visible], asked[:, visible]):.2f}"
        line += f", variety {variety(pictures):.3f}, {nearness(pictures, real, held)}"
        if options is not None:
            line += f", of one sentence {variety(paint(model, [sentence] * SAMPLES, options)):.3f}"
            line += f", error {(cells(pictures, 8) - cells(held, 8)).abs().mean():.3f}"
        print(line, flush=True)
    some = torch.linspace(0, len(captions) - 1, len(told)).long()
    made = paint(model, [captions[index] for index in some])
    found = (find_nearest(made, real)[1] == some).double().mean()
    print(f"training captions painted: {nearness(made, real, held)}, nearest to their own picture {found:.2f}")


if __name__ == "__main__":
    main(*sys.argv[1:])
