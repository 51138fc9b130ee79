"""What is worked out in closed form before the first step: layouts and colours as the words have them, in a line.

A layout's code is its principal components, the text encoder's mean their regression on the words, and codes are scaled
so that what words leave open has the variance 1 in every direction: conditioning augmentation from the start. The
colours of each class are a regression on height and words, and the reader one of the words on colours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.nn import heights
from artkit_stackgan.discriminators import LayoutEncoder
from artkit_stackgan.layouts import layout_logits
from artkit_stackgan.networks import READ_CELLS, Colours, LayoutGenerator, Reader, TextEncoder
from artkit_stackgan.words import bag_of, drop_words

LEAST = 1e-6
"""Directions in which layouts differ by less than this share of what they do most are none."""
RIDGE = 1e-2
"""The ridge of regressions on words, as a share of the mean square of what explains."""
SEEN = 0.05
"""A word is visible where pictures explain so much of its variance, in those that it was not learned from."""
PURE = 0.9
"""Colours of a class are those of cells that are its own by so much."""
TELLINGS = 4
"""How often a caption is told, each time with other words left out: what is not said need not be absent."""
LEFT_OUT = 0.7
"""The largest chance of a word to be left out."""


@dataclass(frozen=True)
class Examples:
    """Pictures to begin with: shares of classes N K h h, mean colours N 3 h h in [-1, 1], and captions N L."""

    shares: Tensor
    colours: Tensor
    text: Tensor

    def tell(self, words: int) -> Tensor:
        """Return what is said in several tellings of every caption, T N V: the first is whole."""
        shares = torch.rand(TELLINGS - 1, len(self.text)) * LEFT_OUT
        told = [self.text, *(drop_words(self.text, share) for share in shares)]
        return torch.stack([bag_of(text, words) for text in told]).double()


def regress(x: Tensor, y: Tensor, ridge: float = RIDGE) -> tuple[Tensor, Tensor]:
    """Return the weights (inputs, outputs) and the levels of a ridge regression of rows y on rows x."""
    middle, level = x.mean(0), y.mean(0)
    x, y = x - middle, y - level
    square = x.T @ x
    square.diagonal().add_(ridge * float(square.diagonal().mean()) + 1e-9)
    weights = torch.linalg.solve(square, x.T @ y)
    return weights, level - middle @ weights


@torch.no_grad()
def fit_layouts(text: TextEncoder, encoder: LayoutEncoder, generator: LayoutGenerator, examples: Examples) -> None:
    """Make codes principal components of layouts, their distribution what the words leave open, and layouts of codes.

    In these codes N(mean, 1) is what is known of the layout where all of the caption is. Where there are fewer
    components than a code has numbers, the rest mean nothing.
    """
    x = layout_logits(examples.shares).flatten(1).double()
    middle, count, latent = x.mean(0), len(x), text.base.out_features
    x = x - middle
    values, vectors = torch.linalg.eigh(x @ x.T)  # as many as pictures: far fewer than there are places and classes
    values, vectors = values.flip(0)[:latent], vectors.flip(1)[:, :latent]
    real = values > LEAST * values[0]
    codes, scale = vectors[:, real] * count**0.5, (values[real] / count).sqrt()
    components = (codes.T @ x) / count  # code to layout
    said = examples.tell(text.words)
    weights, level = regress(said.flatten(0, 1), codes.repeat(len(said), 1))
    spread = torch.linalg.cholesky(_covariance(codes - said[0] @ weights - level))
    inverse, kept = torch.linalg.inv(spread), int(real.sum())
    for layer in (text.base, encoder.base, generator.base):
        layer.weight.zero_()
        layer.bias.zero_()
    text.base.weight[:kept] = (inverse @ weights.T).float()
    text.base.bias[:kept] = (inverse @ level).float()
    generator.base.weight[:, :kept] = (spread.T @ components).T.float()
    generator.base.bias.copy_(middle)
    encoder.base.weight[:kept] = (inverse @ (components / scale.square()[:, None])).float()
    encoder.base.bias.copy_(-(encoder.base.weight.double() @ middle))


def _covariance(x: Tensor) -> Tensor:
    return x.T @ x / len(x) + 1e-4 * torch.eye(x.shape[1], dtype=x.dtype)


@torch.no_grad()
def fit_colours(colours: Colours, examples: Examples) -> None:
    """Work the colours of each class out, by ridge regression on (1, height) x (1, words) in cells that are its own.

    A class that is nowhere is grey.
    """
    words = colours.table.in_features
    said = examples.tell(words)
    told = torch.cat([torch.ones_like(said[..., :1]), said], 2).flatten(0, 1)
    height = heights(*examples.shares.shape[-2:]).double().flatten()
    places = torch.stack([torch.ones_like(height), height])
    table = colours.table.weight.new_zeros(colours.classes, 6, words + 1, dtype=torch.float64)
    colour = examples.colours.flatten(2).double()
    for index in range(colours.classes):
        own = (examples.shares[:, index].flatten(1) > PURE).double()
        if not own.any():
            continue
        level = (colour * own[:, None]).sum((0, 2)) / own.sum()
        squares = torch.einsum("np,ip,jp->nij", own, places, places).repeat(len(said), 1, 1)
        products = torch.einsum("np,ip,nbp->nib", own, places, colour - level[:, None]).repeat(len(said), 1, 1)
        square = torch.einsum("nij,nv,nw->ivjw", squares, told, told).reshape(2 * (words + 1), -1)
        product = torch.einsum("nib,nv->ivb", products, told).reshape(2 * (words + 1), 3)
        square.diagonal().add_(RIDGE * square.diagonal().mean())
        solved = torch.linalg.solve(square, product).view(2, words + 1, 3)
        table[index] = solved.permute(0, 2, 1).reshape(6, -1)
        table[index, :3, 0] += level
    colours.table.weight.copy_(table[..., 1:].reshape(-1, words))
    colours.table.bias.copy_(table[..., 0].flatten())


@torch.no_grad()
def fit_reader(reader: Reader, examples: Examples) -> None:
    """Let the reader read words from the mean colours of cells, by ridge regression."""
    seen = F.adaptive_avg_pool2d((examples.colours + 1) / 2, READ_CELLS).flatten(1).double()
    weights, level = regress(seen, bag_of(examples.text, reader.base.out_features).double())
    reader.base.weight.copy_(weights.T)
    reader.base.bias.copy_(level)


@torch.no_grad()
def find_visible(seen: Tensor, said: Tensor) -> Tensor:
    """Return which words can be seen, V of ones and zeros: those that half of the pictures teaches to read in the rest.

    `seen`: numbers of each picture, N F, such as codes; `said`: the words of its caption, N V. A quiet lake and a still
    lake look alike: such words are in a caption by chance, and no caption is wrong for want of them.
    """
    half = len(seen) // 2
    weights, level = regress(seen[:half].double(), said[:half].double(), ridge=0.1)
    truth = said[half:].double()
    error = (seen[half:].double() @ weights + level - truth).square().sum(0)
    spread = (truth - truth.mean(0)).square().sum(0)
    return ((error < (1 - SEEN) * spread) & (spread > 0)).float()
