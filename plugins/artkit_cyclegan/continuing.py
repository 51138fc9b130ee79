"""The training options that a model was made with, as its header and its tensors tell."""

from __future__ import annotations

from typing import Any

from artkit.models import Model
from artkit.nn import discriminator_options
from artkit_cyclegan.generator import MANNER, OURS

BUILT_WITH = ("width", "norm", "dropout")
RESNET_BUILT_WITH = ("upsample", "antialias")
OURS_BUILT_WITH = ("blocks", "detail")


def options_of(model: Model) -> dict[str, Any]:
    """Return the options of CycleGANTraining that give networks of the same tensors."""
    header = model.header
    generator = header.arguments["generator"]
    names = BUILT_WITH + (OURS_BUILT_WITH if header.architecture in OURS else RESNET_BUILT_WITH)
    options = {name: generator[name] for name in names if name in generator}
    channels = [generator["in_channels"], generator["out_channels"]]
    options |= {"network": header.architecture, "channels": channels}
    if MANNER in header.conditions:
        options["target"] = list(header.conditions[MANNER])
    return discriminator_options(model.tensors, "discriminator_a") | options
