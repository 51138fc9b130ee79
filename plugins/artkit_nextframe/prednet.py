"""PredNet: layers that predict what the one below is wrong about (Lotter, Kreiman, Cox 2016, section 2)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Layers = list[Tensor]
"""A tensor a layer, the lowest first."""


class PredNet(nn.Module):
    """Each layer l has a target A, a prediction of it from a recurrent state R, and errors E of both signs.

    Time step: R from top to bottom, each from its own E of the step before and the R above (eq. 4); then upwards, the
    prediction from R (eq. 2; the lowest is clipped at the largest pixel value), E (eq. 3), and the next A from E
    (eq. 1). Frames are in [0, 1] inside.
    """

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        self.channels = tuple(channels)
        above = (*self.channels[1:], 0)
        self.recurrent = nn.ModuleList(
            nn.Conv2d(3 * here + top, 4 * here, 3, padding=1) for here, top in zip(self.channels, above, strict=True)
        )
        self.predict = nn.ModuleList(nn.Conv2d(here, here, 3, padding=1) for here in self.channels)
        self.targets = nn.ModuleList(
            nn.Conv2d(2 * here, top, 3, padding=1) for here, top in zip(self.channels, above[:-1], strict=False)
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Predict the next frame, N 3 H W, of N T 3 H W, in [-1, 1]."""
        return self.follow(frames)[:, -1]

    def follow(self, frames: Tensor) -> Tensor:
        """Return the predictions of the second frame, the third and so on, and of the next: N T 3 H W, in [-1, 1]."""
        recurrent, cells, errors = self._begin(frames)
        recurrent, cells = self._recur(recurrent, cells, errors)
        predictions = []
        for frame in ((frames + 1) / 2).unbind(1):
            errors = self._compare(recurrent, frame)
            recurrent, cells = self._recur(recurrent, cells, errors)
            predictions.append(self._predict(0, recurrent[0]))
        return torch.stack(predictions, 1) * 2 - 1

    def _begin(self, frames: Tensor) -> tuple[Layers, Layers, Layers]:
        """Return R, the cells of its memory, and E, all zero: half as high and wide from layer to layer."""
        height, width = frames.shape[-2:]
        zeros = [
            frames.new_zeros(len(frames), 2 * here, height >> level, width >> level)
            for level, here in enumerate(self.channels)
        ]
        recurrent = [zero[:, : zero.shape[1] // 2] for zero in zeros]
        return recurrent, list(recurrent), zeros

    def _recur(self, recurrent: Layers, cells: Layers, errors: Layers) -> tuple[Layers, Layers]:
        """Return R and its cells, from the top down (eq. 4), by a convolutional LSTM (Shi et al. 2015)."""
        recurrent, cells = list(recurrent), list(cells)
        for level in reversed(range(len(self.channels))):
            seen = [errors[level], recurrent[level]]
            if level + 1 < len(self.channels):
                seen.append(F.interpolate(recurrent[level + 1], scale_factor=2.0))
            inner, forget, outer, candidate = self.recurrent[level](torch.cat(seen, 1)).chunk(4, 1)
            cells[level] = F.hardsigmoid(forget) * cells[level] + F.hardsigmoid(inner) * candidate.tanh()
            recurrent[level] = F.hardsigmoid(outer) * cells[level].tanh()
        return recurrent, cells

    def _compare(self, recurrent: Layers, frame: Tensor) -> Layers:
        """Return E of every layer, upwards (eq. 1 to 3)."""
        target, errors = frame, []
        for level in range(len(self.channels)):
            gap = target - self._predict(level, recurrent[level])
            errors.append(F.relu(torch.cat([gap, -gap], 1)))
            if level + 1 < len(self.channels):
                target = F.max_pool2d(F.relu(self.targets[level](errors[-1])), 2)
        return errors

    def _predict(self, level: int, recurrent: Tensor) -> Tensor:
        predicted = F.relu(self.predict[level](recurrent))
        return predicted.clamp(max=1) if level == 0 else predicted
