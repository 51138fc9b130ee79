"""Which style a picture is in, by a classifier that is fitted in closed form to the targets and the words for them.

It has nothing to do with any network that is scored: no discriminator can have been taught to please it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.errors import DataError
from artkit.metrics.pairs import Pictures, as_images

Facts = Sequence[Mapping[str, str]]
STYLE_COLUMNS = ("style", "class")
OPPONENT = ((1.0, 1.0, 1.0), (1.0, -1.0, 0.0), (1.0, 1.0, -2.0))
"""Light, red against green, yellow against blue (Gevers and Smeulders 1999), each to be divided by its length."""
HAAR = (((1.0, -1.0), (1.0, -1.0)), ((1.0, 1.0), (-1.0, -1.0)), ((1.0, -1.0), (-1.0, 1.0)))
SCALES, SMALLEST = 2, 12
"""How often pictures are halved; pixels of the shortest side, so that the last scale has some of each detail."""
LEAST_ENERGY, LEAST_SHRINKAGE, LEAST_DEVIATION = 1e-6, 1e-3, 1e-3


def style_entropy(a: Pictures, b: Pictures, facts: Facts) -> float:
    """Return how undecided the styles of `a` are, in nats: 0 is sure, the logarithm of how many styles there are most.

    The mean over the pictures of -sum p log p, p the `StyleClassifier`'s answer, which learns from the pictures `b` and
    their style, the word of the column `style`, else `class`, in `facts`. Elgammal et al. 2017 mean to raise it.
    Raises DataError without such words, for fewer than two styles, and for pictures below 12 pixels a side.
    """
    p = _learn(b, facts)[0](as_images(a)).softmax(1)
    return -torch.special.xlogy(p, p).sum(1).mean().item()


def style_accuracy(a: Pictures, b: Pictures, facts: Facts) -> float:
    """Return the share of pictures of `a`, 0 to 1, that the same classifier sees in the style of their target.

    Raises DataError as `style_entropy` does, and where there are not as many targets.
    """
    images, (classifier, styles) = as_images(a), _learn(b, facts)
    if len(images) != len(styles):
        raise DataError(f"style_accuracy compares pair by pair: {len(images)} pictures and {len(styles)} targets.")
    return (classifier(images).argmax(1) == styles).double().mean().item()


class StyleClassifier:
    """Linear discriminant analysis of `style_statistics` (Fisher 1936).

    Every style is a normal distribution of its own mean and of one covariance for all, and as likely as any other. The
    covariance, of statistics divided by their deviation within styles, is shrunk towards the identity as far as Ledoit
    and Wolf 2004 prove best.
    """

    def __init__(self, pictures: Sequence[Tensor], styles: Tensor) -> None:
        """Learn from pictures 3HW in [0, 1] and the number of the style of each."""
        found, count = style_statistics(pictures), int(styles.max()) + 1
        means = torch.stack([found[styles == style].mean(0) for style in range(count)])
        within = found - means[styles]
        deviation = within.square().mean(0).sqrt().clamp_min(LEAST_DEVIATION)
        self.precision = torch.linalg.inv(shrink_covariance(within / deviation))
        self.deviation = deviation * (len(found) / max(1, len(found) - count)) ** 0.5  # `count` means were taken off
        self.means = means / self.deviation

    def __call__(self, pictures: Sequence[Tensor]) -> Tensor:
        """Return the log likelihood of each style, but for a constant: N K float64, of which softmax is the answer."""
        apart = (style_statistics(pictures) / self.deviation)[:, None] - self.means
        return -torch.einsum("nkd,de,nke->nk", apart, self.precision, apart) / 2


def style_statistics(pictures: Sequence[Tensor]) -> Tensor:
    """Return 21 numbers a picture 3HW in [0, 1], N 21 float64: its colour, and how much detail of which kind it has.

    In [-1, 1] and opponent colours: the three means; and of the picture halved once and twice, by averages of 2 x 2
    pixels, the logarithm of the mean square of horizontal, vertical and diagonal differences (Haar 1910) of each.
    """
    return torch.cat([_statistics(picture) for picture in pictures])


def shrink_covariance(x: Tensor) -> Tensor:
    """Return the covariance of N D numbers of mean 0 and deviation 1, shrunk towards the identity (Ledoit, Wolf 2004).

    It is s I + (1 - s) C with C = x'x / N and s = sum |x_n x_n' - C|^2 / (N^2 |C - I|^2), 1 at most.
    """
    count, size = x.shape
    covariance, identity = x.T @ x / count, torch.eye(size, dtype=x.dtype)
    noise = (x.square().sum(1).square().mean() - covariance.square().sum()) / count
    share = noise / (covariance - identity).square().sum().clamp_min(1e-12)
    return torch.lerp(covariance, identity, share.clamp(LEAST_SHRINKAGE, 1))


def _statistics(picture: Tensor) -> Tensor:
    if min(picture.shape[-2:]) < SMALLEST:
        raise DataError(f"styles are seen in pictures of at least {SMALLEST} pixels a side.")
    axes = torch.tensor(OPPONENT, dtype=torch.float64)
    axes = axes / axes.norm(dim=1, keepdim=True)
    x = torch.einsum("oc,chw->ohw", axes, picture.double().cpu() * 2 - 1)
    found, kernels = [x.mean((1, 2))], torch.tensor(HAAR, dtype=torch.float64)[:, None] / 2
    for _ in range(SCALES):
        x = F.avg_pool2d(x, 2)
        found.append((F.conv2d(x[:, None], kernels).square().mean((2, 3)) + LEAST_ENERGY).log().flatten())
    return torch.cat(found)[None]


def _learn(pictures: Pictures, facts: Facts) -> tuple[StyleClassifier, Tensor]:
    """Return the classifier that some pictures teach, and the number of each one's style."""
    column = next((name for name in STYLE_COLUMNS if facts and name in facts[0]), None)
    if column is None:
        raise DataError("these data do not say the style of a picture: a column `style` or `class` would.")
    words = [one[column] for one in facts]
    known = sorted(set(words))
    if len(known) < 2:
        raise DataError(f"styles are told apart, and all that is compared here is '{known[0]}': raise the limit.")
    styles = torch.tensor([known.index(word) for word in words])
    return StyleClassifier(as_images(pictures), styles), styles
