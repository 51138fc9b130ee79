"""The way down of one picture: step by step along the gradient of its loss, with an average of where it has been."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

RATE = 0.02  # of Adam
MEMORY = 0.95  # of the average of iterates, which is shown: it wavers less than each of them

Gradient = Callable[[Tensor], tuple[float, Tensor]]
"""The loss of a picture, and the gradient of that."""


class Descent:
    """A picture (3HW) on its way; `good` is the best it has come to: for Adam the average, for L-BFGS where it is."""

    def __init__(self, start: Tensor, optimiser: str) -> None:
        self.picture = start.detach().clone().requires_grad_()
        self.good, self._average, self._weight = start.detach(), torch.zeros_like(start), 0.0
        self._averages = optimiser == "adam"
        self._optimiser: torch.optim.Optimizer = (
            torch.optim.Adam([self.picture], lr=RATE, betas=(0.9, 0.99))
            if self._averages
            else torch.optim.LBFGS([self.picture], lr=1.0, max_iter=1, history_size=10)
        )

    def step(self, gradient: Gradient) -> bool:
        """Take one step, back into [0, 1]; return False where the loss is no number, or leads to a picture of none."""

        def closure() -> float:
            loss, slope = gradient(self.picture)
            # Losses are means over the picture. Times its pixels, slopes do not vanish beside the optimisers' epsilons.
            self.picture.grad = slope * slope.numel()
            return loss

        loss = float(self._optimiser.step(closure))
        with torch.no_grad():
            if not math.isfinite(loss) or not bool(torch.isfinite(self.picture).all()):
                return False
            self.picture.clamp_(0, 1)
            self._average = MEMORY * self._average + (1 - MEMORY) * self.picture
            self._weight = MEMORY * self._weight + 1 - MEMORY
            self.good = self._average / self._weight if self._averages else self.picture.detach().clone()
        return True

    def state(self) -> dict[str, Any]:
        """Return all that the next steps depend on."""
        return {
            "picture": self.picture.detach(),
            "good": self.good,
            "average": self._average,
            "weight": self._weight,
            "optimiser": self._optimiser.state_dict(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from where another descent of the same picture was."""
        with torch.no_grad():
            self.picture.copy_(state["picture"])
        self.good, self._average = (state[name].to(self.good) for name in ("good", "average"))
        self._weight = state["weight"]
        self._optimiser.load_state_dict(state["optimiser"])
