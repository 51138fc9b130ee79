"""Chains: methods in order, as text, as a recipe file or as Python objects, checked before anything runs."""

from __future__ import annotations

from artkit.chain.plan import Binding, Plan, PlannedStep
from artkit.chain.planning import plan_chain
from artkit.chain.recipe import Recipe, read_recipe
from artkit.chain.steps import Chain, Step, Value

__all__ = [
    "Binding",
    "Chain",
    "Plan",
    "PlannedStep",
    "Recipe",
    "Step",
    "Value",
    "plan_chain",
    "read_recipe",
]
