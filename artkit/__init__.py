"""artkit turns pictures into other pictures: methods are plugins, plugins compose into chains.

    import artkit
    artkit.Chain("semgan,pix2pix,touchup")("semantic.png").save("art.png")

Names load on first use, so that `import artkit` is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from artkit.chain import Chain, Step
    from artkit.engine import load
    from artkit.errors import (
        ArtkitError,
        ChainError,
        DataError,
        ImageError,
        ModelError,
        OptionError,
        OutputError,
        PluginError,
        TrainingError,
        UsageError,
        nearest,
    )
    from artkit.hookspecs import hookimpl
    from artkit.images import ClassSet, LabelClass, Picture, read_picture
    from artkit.models import ModelHeader
    from artkit.spec import (
        DatasetSpec,
        Kind,
        MethodSpec,
        MetricSpec,
        ModelSpec,
        Need,
        Options,
        Port,
        SizeRule,
        Tiling,
        option,
    )
    from artkit.training import Trainer, train
    from artkit.translator import Context, Translator

__version__ = "0.1.0"

_HOMES = {
    "chain": ("Chain", "Step"),
    "engine": ("load",),
    "errors": (
        "ArtkitError",
        "ChainError",
        "DataError",
        "ImageError",
        "ModelError",
        "OptionError",
        "OutputError",
        "PluginError",
        "TrainingError",
        "UsageError",
        "nearest",
    ),
    "hookspecs": ("hookimpl",),
    "images": ("ClassSet", "LabelClass", "Picture", "read_picture"),
    "models": ("ModelHeader",),
    "spec": (
        "DatasetSpec",
        "Kind",
        "MethodSpec",
        "MetricSpec",
        "ModelSpec",
        "Need",
        "Options",
        "Port",
        "SizeRule",
        "Tiling",
        "option",
    ),
    "training": ("Trainer", "train"),
    "translator": ("Context", "Translator"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "ArtkitError",
    "Chain",
    "ChainError",
    "ClassSet",
    "Context",
    "DataError",
    "DatasetSpec",
    "ImageError",
    "Kind",
    "LabelClass",
    "MethodSpec",
    "MetricSpec",
    "ModelError",
    "ModelHeader",
    "ModelSpec",
    "Need",
    "OptionError",
    "Options",
    "OutputError",
    "Picture",
    "PluginError",
    "Port",
    "SizeRule",
    "Step",
    "Tiling",
    "Trainer",
    "TrainingError",
    "Translator",
    "UsageError",
    "__version__",
    "hookimpl",
    "load",
    "nearest",
    "option",
    "read_picture",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'artkit' has no attribute '{name}'")
    value = getattr(importlib.import_module(f"artkit.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
