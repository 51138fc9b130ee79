"""What a picture of one size is optimised for: a photo's content and a style, region by region where there are some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from artkit_nst.keys import Source
from artkit_nst.regions import fit
from artkit_nst.vgg.losses import StyleLoss, content_loss, total_variation
from artkit_nst.vgg.network import CONTENT, STYLE, Vgg19


@dataclass(frozen=True)
class Weights:
    """Of the content, of all style layers together, and of total variation. All losses are relative, about 0 to 1."""

    content: float
    style: float
    variation: float


class Objective:
    """The loss of a picture against a photo (3HW of the same size) and styles (with regions RHW, as the photo)."""

    def __init__(
        self,
        network: Vgg19,
        photo: Tensor,
        sources: Sequence[Source],
        regions: Tensor | None,
        loss: type[StyleLoss],
        weights: Weights,
    ) -> None:
        self.network, self.weights = network, weights
        features = network(photo)
        self.content = features[CONTENT]
        styles = [(network(source.picture), source) for source in sources]
        self.terms: list[tuple[str, Tensor | None, float, StyleLoss]] = []
        for layer in STYLE:
            parts = [(found[layer], source.regions, source.share) for found, source in styles]
            self.terms += _terms(layer, features[layer], regions, parts, loss)

    def __call__(self, picture: Tensor) -> Tensor:
        """Return the loss, a scalar."""
        features = self.network(picture)
        total = self.weights.content * content_loss(features[CONTENT], self.content)
        for layer, inside, share, loss in self.terms:
            flat = features[layer].flatten(1)
            total = total + self.weights.style * share * loss(flat if inside is None else flat[:, inside])
        return total + self.weights.variation * total_variation(picture)


def _terms(
    layer: str,
    features: Tensor,
    regions: Tensor | None,
    parts: Sequence[tuple[Tensor, Tensor | None, float]],
    loss: type[StyleLoss],
) -> list[tuple[str, Tensor | None, float, StyleLoss]]:
    """Return the layer's losses: one, or one for each region that covers anything at the layer's size."""
    weight = 1 / len(STYLE)
    if regions is None:
        return [
            (layer, None, weight, loss([found.flatten(1) for found, _, _ in parts], [share for *_, share in parts]))
        ]
    terms = []
    for number, region in enumerate(fit(regions, _size(features))):
        inside = region.flatten() > 0.5
        targets, shares = [], []
        for found, masks, share in parts:
            mask = fit(masks, _size(found))[number].flatten() > 0.5 if masks is not None else None
            if mask is not None and bool(mask.any()):
                targets.append(found.flatten(1)[:, mask])
                shares.append(share * float(mask.float().mean()))
        if targets and bool(inside.any()):
            mixed = [share / sum(shares) for share in shares]
            terms.append((layer, inside, weight * float(inside.float().mean()), loss(targets, mixed)))
    return terms


def _size(features: Tensor) -> tuple[int, int]:
    return features.shape[-2], features.shape[-1]
