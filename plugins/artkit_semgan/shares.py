"""How much of a map each class covers, in each cell and over the whole world."""

from __future__ import annotations

import torch
from torch import Tensor

KEEP_WORLD, KEEP_DREAMS = 0.99, 0.9
"""How much of the running shares of real maps and of dreams one more batch leaves as it was."""


def cell_shares(labels: Tensor, classes: int, side: int) -> Tensor:
    """Return each class's share of each of `side` x `side` cells of label maps N H W: N K side side, summing to 1.

    Pixels of maps smaller than that are repeated first, so that every cell holds some.
    """
    times = max(1, *(-(-side // extent) for extent in labels.shape[1:]))
    labels = labels.repeat_interleave(times, 1).repeat_interleave(times, 2)
    count, height, width = labels.shape
    rows, columns = (torch.arange(extent, device=labels.device) * side // extent for extent in (height, width))
    maps = torch.arange(count, device=labels.device) * side * side
    cells = maps[:, None, None] + rows[:, None] * side + columns
    counts = torch.bincount((cells * classes + labels).flatten(), minlength=count * side * side * classes)
    counts = counts.reshape(count, side, side, classes).movedim(-1, 1).float()
    return counts / counts.sum(1, keepdim=True)


class RunningShares:
    """Class shares of the real maps and of the dreams, averaged over the last batches."""

    def __init__(self, classes: int) -> None:
        self.world, self.dreams = torch.zeros(classes), torch.zeros(classes)

    def compare(self, real: Tensor, dreams: Tensor) -> Tensor:
        """Take in distributions N K H W and return how far the dreams' shares are from the world's.

        The distance is chi-square, softened for rare classes. Its gradient is that of these dreams alone, as if they
        made up the whole average.
        """
        self.world = self._mix(self.world, real, KEEP_WORLD)
        shares = self._mix(self.dreams, dreams, KEEP_DREAMS)
        self.dreams = shares.detach()
        return ((shares - self.world).square() / (self.world + 0.01)).sum() / (1 - KEEP_DREAMS)

    def _mix(self, old: Tensor, maps: Tensor, keep: float) -> Tensor:
        new = maps.float().mean((0, 2, 3))
        return torch.lerp(new, old.to(new.device), keep) if bool(old.any()) else new

    def state_dict(self) -> dict[str, Tensor]:
        """Return both averages."""
        return {"world": self.world, "dreams": self.dreams}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore both averages."""
        self.world, self.dreams = state["world"], state["dreams"]
