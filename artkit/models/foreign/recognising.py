"""Telling a network by the names and shapes of its tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from artkit.errors import ModelError
from artkit.models.file import describe_differences
from artkit.models.foreign.layout import Entry, Layout, Shape
from artkit.models.foreign.patch import PatchLayout, PixelLayout
from artkit.models.foreign.resnet import ResnetLayout
from artkit.models.foreign.unet import UnetLayout
from artkit.spec.checkpoint import Recognised

LAYOUTS: tuple[Layout, ...] = (ResnetLayout(), UnetLayout(), PatchLayout(), PixelLayout())

_WRAPPERS = ("module.", "_orig_mod.")  # DistributedDataParallel, torch.compile
_STATISTICS = ("running_mean", "running_var", "num_batches_tracked")


def recognise(state: Mapping[str, Tensor]) -> Recognised:
    """Tell which network of pytorch-CycleGAN-and-pix2pix or CUT a state dict belongs to.

    Prefixes of DistributedDataParallel and torch.compile are taken off, and the running statistics that instance norms
    of 2017 kept are dropped, as that project itself does. Raises ModelError, one line on how the tensors differ from
    the nearest layout.
    """
    state = _without_old_statistics(_without_wrappers(state))
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    layout, arguments, entries = _nearest(shapes)
    found = {entry.theirs: entry for entry in entries}
    needed = {name: entry.shape for name, entry in found.items() if not entry.optional or name in shapes}
    if not needed.keys() & shapes.keys():
        raise ModelError(_unknown(shapes))
    if differences := describe_differences(needed, shapes, shown=1):
        raise ModelError(f"no network artkit knows; the nearest is {layout.words(arguments)}; {differences}.")
    # A count of batches that is not there is zero: nothing but further training reads it.
    tensors = {entry.ours: state.get(name, torch.tensor(0)) for name, entry in found.items()}
    return Recognised(layout.role, layout.network(arguments), arguments, tensors, layout.words(arguments))


def _nearest(shapes: Mapping[str, Shape]) -> tuple[Layout, dict[str, Any], list[Entry]]:
    """Return the layout that shares most names, with the arguments the shapes suggest and its tensors."""
    guesses = [(layout, layout.guess(shapes)) for layout in LAYOUTS]
    known = [(layout, arguments, list(layout.entries(arguments))) for layout, arguments in guesses]
    return max(known, key=lambda one: sum(_likeness(entry, shapes) for entry in one[2]) / max(len(one[2]), len(shapes)))


def _likeness(entry: Entry, shapes: Mapping[str, Shape]) -> int:
    if entry.theirs not in shapes:
        return 0
    return 2 if shapes[entry.theirs] == entry.shape else 1


def _without_wrappers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    names = list(state)
    while prefix := next((one for one in _WRAPPERS if names and all(name.startswith(one) for name in names)), None):
        names = [name.removeprefix(prefix) for name in names]
    return dict(zip(names, state.values(), strict=True))


def _without_old_statistics(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Drop statistics of norms without weights: PyTorch 0.3 and before kept them for instance norms too."""
    return {
        name: tensor
        for name, tensor in state.items()
        if not (name.endswith(_STATISTICS) and f"{name.rpartition('.')[0]}.weight" not in state)
    }


def _unknown(shapes: Mapping[str, Shape]) -> str:
    first = next((f" (the first of {len(shapes)}: {name} {shape})" for name, shape in shapes.items()), "")
    return (
        f"no network artkit knows: its tensors{first} are not named as in the ResNet and U-Net generators and the "
        "PatchGAN discriminators of pytorch-CycleGAN-and-pix2pix and CUT."
    )
