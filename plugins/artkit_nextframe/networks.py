"""Two predictors: one that moves the last frame, and PGN. Frames, N T 3 H W in [-1, 1], to the next, N 3 H W."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import SubpixelNet

SEEN = 3
"""Frames that a prediction is made from."""
FAST = 8.0
"""Pixels a frame that the network's output of 1 stands for."""
TRUSTED = 3.0
"""Logit of the share that the moved frame has at first."""


class FlowPredictor(nn.Module):
    """Where each pixel comes from in the last frame, and what to paint where it was not to be seen.

    `m warp(x, u) + (1 - m) r`, with the motion u, the mask m and the repair r found by one network. Nearly all of a
    camera's move is motion: what is only moved stays sharp, whatever the loss.
    """

    def __init__(self, network: SubpixelNet) -> None:
        super().__init__()
        self.network = network
        nn.init.zeros_(network.leave.weight)  # at first it shows the last frame, nearly
        nn.init.zeros_(network.leave.bias)  # type: ignore[arg-type]

    def forward(self, frames: Tensor) -> Tensor:
        """Predict the next frame."""
        found = self.network(frames.flatten(1, 2)).float()  # bf16 does not tell the places of neighbours apart
        motion, mask, repair = found.split((2, 1, 3), 1)
        share = torch.sigmoid(mask + TRUSTED)
        return torch.lerp(repair, warp(frames[:, -1].float(), FAST * motion), share).to(frames.dtype)


def warp(picture: Tensor, motion: Tensor) -> Tensor:
    """Return N C H W with each pixel taken from `motion` (right, down; pixels, N 2 H W) away, bilinearly.

    What lies beyond the picture is its nearest border.
    """
    height, width = picture.shape[-2:]
    rows, columns = (torch.arange(side, device=motion.device, dtype=motion.dtype) for side in (height, width))
    x = (columns + motion[:, 0]) * (2 / max(width - 1, 1)) - 1
    y = (rows[:, None] + motion[:, 1]) * (2 / max(height - 1, 1)) - 1
    return F.grid_sample(picture, torch.stack([x, y], -1), padding_mode="border", align_corners=True)


class Pgn(nn.Module):
    """Predictive generative network: an encoder of each frame, a recurrence over them, and a decoder (section 2).

    Theirs has a dense LSTM between convolutions, for pictures of one size. Here it is a convolutional gated unit
    (Ballas et al. 2016), so that any size goes through; the encoder sees 4 x 4 pixels as one, and bilinear
    interpolation leads back up, without a grid.
    """

    def __init__(self, width: int, blocks: int, detail: tuple[int, int]) -> None:
        super().__init__()
        half, full = detail
        self.enter = nn.Conv2d(48, width, 3, padding=1)
        self.gates = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.candidate = nn.Conv2d(2 * width, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1)
            )
            for _ in range(blocks)
        )
        self.to_half = nn.Conv2d(width, half, 3, padding=1)
        self.to_full = nn.Conv2d(half, full, 3, padding=1)
        self.leave = nn.Conv2d(full, 3, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        """Predict the next frame."""
        state = frames.new_zeros(1)
        for number, frame in enumerate(frames.unbind(1)):
            seen = F.leaky_relu(self.enter(F.pixel_unshuffle(frame, 4)), 0.2)
            state = self._remember(torch.zeros_like(seen) if number == 0 else state, seen)
        for block in self.blocks:
            state = state + block(state)
        for conv in (self.to_half, self.to_full):
            state = F.leaky_relu(conv(F.interpolate(state, scale_factor=2.0, mode="bilinear")), 0.2)
        predicted: Tensor = self.leave(state)
        return predicted

    def _remember(self, state: Tensor, seen: Tensor) -> Tensor:
        """Return the state after one more frame (Cho et al. 2014, by convolutions)."""
        forget, update = torch.sigmoid(self.gates(torch.cat([seen, state], 1))).chunk(2, 1)
        candidate = torch.tanh(self.candidate(torch.cat([seen, forget * state], 1)))
        return torch.lerp(state, candidate, update)
