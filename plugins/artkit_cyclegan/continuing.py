"""The training options that a model was made with, as its header and its tensors tell."""

from __future__ import annotations

from typing import Any

from artkit.models import Model
from artkit.nn import PATCH_LAYERS
from artkit_cyclegan.generator import MANNER, OURS

BUILT_WITH = ("width", "norm", "dropout")
RESNET_BUILT_WITH = ("upsample",)
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
    return options | _judge_options(model)


def _judge_options(model: Model) -> dict[str, Any]:
    """Return `scales` and `patch`, read off a discriminator's first convolutions and the number of its stages."""
    prefix, first = "discriminator_a.scales.", ".stages.0.0.weight"
    weights = [tensor for name, tensor in model.tensors.items() if name.startswith(prefix) and name.endswith(first)]
    if not weights:
        return {}
    stages = {name.split(".")[4] for name in model.tensors if name.startswith(f"{prefix}0.stages.")}
    layers = 0 if weights[0].shape[-1] == 1 else len(stages) - 2
    patches = [patch for patch, known in PATCH_LAYERS.items() if known == layers]
    return {"scales": [len(weight) for weight in weights], **({"patch": patches[0]} if patches else {})}
