"""Make a cyclegan model of the generators, and discriminators, of pytorch-CycleGAN-and-pix2pix and CUT."""

from __future__ import annotations

from typing import Any

import msgspec
from torch import Tensor

from artkit import Kind, ModelError, ModelHeader
from artkit.models.foreign import Checkpoint, ForeignFile, Recognised, generator_header
from artkit_cyclegan import SPEC
from artkit_cyclegan.generator import AB, BA, GENERATORS

JUDGES = {AB: "discriminator_a", BA: "discriminator_b"}
SCALE = "scales.0."  # our discriminators can have several scales; theirs is the first

Networks = dict[str, tuple[ForeignFile, Recognised]]


def import_networks(checkpoint: Checkpoint, *, asked_for: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors, or None for files that are not all known networks, or a U-Net nobody gave to us.

    One generator translates as the hints say, A to B where they say nothing. Of several files each goes the way its
    name says (`..._G_A`, `..._D_B`). Raises ModelError for files that make no model.
    """
    resnets = [network for _, network in checkpoint.generators if network.network.startswith("resnet")]
    if not checkpoint.known or not (asked_for or resnets):
        return None
    generators, judges = (_sort(found, checkpoint) for found in (checkpoint.generators, checkpoint.discriminators))
    if not generators:
        raise ModelError(f"A model of {SPEC.name} needs a generator; these are {len(judges)} discriminators.")
    arguments = {direction: _forth(direction, network.arguments) for direction, (_, network) in generators.items()}
    first, *others = generators
    if any(arguments[other] != arguments[first] for other in others) or len(_networks(generators)) > 1:
        raise ModelError(
            f"{' and '.join(f'{file.path} is {network.words}' for file, network in generators.values())}: "
            "the two generators of one model are alike; import them one by one."
        )
    header = generator_header(SPEC.name, generators[first][0], checkpoint.hints)
    if header.inputs["image"] is Kind.LABELS:
        raise ModelError(f"{generators[first][0].path} takes label maps; give --method pix2pix, which does.")
    known = {"generator": arguments[first], "directions": [way for way in (AB, BA) if way in generators]}
    header = msgspec.structs.replace(header, arguments=known, classes=None)
    return header, _tensors(generators, GENERATORS, "") | _tensors(judges, JUDGES, SCALE)


def _sort(networks: list[tuple[ForeignFile, Recognised]], checkpoint: Checkpoint) -> Networks:
    """Return each network by the direction that it goes, or that it judges."""
    if len(networks) == 1 and (len(checkpoint.files) == 1 or networks[0][0].direction is None):
        return {checkpoint.hints.direction or AB: networks[0]}
    sorted_by = {file.direction: (file, network) for file, network in networks if file.direction}
    if len(sorted_by) < len(networks):
        files = ", ".join(str(file.path) for file, _ in networks)
        raise ModelError(f"Which of {files} goes from A to B? Name one ..._A.pth and the other ..._B.pth.")
    return {str(direction): network for direction, network in sorted_by.items()}


def _forth(direction: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Return a generator's arguments as they would be from A to B, as our headers hold them."""
    if direction == AB:
        return arguments
    return arguments | {"in_channels": arguments["out_channels"], "out_channels": arguments["in_channels"]}


def _networks(generators: Networks) -> set[str]:
    return {network.network for _, network in generators.values()}


def _tensors(networks: Networks, names: dict[str, str], prefix: str) -> dict[str, Tensor]:
    return {
        f"{names[direction]}.{prefix}{name}": tensor
        for direction, (_, network) in networks.items()
        for name, tensor in network.tensors.items()
    }
