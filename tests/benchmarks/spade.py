"""Does spade keep the layout of the map and take the style of the picture? `python tests/benchmarks/spade.py [MODEL]`.

MODEL is a model's name or file, the default model if left out. Scenes that no model was trained on, each in several
lights and painting styles, are painted from their maps: in the style of a picture of another scene in the same look
(`picture`), in words (`words`), and with neither (`no style`). Printed of each:

- read back: class by class, how much of what a small reader sees in the picture is the map (mean intersection over
  union, and the share of pixels); the reader is trained here on the atelier's own pictures, which are the ceiling;
- style: how often the time of day, the weather and the painting style that are seen are those asked for, by a linear
  classifier of moments of random filters, trained here likewise; the ceiling is again the atelier's own pictures;
- distance: mean L1 of averages over 8 x 8 pixels to the scene's true picture in that look, and in its other looks; and
  how often its nearest look is the right one;
- diversity: the mean distance, of the same averages, between a map's pictures, over that of its true pictures.

pix2pix is scored beside it on those that are impressionist, the one style that it knows.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from itertools import combinations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Chain, ClassSet, Kind
from artkit.data import Dataset, Sample, open_dataset
from artkit.images import Picture, read_picture
from artkit.nn import SubpixelArguments

SCENES, LOOKS, LEARNED, STEPS = 20, 4, 480, 500
STYLES = "[photo,impressionist,swirl,pastel,watercolour]"
HELD_OUT = f"landscapes(count={{}},seed={{}},looks={LOOKS},lights=any,styles={STYLES},partner=true,drawn=0.3)"
WORDS = ("time", "weather", "style")
Made = dict[str, list[Tensor]]


def samples(data: Dataset, count: int) -> list[Sample]:
    """Return the first samples of a dataset, pictures as floats 3 H W in [0, 1]."""
    columns = ["label", "painting", "partner", *WORDS]
    found = [data.load(index, columns) for index in range(count)]
    for sample in found:
        sample |= {name: torch.as_tensor(sample[name]).float() / 255 for name in ("painting", "partner")}
    return found


def paint(model: str, shown: list[Sample], classes: ClassSet) -> Made:
    """Return each way's pictures of all samples, 3 H W."""
    asked = f"model='{model}'," if model else ""
    made: Made = defaultdict(list)
    for sample in shown:
        time, weather, style = (sample[name] for name in WORDS)
        labels, partner = label_map(sample, classes), read_picture(sample["partner"])
        told = Chain(f"spade({asked}light={time},weather={weather},style={style})")
        made["picture"].append(Chain(f"spade({asked})")(labels, style=partner).tensor[0])
        made["words"].append(told(labels).tensor[0])
        made["no style"].append(Chain(f"spade({asked}strength=0)")(labels).tensor[0])
    made["the atelier"] = [sample["painting"] for sample in shown]
    return made


def label_map(sample: Sample, classes: ClassSet) -> Picture:
    """Return a sample's label map."""
    return Picture(sample["label"][None].long(), Kind.LABELS, classes)


def train_reader(learned: list[Sample]) -> nn.Module:
    """Return a network from pictures N3HW to logits of classes, trained on crops of the atelier's own."""
    torch.manual_seed(0)
    reader = SubpixelArguments(in_channels=3, out_channels=12, width=64, blocks=4, detail=(24, 24), norm="none").build()
    optimiser = torch.optim.Adam(reader.parameters(), 1e-3)
    for step in range(STEPS):
        chosen = torch.randint(len(learned), (4,)).tolist()
        crops = []
        for sample in (learned[index] for index in chosen):
            top, left = torch.randint(129, (2,)).tolist()
            both = torch.cat([sample["painting"], sample["label"][None].float()])
            crops.append(both[:, top : top + 128, left : left + 128])
        x = torch.stack(crops)
        loss = F.cross_entropy(reader(x[:, :3] * 2 - 1), x[:, 3].long())
        optimiser.zero_grad()
        loss.backward()
        optimiser.param_groups[0]["lr"] = 1e-3 * min(1, 2 * (1 - step / STEPS))
        optimiser.step()
    return reader.eval()


def read_back(reader: nn.Module, made: list[Tensor], shown: list[Sample]) -> tuple[float, float]:
    """Return the mean intersection over union of the classes that there are, and the share of pixels."""
    counts = torch.zeros(12, 12)
    for picture, sample in zip(made, shown, strict=True):
        found = reader(picture[None] * 2 - 1).argmax(1).flatten()
        counts += torch.bincount(12 * sample["label"].long().flatten() + found, minlength=144).view(12, 12)
    right, union = counts.diagonal(), counts.sum(0) + counts.sum(1) - counts.diagonal()
    there = counts.sum(1) > 0
    return float((right / union.clamp(min=1))[there].mean()), float(right.sum() / counts.sum())


