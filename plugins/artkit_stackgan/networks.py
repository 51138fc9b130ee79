"""The networks of stackgan: a sentence to a code, the code to a layout, the layout to a picture.

Zhang et al. 2016, section 3, in small. Each network starts as what can be worked out in closed form (fitting.py), and
adds what it learns, nothing at first.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import Modulated, heights
from artkit_stackgan.words import bag_of

START = 4
"""Side of the smallest feature map, in pixels."""
WIDEST = 6
"""How many times as many filters as at the full size there are at most."""
TIMES = 4
"""How many times as large as the sketch the picture of stage II is."""
READ_CELLS = 16
"""Cells along a side of a picture whose mean colours the reader sees."""


class TextEncoder(nn.Module):
    """A sentence to the distribution of its codes: the text encoder and conditioning augmentation (section 3.2).

    The mean of the code is linear in which words are said, and what convolutions over three words in a row add to it.
    Unlike the paper's, whose text embedding others had trained, all of it is learned with the generator.
    """

    def __init__(self, words: int, latent: int, embedding: int) -> None:
        super().__init__()
        self.words = words
        self.base = nn.Linear(words, latent)
        self.embed = nn.Embedding(words + 1, embedding, padding_idx=0)
        self.conv = nn.Conv1d(embedding, embedding, 3, padding=1)
        self.leave = nn.Linear(embedding, 2 * latent)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and log variance, N `latent` each, of sentences N L, as Vocabulary.encode gives them."""
        near = F.relu(self.conv(self.embed(text).transpose(1, 2))) * (text > 0)[:, None]
        added, log_variance = self.leave(near.amax(2)).chunk(2, 1)
        return self.base(bag_of(text, self.words).to(added)) + added, log_variance


class LayoutGenerator(nn.Module):
    """The generator of stage I: codes to what lies where, the logits of `classes` at S x S places.

    `base` is what components of layouts make of a code, at half of the resolution.
    """

    def __init__(self, latent: int, classes: int, side: int, width: int) -> None:
        super().__init__()
        self.classes, self.inner = classes, side // 2
        self.base = nn.Linear(latent, classes * self.inner**2)
        filters = widths(self.inner, width)
        self.enter = nn.Linear(latent, filters[0] * START**2)
        self.levels = nn.ModuleList(Modulated(few, many, latent) for few, many in pairwise(filters))
        self.leave = nn.Conv2d(filters[-1], classes, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, code: Tensor) -> Tensor:
        """Map codes N `latent` to logits N K S S."""
        x = F.leaky_relu(self.enter(code), 0.2).unflatten(1, (-1, START, START))
        for level in self.levels:
            x = level(_double(x), code)
        base = self.base(code).view(-1, self.classes, self.inner, self.inner)
        return _double(base) + self.leave(_double(x))


class Colours(nn.Module):
    """The colours of stage I: `sum_c m_c (a_c + b_c h)`, m the share of each class, h the height, a and b by the words.

    So the light that a sentence names falls on each class in its own way: the sky reddens, the grass does not.
    """

    def __init__(self, classes: int, words: int) -> None:
        super().__init__()
        self.classes = classes
        self.table = nn.Linear(words, classes * 6)

    def forward(self, shares: Tensor, said: Tensor) -> Tensor:
        """Colour shares N K H W by the words that are said, N V: N 3 H W in [-1, 1], a little beyond."""
        rows = self.table(said.to(shares)).view(-1, self.classes, 6)
        levels, slopes = torch.bmm(rows.transpose(1, 2), shares.flatten(2)).unflatten(2, shares.shape[2:]).chunk(2, 1)
        return levels + slopes * heights(shares.shape[-2], shares.shape[-1]).to(shares)


class Painter(nn.Module):
    """The generator of stage II: a layout, its sketch, noise and the sentence once more to a picture.

    Residual blocks at the sketch's resolution, modulated by the words, and two steps up (section 3.4). What it paints
    is added to the sketch, whose borders are drawn anew at the full size.
    """

    def __init__(self, classes: int, words: int, width: int, blocks: int, detail: tuple[int, int]) -> None:
        super().__init__()
        half, full = detail
        self.enter = nn.Conv2d(classes + 3 + TIMES**2, width, 3, padding=1)
        self.modulated = nn.ModuleList(Modulated(width + classes, width, words) for _ in range(blocks))
        self.plain = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1) for _ in range(blocks))
        self.to_half = Modulated(width + classes, half, words)
        self.to_full = Modulated(half + classes + 4, full, words)
        self.leave = nn.Conv2d(full, 3, 3, padding=1)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def silence(self) -> None:
        """Make words say nothing to it: for text once, in the sketch, in place of twice (section 4.4)."""
        for layer in self.modules():
            if isinstance(layer, Modulated):
                nn.init.zeros_(layer.style.weight)

    def forward(self, shares: Tensor, sketch: Tensor, noise: Tensor, said: Tensor) -> Tensor:
        """Paint shares N K H W and a sketch N3HW, all at the size of the picture, with noise N1HW: N3HW in [-1, 1]."""
        half, quarter = F.avg_pool2d(shares, 2), F.avg_pool2d(shares, TIMES)
        seen = [quarter, F.avg_pool2d(sketch, TIMES), F.pixel_unshuffle(noise, TIMES)]
        y, said = self.enter(torch.cat(seen, 1)), said.to(shares)
        for first, second in zip(self.modulated, self.plain, strict=True):
            y = y + second(first(torch.cat([y, quarter], 1), said))
        y = self.to_half(torch.cat([_double(y), half], 1), said)
        y = self.to_full(torch.cat([_double(y), shares, sketch, noise], 1), said)
        return sketch + self.leave(y)


class Reader(nn.Module):
    """Reads from a picture which words describe it: linear in the mean colours of its cells."""

    def __init__(self, words: int) -> None:
        super().__init__()
        self.base = nn.Linear(3 * READ_CELLS**2, words)

    def forward(self, picture: Tensor) -> Tensor:
        """Return how much each word is seen in pictures N3HW in [0, 1]: N V, about 1 where it is and 0 where not."""
        return self.base(F.adaptive_avg_pool2d(picture, READ_CELLS).flatten(1))


def widths(side: int, width: int) -> list[int]:
    """Return the filters at 4, 8, ... `side` pixels: twice as many at half the side, `WIDEST` times at most."""
    sides = [START << level for level in range((side // START).bit_length())]
    return [width * min(WIDEST, side // here) for here in sides]


def enlarge(logits: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the shares of classes at another size: logits are interpolated, so that borders stay sharp."""
    return F.softmax(F.interpolate(logits.float(), size, mode="bilinear"), 1).to(logits.dtype)


def _double(y: Tensor) -> Tensor:
    return F.interpolate(y, scale_factor=2.0, mode="bilinear")
