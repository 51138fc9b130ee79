"""The networks of a superres model, one for each scale that it was trained for, by their typed arguments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import product
from typing import Annotated, Literal, TypeAlias

import torch
from msgspec import Meta
from torch import Tensor, nn

from artkit.nn import Arguments, Edsr, EdsrArguments, RrdbArguments, SrResnetArguments

NetworkArguments: TypeAlias = EdsrArguments | SrResnetArguments | RrdbArguments
"""The arguments of a network for one scale; a header's `network` tells which one it is."""
Architecture = Literal["edsr", "srresnet", "rrdb"]


class SuperresArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a superres model records: the arguments of its networks, each for a scale of its own."""

    networks: Annotated[tuple[NetworkArguments, ...], Meta(min_length=1, max_length=8)]

    def __post_init__(self) -> None:
        scale, count = Counter(network.scale for network in self.networks).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{count} networks have scale {scale}")

    @property
    def by_scale(self) -> dict[int, NetworkArguments]:
        """The arguments of each scale's network, smallest scale first."""
        return {network.scale: network for network in sorted(self.networks, key=lambda network: network.scale)}

    @property
    def size_multiple(self) -> int:
        """What the sides of pictures must be multiples of, for all of the networks."""
        return max(network.size_rule.multiple for network in self.networks)


def network_arguments(architecture: Architecture, scale: int, width: int, blocks: int) -> NetworkArguments:
    """Return the arguments of a network for `scale`, 2 or 4 (any, for edsr)."""
    if architecture == "edsr":
        return EdsrArguments(scale=scale, width=width, blocks=blocks)
    if architecture == "srresnet":
        return SrResnetArguments(scale=scale, width=width, blocks=blocks)
    growth = max(width // 2, 1)
    return RrdbArguments(width=width, blocks=blocks, growth=growth, doublings=2, unshuffle=2 if scale == 2 else 1)


class Eightfold(nn.Module):
    """Geometric self-ensemble: enlarge a picture turned and mirrored in all eight ways, and take the mean.

    Errors that depend on how the picture lies cancel out (Timofte, Rothe and Van Gool 2016, section 3.3; EDSR's "+").
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        """Map N3HW to what the network does."""
        total = torch.zeros(())  # one by one: eight large pictures at once take eight times the memory
        for swap, axes in product((False, True), ((), (2,), (3,), (2, 3))):
            total = total + self._lie(x, swap, axes)
        return total / 8

    def _lie(self, x: Tensor, swap: bool, axes: tuple[int, ...]) -> Tensor:
        """Enlarge a picture that is mirrored along axes and, if `swap`, across its diagonal, and undo that."""
        x = x.transpose(2, 3) if swap else x
        y: Tensor = self.network(x.flip(axes)).flip(axes) if axes else self.network(x)
        return y.transpose(2, 3) if swap else y


def grow(tensors: Mapping[str, Tensor], network: Edsr) -> dict[str, Tensor]:
    """Return the tensors of a narrower or shallower Edsr as those of `network`, which does the same at first.

    Blocks that it lacks add nothing until they learn: their second convolutions begin at zero. What the old channels
    are made of does not hear the new ones, whose weights begin there at zero and elsewhere at random; Net2Net (Chen,
    Goodfellow and Shlens 2016, section 2.2) makes the new ones copies of the old. Tensors larger than the network's
    are returned as they are.
    """
    grown = dict(tensors)
    for key, value in network.state_dict().items():
        old = tensors.get(key)
        if old is None and key.startswith("blocks."):
            grown[key] = torch.zeros_like(value) if ".conv2." in key else value
        elif old is not None and old.ndim == value.ndim and tuple(map(min, old.shape, value.shape)) == old.shape:
            grown[key] = value.clone()
            grown[key][: len(old)] = 0
            grown[key][tuple(map(slice, old.shape))] = old
    return grown


def network_name(scale: int) -> str:
    """Return what a model file calls the network of `scale`."""
    return f"x{scale}"
