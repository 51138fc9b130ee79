"""The networks of a superres model: one for each scale that it was trained for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

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


def shrink(image: Tensor, scale: int) -> Tensor:
    """Make the small picture that N3HW would be enlarged from: antialiased bicubic, in steps of 1/255.

    Sides must be multiples of `scale`.
    """
    small = F.interpolate(image, scale_factor=1 / scale, mode="bicubic", antialias=True)
    return torch.round(small.clamp(0, 1) * 255) / 255
