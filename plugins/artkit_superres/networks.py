"""The networks of a superres model: one for each scale that it was trained for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.engine.tiling import compute_tiled, tile_side
from artkit.nn import Edsr, RrdbNet, SrResnet

NETWORKS: dict[str, type[nn.Module]] = {"edsr": Edsr, "srresnet": SrResnet, "rrdb": RrdbNet}


def make_network(architecture: str, arguments: Mapping[str, Any]) -> nn.Module:
    """Build the network called `architecture` with the arguments that a model's header records for a scale."""
    return NETWORKS[architecture](**arguments)


def arguments_for(architecture: str, scale: int, width: int, blocks: int) -> dict[str, Any]:
    """Return the constructor's arguments of a network for `scale`, 2 or 4 (any, for edsr)."""
    if architecture == "rrdb":
        return {"width": width, "blocks": blocks, "growth": max(width // 2, 1), "unshuffle": 4 // scale}
    return {"scale": scale, "width": width, "blocks": blocks}


def network_name(scale: int) -> str:
    """Return what a model file calls the network of `scale`."""
    return f"x{scale}"


@dataclass(frozen=True)
class Stage:
    """A part of a network that can be computed in tiles.

    `halo`: how far an output depends on inputs. `floats`: numbers alive at once for each input pixel. `scale`: output
    pixels for each input pixel, along a side.
    """

    compute: Callable[[Tensor], Tensor]
    halo: int
    floats: int
    scale: int


def stages_of(network: nn.Module) -> list[Stage]:
    """Return the parts that, one after the other, are the network.

    An RRDB network's trunk sees hundreds of pixels around it, its tail hardly any, but at full size: apart, the trunk
    needs few tiles and the tail little memory.
    """
    if isinstance(network, RrdbNet):
        width, grown, last = network.width, network.width + 4 * network.growth, 2**network.doublings
        trunk = Stage(network.trunk, network.trunk_halo, 4 * width + 2 * grown, 1)
        return [trunk, Stage(network.tail, network.tail_halo, 3 * width * last**2, last)]
    if isinstance(network, SrResnet):
        return [Stage(network, network.halo, 3 * network.width * network.scale**2, network.scale)]
    assert isinstance(network, Edsr)
    return [Stage(network, network.halo, 4 * network.width + 12 * network.scale**2, network.scale)]


def enlarge(network: nn.Module, image: Tensor, tile: int = 0) -> Tensor:
    """Enlarge N3HW in tiles of `tile` pixels, or of as many as fit the memory; equal to `network(image)`."""
    image = network.cells(image) if isinstance(network, RrdbNet) else image
    dtype = next(network.parameters()).dtype
    for stage in stages_of(network):
        side = tile or tile_side(len(image) * stage.floats, stage.halo, dtype)
        image = compute_tiled(stage.compute, image, tile=side, halo=stage.halo, scale=stage.scale)
    return image


def shrink(image: Tensor, scale: int) -> Tensor:
    """Make the small picture that N3HW would be enlarged from: antialiased bicubic, in steps of 1/255.

    Sides must be multiples of `scale`.
    """
    small = F.interpolate(image, scale_factor=1 / scale, mode="bicubic", antialias=True)
    return torch.round(small.clamp(0, 1) * 255) / 255