class StyleReader:
    """Reads the words of a look off a picture: a ridge classifier of moments of random filters at four depths."""

    def __init__(self, learned: list[Sample]) -> None:
        random = torch.Generator().manual_seed(0)
        shapes = [(24, 3), (48, 24), (64, 48), (64, 64)]
        self.filters = [torch.randn(*shape, 4, 4, generator=random) / (16 * shape[1]) ** 0.5 for shape in shapes]
        seen = torch.stack([self.moments(sample["painting"]) for sample in learned])
        self.mean, self.deviation = seen.mean(0), seen.std(0) + 1e-6
        seen = self.scale(seen)
        self.words = {name: sorted({str(sample[name]) for sample in learned}) for name in WORDS}
        inner = seen.T @ seen + 0.03 * len(seen) * torch.eye(seen.shape[1])
        self.weights = {}
        for name, words in self.words.items():
            right = torch.tensor([[float(sample[name] == word) for word in words] for sample in learned])
            self.weights[name] = torch.linalg.solve(inner, seen.T @ right)

    def scale(self, moments: Tensor) -> Tensor:
        """Return standardised moments, and a constant."""
        return F.pad((moments - self.mean) / self.deviation, (0, 1), value=1.0)

    def moments(self, picture: Tensor) -> Tensor:
        """Return means and deviations at every depth, pixels included."""
        x, found = picture[None] * 2 - 1, []
        for kernel in (None, *self.filters):
            x = x if kernel is None else F.leaky_relu(F.conv2d(x, kernel, stride=2), 0.2)
            found += [x.mean((2, 3))[0], x.std((2, 3))[0]]
        return torch.cat(found)

    def accuracy(self, made: list[Tensor], shown: list[Sample]) -> dict[str, float]:
        """Return how often each word that is seen is the sample's."""
        seen = self.scale(torch.stack([self.moments(picture) for picture in made]))
        right = {}
        for name, words in self.words.items():
            guesses = (seen @ self.weights[name]).argmax(1).tolist()
            told = [words[guess] == sample[name] for guess, sample in zip(guesses, shown, strict=True)]
            right[name] = float(np.mean(told))
        return right


def cells(picture: Tensor) -> Tensor:
    """Return averages over 8 x 8 pixels, in [-1, 1] as networks see them."""
    return F.avg_pool2d(picture * 2 - 1, 8)


def distances(made: list[Tensor], truth: list[Tensor]) -> tuple[float, float, float, float]:
    """Return the L1 to the own truth and to the scene's other looks; how often the own is nearest; the diversity."""
    own, other, nearest, spread, true_spread = [], [], [], [], []
    for start in range(0, len(made), LOOKS):
        ours, theirs = ([cells(one) for one in part[start : start + LOOKS]] for part in (made, truth))
        table = np.array([[float((one - true).abs().mean()) for true in theirs] for one in ours])
        own += list(table.diagonal())
        other += list(table[~np.eye(LOOKS, dtype=bool)])
        nearest += list(table.argmin(1) == np.arange(LOOKS))
        spread += [float((a - b).abs().mean()) for a, b in combinations(ours, 2)]
        true_spread += [float((a - b).abs().mean()) for a, b in combinations(theirs, 2)]
    own_mean, other_mean, nearest_mean = (float(np.mean(part)) for part in (own, other, nearest))
    return own_mean, other_mean, nearest_mean, sum(spread) / sum(true_spread)


def score_pix2pix(shown: list[Sample], made: Made, classes: ClassSet) -> None:
    """Print the distances of both methods on what is impressionist."""
    chosen = [index for index, sample in enumerate(shown) if sample["style"] == "impressionist"]
    ways = {name: [pictures[index] for index in chosen] for name, pictures in made.items()}
    ways["pix2pix"] = []
    for sample in (shown[index] for index in chosen):
        chain = Chain(f"pix2pix(condition='{sample['time']} {sample['weather']}')")
        ways["pix2pix"].append(chain(label_map(sample, classes)).tensor[0])
    truth = [cells(one) for one in ways["the atelier"]]
    for name, pictures in ways.items():
        error = np.mean([float((cells(one) - true).abs().mean()) for one, true in zip(pictures, truth, strict=True)])
        print(f"impressionist alone ({len(chosen)}), {name}: distance {error:.4f}")


@torch.no_grad()
def main(model: str = "") -> None:
    """Print a line a way."""
    data = open_dataset(HELD_OUT.format(2 * SCENES * LOOKS, 970001))
    classes = data.column("label").classes
    shown = samples(data, SCENES * LOOKS)
    learned = samples(open_dataset(HELD_OUT.format(2 * LEARNED, 980001)), LEARNED)
    made = paint(model, shown, classes)
    with torch.enable_grad():
        reader = train_reader(learned)
    style, truth = StyleReader(learned), [sample["painting"] for sample in shown]
    for name, pictures in made.items():
        overlap, share = read_back(reader, pictures, shown)
        words = ", ".join(f"{word} {right:.2f}" for word, right in style.accuracy(pictures, shown).items())
        own, other, nearest, diversity = distances(pictures, truth)
        print(
            f"{name}: read back mIoU {overlap:.3f}, pixels {share:.3f}; {words}; distance {own:.4f} (other looks "
            f"{other:.4f}), nearest right {nearest:.2f}; diversity {diversity:.2f}",
            flush=True,
        )
    score_pix2pix(shown, made, classes)


if __name__ == "__main__":
    main(*sys.argv[1:])
