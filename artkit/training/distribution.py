"""Distributed data-parallel training: several processes, one model (Li et al., "PyTorch Distributed", 2020).

`torchrun --nproc-per-node N -m artkit train ...` starts N processes. Each computes the losses of its share of every
batch, gradients are averaged over the processes before an optimiser steps, and so all hold the same weights. We average
in a hook of the optimiser instead of wrapping networks in DistributedDataParallel: trainers call a discriminator
several times a step, and its features without its forward, which that class does not allow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn

from artkit.errors import UsageError


class Processes:
    """The processes that train together: this one's `rank`, and how many there are, `count`."""

    def __init__(self, rank: int = 0, count: int = 1) -> None:
        self.rank, self.count = rank, count
        self._control = distributed.new_group(backend="gloo") if count > 1 else None

    @property
    def first(self) -> bool:
        """Whether this process writes logs, sheets, checkpoints and the model."""
        return self.rank == 0

    def share_of(self, batch: int) -> int:
        """Return how many pictures of a batch this process computes. Raises UsageError where shares are unequal."""
        if batch % self.count:
            fitting = -(-batch // self.count) * self.count
            raise UsageError(f"batch={batch} cannot be shared by {self.count} processes: try --batch {fitting}.")
        return batch // self.count

    def connect(self, optimisers: Iterable[torch.optim.Optimizer]) -> None:
        """Let each optimiser average its gradients over the processes before every step."""
        if self.count > 1:
            for optimiser in optimisers:
                optimiser.register_step_pre_hook(self._average_gradients)

    def any(self, flag: bool) -> bool:
        """Tell whether any process says so; all have to ask, and no device waits for it."""
        if self._control is None:
            return flag
        told = torch.tensor(float(flag))
        distributed.all_reduce(told, distributed.ReduceOp.MAX, self._control)
        return bool(told > 0)

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        """Return the means over the processes of numbers that all of them have."""
        if self._control is None or not values:
            return values
        told = torch.tensor(list(values.values()), dtype=torch.float64)
        distributed.all_reduce(told, group=self._control)
        return dict(zip(values, (told / self.count).tolist(), strict=True))

    def gather(self, state: Any) -> list[Any]:
        """Return every process's `state`, in the order of ranks."""
        if self._control is None:
            return [state]
        states: list[Any] = [None] * self.count
        distributed.all_gather_object(states, state, self._control)
        return states

    def share_buffers(self, networks: Iterable[nn.Module]) -> None:
        """Give all processes the buffers of the first, statistics of batch norms, as DistributedDataParallel does."""
        if self.count > 1:
            for network in networks:
                for buffer in network.buffers():
                    distributed.broadcast(buffer, 0)

    def close(self) -> None:
        """Leave the group, once all have come here."""
        if self.count > 1:
            distributed.barrier(self._control)
            distributed.destroy_process_group()

    def _average_gradients(self, optimiser: torch.optim.Optimizer, *_: Any) -> None:
        parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        if gradients:
            flat = torch.cat([gradient.flatten() for gradient in gradients])
            distributed.all_reduce(flat)
            _spread(flat / self.count, gradients)


def _spread(flat: Tensor, gradients: list[Tensor]) -> None:
    """Write the parts of `flat` back into tensors."""
    parts = flat.split([gradient.numel() for gradient in gradients])
    torch._foreach_copy_(gradients, [part.view_as(gradient) for part, gradient in zip(parts, gradients, strict=True)])


def join_processes() -> Processes:
    """Join the group that torchrun started this process for; without torchrun, a process is a group of its own."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    if count == 1:
        return Processes()
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
    distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    return Processes(distributed.get_rank(), count)
