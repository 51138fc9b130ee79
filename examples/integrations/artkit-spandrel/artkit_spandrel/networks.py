"""Networks by their architecture and the shapes of their file's tensors: all that spandrel builds one from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
import torch
from artkit import ModelError
from artkit.nn import Arguments
from spandrel import MAIN_REGISTRY, ImageModelDescriptor, UnsupportedModelError
from torch import Tensor

MOST_WEIGHTS = 2**30
"""Numbers of the largest network that is built."""
Shape = Annotated[str, msgspec.Meta(pattern=r"^(\d{1,7}(x\d{1,7}){0,7})?$")]
"""The sides of a tensor, `64x3x3x3`; nothing for a single number."""


class SpandrelArguments(Arguments, frozen=True, kw_only=True):
    """What a header records: the id of the architecture, how much it enlarges, and the shapes of its file's tensors.

    Some networks have settings that shapes do not tell; spandrel guesses those, and so does whoever runs the file.
    """

    network: str
    scale: Annotated[int, msgspec.Meta(ge=1, le=64)]
    shapes: dict[str, Shape]

    def build(self) -> ImageModelDescriptor[Any]:
        """Return the network, without its weights. Raises ModelError for shapes that are no such network's."""
        shapes = {name: tuple(map(int, text.split("x"))) if text else () for name, text in self.shapes.items()}
        if sum(map(math.prod, shapes.values())) > MOST_WEIGHTS:
            raise ModelError("a network of these shapes is larger than any that artkit builds.")
        found = recognise({name: torch.zeros(shape) for name, shape in shapes.items()})
        if found is None or found.architecture.id != self.network or found.scale != self.scale:
            raise ModelError(f"these shapes are not those of {self.network} that enlarges {self.scale} times.")
        return found


def recognise(tensors: Mapping[str, Tensor]) -> ImageModelDescriptor[Any] | None:
    """Return the network that spandrel takes tensors for, with them as its weights; None for none.

    Raises ModelError for one that is nearly a known network, or that is none of pictures to pictures.
    """
    try:
        found = MAIN_REGISTRY.load(dict(tensors))
    except UnsupportedModelError:
        return None
    except Exception as error:  # whatever an architecture's code says to tensors that do not fit it
        if any(tensor.is_meta for tensor in tensors.values()):
            raise  # artkit outlines a network without memory first, where its code allows that
        reason = type(error).__name__
        raise ModelError(f"it is nearly a network that spandrel knows, and cannot be built: {reason}") from None
    if not isinstance(found, ImageModelDescriptor):
        raise ModelError(f"it is a {found.architecture.name} network, which wants a mask beside the picture")
    if (found.input_channels, found.output_channels) != (3, 3):
        channels = f"{found.input_channels} channels to {found.output_channels}"
        raise ModelError(f"it is a {found.architecture.name} network of {channels}, not of three to three")
    if found.size_requirements.square:
        raise ModelError(f"it is a {found.architecture.name} network, which takes square pictures alone")
    return found


def describe(found: ImageModelDescriptor[Any], tensors: Mapping[str, Tensor]) -> SpandrelArguments:
    """Return what a header records of a network and its file's tensors."""
    shapes = {name: "x".join(map(str, tensor.shape)) for name, tensor in tensors.items()}
    return SpandrelArguments(network=str(found.architecture.id), scale=found.scale, shapes=shapes)
