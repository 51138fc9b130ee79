"""Writing a model's networks back in the layout of pytorch-CycleGAN-and-pix2pix (and CUT, where they are filtered)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from artkit.errors import ModelError
from artkit.files import atomic_file, make_folder
from artkit.models.file import Model, describe_differences
from artkit.models.foreign.recognising import LAYOUTS

LAYOUT = "cyclegan"
_ROLES = {"generator": "G", "discriminator": "D"}
_SCALE = "scales.0."  # artkit's discriminators may have several scales; theirs is the first


def export_networks(model: Model) -> dict[str, dict[str, Tensor]]:
    """Return the state dict of each network of a model under the names and in the order of that project.

    The keys are that project's too: `G`, `D`, or `G_A`, `G_B`, `D_A`, `D_B`. An imported file's tensors come back bit
    for bit. Raises ModelError for a network that it does not have.
    """
    return {_their_name(ours): _export(model, ours, state) for ours, state in _networks(model.tensors)}


def write_networks(model: Model, target: Path, *, overwrite: bool = False) -> list[Path]:
    """Write a model's only generator to the file `target`, or all its networks, `latest_net_G_A.pth` ..., to a folder.

    A `target` with a suffix is a file: safetensors where it ends so, else what `torch.save` writes. Raises ModelError
    as `export_networks` does and when a file is to hold two generators, OutputError when writing fails.
    """
    networks = export_networks(model)
    if target.is_dir() or not target.suffix:
        make_folder(target)
        files = {target / f"latest_net_{name}.pth": state for name, state in networks.items()}
    else:
        generators = [name for name in networks if name.startswith("G")]
        if len(generators) != 1:
            raise ModelError(
                f"{model.path} holds {' and '.join(networks)}: give a folder instead of the file {target}."
            )
        files = {target: networks[generators[0]]}
    for path, state in files.items():
        _write(path, state, overwrite)
    return list(files)


def _networks(tensors: Mapping[str, Tensor]) -> Iterator[tuple[str, dict[str, Tensor]]]:
    for network in dict.fromkeys(name.partition(".")[0] for name in tensors):
        prefix = f"{network}."
        yield network, {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _their_name(ours: str) -> str:
    role, _, side = ours.partition("_")
    if role not in _ROLES or side not in ("", "a", "b"):
        raise ModelError(f"The layout of {LAYOUT} has generators and discriminators, and no '{ours}'.")
    return _ROLES[role] + (f"_{side.upper()}" if side else "")


def _export(model: Model, network: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    if network.startswith("discriminator"):
        state = {name.removeprefix(_SCALE): tensor for name, tensor in state.items()}
        name, arguments = "patch", _discriminator_arguments(state)
    else:
        name, arguments = model.header.architecture, model.header.arguments.get("generator", {})
    layout = next((layout for layout in LAYOUTS if layout.owns(name, arguments)), None)
    if layout is None:
        raise ModelError(f"{model.path} is a {name} network, which the layout of {LAYOUT} does not have.")
    theirs = {entry.ours: entry.theirs for entry in layout.entries(arguments)}
    # Names alone: the way back of a two-way model has its channels exchanged.
    if differences := describe_differences(dict.fromkeys(theirs, ()), dict.fromkeys(state, ()), shown=1):
        raise ModelError(f"{model.path}: its {network} does not fit the layout of {LAYOUT}; {differences}.")
    return {there: state[here] for here, there in theirs.items()}


def _discriminator_arguments(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """Read off a PatchDiscriminator's tensors what decides their names over there."""
    stages = len({name.split(".")[1] for name in state if name.startswith("stages.")})
    pixel = "stages.0.0.weight" in state and state["stages.0.0.weight"].shape[-1] == 1
    norm = "batch" if "stages.1.1.weight" in state else "instance" if "stages.1.0.bias" in state else "none"
    layers = 0 if pixel else max(stages - 2, 1)
    return {"in_channels": 0, "width": 0, "layers": layers, "norm": norm, "antialias": "stages.0.3.filter" in state}


def _write(path: Path, state: dict[str, Tensor], overwrite: bool) -> None:
    with atomic_file(path, overwrite=overwrite) as stream:
        if path.suffix == ".safetensors":
            stream.write(safetensors.torch.save({name: tensor.contiguous() for name, tensor in state.items()}))
        else:
            torch.save(state, stream)
