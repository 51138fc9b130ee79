"""Make a model of a file of VGG-19's weights: what the engine needs of it, which is a tenth, in one layout."""

from __future__ import annotations

from torch import Tensor

from artkit import Kind, ModelError, ModelHeader
from artkit.spec import Checkpoint
from artkit_nst import SPEC
from artkit_nst.vgg.weights import arrange


def import_vgg(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors (`relu1_1.weight`, ...), for RGB in [0, 1]; None for files that are not VGG-19's.

    Raises ModelError for those where the user asked for nst.
    """
    file = checkpoint.files[0]
    try:
        layers = arrange(file.tensors, file.path)
    except ModelError:
        if asked_for:
            raise
        return None
    header = ModelHeader(
        method=SPEC.name,
        summary="VGG-19 up to relu5_1",
        architecture="vgg19",
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        value_range=(0.0, 1.0),
    )
    tensors = {f"{layer}.{part}": tensor for layer, pair in layers.items() for part, tensor in _parts(pair)}
    return header, tensors


def _parts(pair: tuple[Tensor, Tensor]) -> list[tuple[str, Tensor]]:
    weight, bias = pair
    return [("weight", weight.contiguous()), ("bias", bias.contiguous())]
