"""Adam (Kingma and Ba 2015), fused, over weights in whatever order they lie in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor


class Adam(torch.optim.Adam):
    """PyTorch's fused Adam, for weights that lie channels-last too.

    Its kernel for CPUs takes tensors in the order N C H W alone. Others are copied into it and back in every step, and
    that takes 2.6 times as long; where a gradient lies otherwise than its weight, numbers of different places are put
    together. Here gradients and moments lie as their weights do, and the kernel is shown what lies channels-last as
    N H W C: each number goes through the same computation.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, betas: tuple[float, float]) -> None:
        super().__init__(parameters, lr=lr, betas=betas, fused=True)

    def _init_group(self, group: dict[str, Any], weights: list[Tensor], grads: list[Tensor], *lists: Any) -> bool:
        has_complex = bool(super()._init_group(group, weights, grads, *lists))
        means, squares = lists[:2]
        for index, weight in enumerate(weights):
            order = torch.channels_last if _is_channels_last(weight) else torch.contiguous_format
            state = self.state[weight]
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = state[name].contiguous(memory_format=order)
            alike = weight, grads[index].contiguous(memory_format=order), state["exp_avg"], state["exp_avg_sq"]
            for tensors, tensor in zip((weights, grads, means, squares), alike, strict=True):
                tensors[index] = tensor.permute(0, 2, 3, 1) if order == torch.channels_last else tensor
        return has_complex


def _is_channels_last(tensor: Tensor) -> bool:
    """Tell whether a tensor lies in the order N H W C alone; a 1 x 1 kernel lies in both."""
    return not tensor.is_contiguous() and tensor.dim() == 4 and tensor.is_contiguous(memory_format=torch.channels_last)
