"""The guard of a run: losses and weights that are no numbers, and discriminators that have won for good."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

MOST_ROLLBACKS = 3
"""How often a run goes back to its last checkpoint before it gives up."""
COLLAPSED, ROWS = 1e-3, 3
"""A discriminator has collapsed whose mean loss is below this in so many rows of the log in a row."""
DISCRIMINATOR = "discriminator"
"""How the names of discriminators' losses begin."""


class Diverged(Exception):
    """Raised inside the loop, in every process alike, where a run is to go back to its last checkpoint."""


class Guard:
    """Look at the losses where they are read anyway; say when a run is to go back, and how far its rate is lowered.

    A discriminator whose loss is nothing, of the vanilla, least-squares and hinge losses alike, tells every real
    picture from every fake with certainty. What the generator then learns from is a gradient that vanishes (Goodfellow
    et al. 2014, section 3; Arjovsky and Bottou 2017, theorem 2.4). One low row may be chance; `ROWS` of them are not.
    """

    def __init__(self) -> None:
        self.rollbacks = 0
        self.low: dict[str, int] = {}

    @property
    def factor(self) -> float:
        """The factor of the learning rate: half for every time that the run went back."""
        return 0.5**self.rollbacks

    def check_numbers(self, losses: Mapping[str, float], step: int) -> None:
        """Raise Diverged where a loss is NaN or infinite."""
        for name, value in losses.items():
            if not math.isfinite(value):
                raise Diverged(f"the loss '{name}' became {'NaN' if math.isnan(value) else 'infinite'} at step {step}")

    def check_weights(self, networks: Mapping[str, nn.Module], step: int) -> None:
        """Raise Diverged where a network's weights are not numbers any more: no checkpoint may hold them."""
        for name, network in networks.items():
            if not _finite(network.parameters()):
                raise Diverged(f"the weights of the {name} became NaN at step {step}")

    def check_row(self, losses: Mapping[str, float], step: int) -> None:
        """Count one row of the log; raise Diverged where a loss is no number, or a discriminator has collapsed."""
        self.check_numbers(losses, step)
        for name, value in losses.items():
            if name.startswith(DISCRIMINATOR):
                self.low[name] = self.low.get(name, 0) + 1 if value < COLLAPSED else 0
                if self.low[name] >= ROWS:
                    raise Diverged(f"the loss '{name}' stayed below {COLLAPSED:g} until step {step}: it has collapsed")

    def state(self) -> dict[str, Any]:
        """Return everything `load_state` needs."""
        return {"rollbacks": self.rollbacks, "low": dict(self.low)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.rollbacks, self.low = int(state["rollbacks"]), {str(k): int(v) for k, v in state["low"].items()}


def _finite(parameters: Iterable[nn.Parameter]) -> bool:
    sums = [parameter.detach().float().sum() for parameter in parameters]  # a sum is no number where a part is none
    return not sums or bool(torch.stack(sums).isfinite().all())
