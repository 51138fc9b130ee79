"""The settings of the paper, as its recipe says them, with small networks."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from artkit_cyclegan import CycleGANTraining

RECIPE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "examples" / "recipes" / "cyclegan-paper.toml").read_text(encoding="utf-8")
)
SMALL = {"network": "resnet_6", "width": 4, "receptive_field": 16, "widths": (4,)}
PAPER = {name: RECIPE[name] for name in CycleGANTraining.__struct_fields__ if name in RECIPE} | SMALL
