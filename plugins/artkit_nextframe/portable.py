"""The predictor of nextframe as a graph for other programs."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from artkit.nn import decode_image, encode_image


class PortablePredictor(nn.Module):
    """The predictor of the frame after three, or of one further ahead."""

    def __init__(self, predictor: nn.Module, ahead: int) -> None:
        super().__init__()
        self.predictor, self.ahead = predictor, ahead

    def forward(self, before2: Tensor, before: Tensor, image: Tensor) -> Tensor:
        """Map three frames N3HW in [0, 1], the last one last, to the one that follows."""
        frames = torch.stack([encode_image(frame) for frame in (before2, before, image)], 1)
        for _ in range(self.ahead):
            following = self.predictor(frames).clamp(-1, 1)
            frames = torch.cat([frames[:, 1:], following[:, None]], 1)
        return decode_image(frames[:, -1])
