"""Gradient accumulation: a step on several batches that is the step on one larger batch, for GANs too.

The optimisers of a GAN step one after another, and what the generator learns depends on the discriminator's step before
it. Adding up the gradients of all in one pass would let most batches see weights from before that step. So a step is
computed in rounds, one for each update in it: a round computes every batch as far as the update at hand, adds up its
gradients, and the optimiser steps; the next round computes every batch again, with the weights that each part of it saw
the first time, as far as the next update. Memory is that of one batch, and of the weights three times; what lies before
an update is computed once more for each that follows, without its backward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor

from artkit.errors import PluginError

Losses = dict[str, Tensor]


class _Waits(BaseException):
    """Ends the computation of one batch at an update that waits for the gradients of the others."""


class Accumulation:
    """The updates of one step after another, each from the mean gradient over `batches` batches of one size.

    A batch draws the same chance in every round, from a seed of its own. Batch norms see one batch, as losses do that
    compare the pictures of a batch: there a larger batch is another thing.
    """

    def __init__(self, optimisers: Mapping[str, torch.optim.Optimizer], batches: int) -> None:
        self.optimisers, self.batches = optimisers, batches
        self._expected = 1  # updates in a step, as far as is known; a wrong guess costs a round
        self._taken: list[tuple[str, list[Tensor]]] = []  # updates of this step, and the weights they led to
        self._before: dict[str, list[Tensor]] = {}  # the weights that the step began with
        self._waiting: str | None = None  # the update whose gradients are added up
        self._index, self._is_taken = 0, False

    def run(self, compute: Callable[[int], Losses], rewind: Callable[[], None]) -> Losses:
        """Take a step, of which `compute(i)` does batch i; return the mean losses.

        `rewind` puts back what the trainer remembers besides weights, before a round computes the batches again. Raises
        PluginError for a trainer that steps its optimisers itself.
        """
        self._taken, self._before = [], {}
        seeds = torch.randint(2**62, (self.batches,)).tolist()
        with torch.random.fork_rng():
            while True:
                self._waiting = None
                found = [self._compute(compute, index, seed) for index, seed in enumerate(seeds)]
                if self._waiting is not None:
                    self._step(self._waiting)
                losses = [one for one in found if one is not None]
                if len(losses) == self.batches:
                    break
                rewind()
        if not self._taken:
            raise PluginError(
                "the trainer makes no update by Trainer.update(), whose gradients accumulate: leave accumulate out."
            )
        self._expected = len(self._taken)
        return _mean(losses)

    @contextmanager
    def updating(self, name: str) -> Iterator[None]:
        """Add the gradients of the block to those of the other batches, or go on from the update, if it is taken."""
        index, self._index = self._index, self._index + 1
        self._is_taken = index < len(self._taken)
        if self._is_taken:
            yield
            self._check(name, self._taken[index][0])
            _copy(self._taken[index][1], self._weights(name))
            return
        if index > len(self._taken):  # there are more updates than was thought: this one is for another round
            raise _Waits
        if self._waiting is None:
            self.optimisers[name].zero_grad(set_to_none=True)
            self._waiting = name
        self._check(name, self._waiting)
        yield
        if index + 1 < self._expected:
            raise _Waits

    def backward(self, loss: Tensor) -> None:
        """Add a batch's share of the gradient; nothing where the update is taken already."""
        if not self._is_taken:
            (loss / self.batches).backward()

    def _compute(self, compute: Callable[[int], Losses], index: int, seed: int) -> Losses | None:
        """Compute a batch with the weights that the step began with; None where it waits for the others."""
        for name, weights in self._before.items():
            _copy(weights, self._weights(name))
        self._index = 0
        torch.manual_seed(seed)
        try:
            return compute(index)
        except _Waits:
            return None

    def _step(self, name: str) -> None:
        weights = self._weights(name)
        self._before.setdefault(name, [weight.detach().clone() for weight in weights])
        self.optimisers[name].step()
        self._taken.append((name, [weight.detach().clone() for weight in weights]))

    def _weights(self, name: str) -> list[Tensor]:
        return [weight for group in self.optimisers[name].param_groups for weight in group["params"]]

    @staticmethod
    def _check(name: str, expected: str) -> None:
        if name != expected:
            raise PluginError(
                f"the trainer updates '{name}' for one batch and '{expected}' for another: leave accumulate out."
            )


@torch.no_grad()
def _copy(values: list[Tensor], weights: list[Tensor]) -> None:
    if weights:
        torch._foreach_copy_(weights, values)


def _mean(losses: list[Losses]) -> Losses:
    """Return the mean of each loss over the batches that have it."""
    names = dict.fromkeys(name for one in losses for name in one)
    values = {name: [one[name].detach().float() for one in losses if name in one] for name in names}
    return {name: torch.stack(each).mean() for name, each in values.items()}
