"""Import RRDB networks, published weights of ESRGAN, old and new, and Real-ESRGAN, as superres models."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import msgspec
from torch import Tensor

from artkit import Kind, ModelError, ModelHeader
from artkit.models.file import describe_differences
from artkit.nn import RrdbArguments
from artkit.spec import Checkpoint
from artkit_superres import SPEC
from artkit_superres.networks import SuperresArguments, network_name

FIRST = ("conv_first.weight", "model.0.weight")
# The names of xinntao/ESRGAN's second layout beside Real-ESRGAN's, which are ours.
RENAMED = (
    (r"^RRDB_trunk\.", "body."),
    (r"\.RDB([123])\.", r".rdb\1."),
    (r"^trunk_conv\.", "conv_body."),
    (r"^upconv(\d)\.", r"conv_up\1."),
    (r"^HRconv\.", "conv_hr."),
)


def import_rrdb(checkpoint: Checkpoint) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors of a file whose tensors bear an RRDB network's names, or None.

    Raises ModelError for such a file that is not whole.
    """
    file = checkpoint.files[0]
    prefix = next((part for part in ("", "module.") if any(part + name in file.tensors for name in FIRST)), None)
    if len(checkpoint.files) != 1 or prefix is None:
        return None
    tensors = rename({name.removeprefix(prefix): tensor for name, tensor in file.tensors.items()})
    if "body.0.rdb1.conv1.weight" not in tensors:
        return None
    arguments = guess_arguments(tensors)
    needed = {name: tuple(tensor.shape) for name, tensor in arguments.build().state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    if differences := describe_differences(needed, found, shown=1):
        raise ModelError(f"{file.path} is nearly an RRDB network; {differences}.")
    recorded, scale = SuperresArguments(networks=(arguments,)), arguments.scale
    header = ModelHeader(
        method=SPEC.name,
        summary=f"an RRDB network of {arguments.blocks} blocks that enlarges {scale} times",
        architecture=arguments.architecture,
        arguments=recorded.record(),
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        value_range=(0.0, 1.0),
        size_multiple=recorded.size_multiple,
    )
    return header, {f"{network_name(scale)}.{name}": tensor for name, tensor in tensors.items()}


def rename(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Bring the names of any of the three layouts to Real-ESRGAN's; others stay as they are."""
    if "model.0.weight" in tensors:
        return _rename_sequence(tensors)
    return {_renamed(name): tensor for name, tensor in tensors.items()}


def _renamed(name: str) -> str:
    for pattern, ours in RENAMED:
        name = re.sub(pattern, ours, name)
    return name


def _rename_sequence(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Name the stages of the oldest layout, one sequence: first, [blocks and last of the trunk], ups, hr, last."""
    blocks = [int(match[1]) for name in tensors if (match := re.match(r"model\.1\.sub\.(\d+)\.", name))]
    stages = sorted({int(match[1]) for name in tensors if (match := re.match(r"model\.(\d+)\.weight", name))})
    *ups, hr, last = stages[1:] if len(stages) > 2 else [*stages, -1, -1]
    names = {f"model.{stage}": f"conv_up{step}" for step, stage in enumerate(ups, 1)}
    names |= {"model.0": "conv_first", f"model.{hr}": "conv_hr", f"model.{last}": "conv_last"}
    names |= {f"model.1.sub.{max(blocks, default=0)}": "conv_body"}
    renamed = {}
    for name, tensor in tensors.items():
        stem, _, kind = name.rpartition(".")
        block = re.fullmatch(r"model\.1\.sub\.(\d+)\.RDB([123])\.conv(\d)\.0", stem)
        ours = f"body.{block[1]}.rdb{block[2]}.conv{block[3]}" if block else names.get(stem, stem)
        renamed[f"{ours}.{kind}"] = tensor
    return renamed


def guess_arguments(tensors: Mapping[str, Tensor]) -> RrdbArguments:
    """Read an RRDB network's arguments off its tensors. Raises ModelError for one that has no such form."""
    first, growth = tensors[FIRST[0]], tensors["body.0.rdb1.conv1.weight"]
    unshuffle = math.isqrt(first.shape[1] // 3)
    doublings = len([name for name in tensors if re.fullmatch(r"conv_up\d\.weight", name)])
    if 3 * unshuffle**2 != first.shape[1] or 2**doublings < unshuffle:
        raise ModelError(
            f"an RRDB network that takes {first.shape[1]} channels and doubles {doublings} times is unknown."
        )
    blocks = 1 + max(int(match[1]) for name in tensors if (match := re.match(r"body\.(\d+)\.", name)))
    found = {
        "network": "rrdb",
        "width": first.shape[0],
        "blocks": blocks,
        "growth": growth.shape[0],
        "doublings": doublings,
        "unshuffle": unshuffle,
    }
    try:
        return msgspec.convert(found, RrdbArguments)
    except msgspec.ValidationError as error:
        raise ModelError(f"an RRDB network of this form is unknown: {error}.") from None
