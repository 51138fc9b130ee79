"""An exponential moving average of a network's weights."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn


class Ema:
    """Keep `decay` of the average and mix in the rest at every `update`; the average is what samples and exports use.

    Early on the decay grows as (1 + t) / (10 + t), so that the first random weights are soon forgotten.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.module = copy.deepcopy(module).eval().requires_grad_(False)
        self.decay, self.updates = decay, 0

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Mix the present weights of `module` into the average; buffers are copied."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        averages: list[Tensor] = list(self.module.parameters())
        weights: list[Tensor] = list(module.parameters())
        torch._foreach_lerp_(averages, weights, 1 - decay)
        for average, buffer in zip(self.module.buffers(), module.buffers(), strict=True):
            average.copy_(buffer)

    def state_dict(self) -> dict[str, int | dict[str, Tensor]]:
        """Return everything `load_state_dict` needs."""
        return {"updates": self.updates, "module": self.module.state_dict()}

    def load_state_dict(self, state: dict[str, int | dict[str, Tensor]]) -> None:
        """Restore a saved average."""
        self.updates = int(state["updates"])  # type: ignore[arg-type]
        self.module.load_state_dict(state["module"])  # type: ignore[arg-type]
