"""The training options that a model was made with, as its header and its tensors tell."""

from __future__ import annotations

from typing import Any

from artkit.models import Model
from artkit.nn import discriminator_options

BUILT_WITH = ("width", "norm", "dropout", "noise", "antialias")
SUBPIXEL_BUILT_WITH = ("blocks", "detail", "upsample")


def options_of(model: Model) -> dict[str, Any]:
    """Return the options of Pix2PixTraining that give networks of the same tensors."""
    header = model.header
    names = BUILT_WITH + (SUBPIXEL_BUILT_WITH if header.architecture == "subpixel" else ())
    options = {name: header.arguments[name] for name in names if name in header.arguments}
    if header.conditions:
        usual = header.arguments.get("usual", {})
        options |= {"conditions": list(header.conditions), "usual": list(usual.values())}
    judge = discriminator_options(model.tensors, "discriminator")
    return {**judge, "network": header.architecture, **options}
