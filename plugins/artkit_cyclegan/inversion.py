"""The guard against colour inversion: cycles close as well through a negative as through the picture itself."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from artkit.nn import encode_image
from artkit.training import Restart

WATCHED = (100, 2000)  # steps: too early, chance still rules; later a run has found its way
EVERY = 50
MEMORY = 0.98  # of the running mean, a step
INVERTED = -0.3
WAYS = {"a": "A to B", "b": "B to A"}


def luminance_correlation(x: Tensor, y: Tensor) -> Tensor:
    """Return how the luminances of two batches of pictures correlate, averaged over the batch: -1 is a negative.

    Pictures are N3HW, or N1HW for grey ones; their range does not matter.
    """
    x, y = (_luminance(picture.float()).flatten(1) for picture in (x, y))
    return torch.cosine_similarity(x - x.mean(1, keepdim=True), y - y.mean(1, keepdim=True)).mean()


def _luminance(picture: Tensor) -> Tensor:
    return picture if picture.shape[1] == 1 else encode_image(picture, 1)


class InversionGuard:
    """Watch how the luminances of inputs and outputs correlate, as a running mean for each direction.

    Nothing in the cycle loss forbids that A to B makes negatives and B to A undoes it; runs that begin so seldom
    recover (junyanz/pytorch-CycleGAN-and-pix2pix, issues 91 and 1301). Weights decide it, so another seed helps.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.means: dict[str, Tensor] = {}

    def watch(self, correlations: dict[str, Tensor]) -> None:
        """Count one step; raises Restart when a direction has clearly inverted early in the run."""
        self.steps += 1
        for side, value in correlations.items():
            self.means[side] = self.means.get(side, value).lerp(value, 1 - MEMORY)
        if self.steps % EVERY or not WATCHED[0] <= self.steps <= WATCHED[1]:
            return
        for side, mean in self.means.items():
            if mean < INVERTED:
                raise Restart(
                    f"colours are inverted from {WAYS[side]} (correlation {float(mean):.2f} after {self.steps} steps)"
                )

    def state(self) -> dict[str, Any]:
        """Return everything `load_state` needs."""
        return {"steps": self.steps, "means": dict(self.means)}

    def load_state(self, state: dict[str, Any]) -> None:
        """Restore what `state` returned."""
        self.steps, self.means = state["steps"], dict(state["means"])
