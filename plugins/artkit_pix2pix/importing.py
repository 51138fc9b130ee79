"""Make a pix2pix model of a generator, and its discriminator, of pytorch-CycleGAN-and-pix2pix."""

from __future__ import annotations

from torch import Tensor

from artkit import ModelError, ModelHeader
from artkit.models.foreign import Checkpoint, generator_header
from artkit_pix2pix import SPEC

JUDGE = "discriminator.scales.0."  # our discriminator can have several scales; theirs is the first


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a ResNet nobody gave to us.

    Raises ModelError unless one file is a generator and at most one a discriminator.
    """
    generators, judges = checkpoint.generators, checkpoint.discriminators
    unets = [network for _, network in generators if network.network.startswith("unet")]
    if not checkpoint.known or not (asked_for or unets):
        return None
    if len(generators) != 1 or len(judges) > 1:
        counts = f"{len(generators)} generators and {len(judges)} discriminators"
        raise ModelError(f"A model of {SPEC.name} has one generator and at most one discriminator; these are {counts}.")
    [(file, generator)] = generators
    header = generator_header(SPEC.name, file, checkpoint.hints)
    tensors = {f"generator.{name}": tensor for name, tensor in generator.tensors.items()}
    for _, judge in judges:
        tensors |= {f"{JUDGE}{name}": tensor for name, tensor in judge.tensors.items()}
    return header, tensors
