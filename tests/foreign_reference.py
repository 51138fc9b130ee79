"""Checkpoints of pytorch-CycleGAN-and-pix2pix and CUT with random weights, and what those networks compute.

Written from the projects' lists of keys alone: `state[...]` by their names, `F.*` calls, nothing of artkit's.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

State = dict[str, Tensor]


class Weights:
    """A growing state dict: convolutions and norms with random weights."""

    def __init__(self, norm: str, seed: int = 0) -> None:
        self.norm, self.state = norm, {}
        self.random = torch.Generator().manual_seed(seed)

    def draw(self, *shape: int) -> Tensor:
        return torch.randn(shape, generator=self.random)

    def conv(self, name: str, *shape: int, outputs: int | None = None, bias: bool | None = None) -> None:
        """Add a weight of variance 2 / fan-in, and a bias: under instance norm, or where `bias` says so."""
        self.state[f"{name}.weight"] = self.draw(*shape) * (2 / (shape[1] * shape[2] * shape[3])) ** 0.5
        if self.norm == "instance" if bias is None else bias:
            self.state[f"{name}.bias"] = 0.1 * self.draw(outputs or shape[0])

    def batch_norm(self, name: str, channels: int) -> None:
        if self.norm == "batch":
            self.state[f"{name}.weight"] = 1 + 0.2 * self.draw(channels)
            self.state[f"{name}.bias"] = 0.2 * self.draw(channels)
            self.state[f"{name}.running_mean"] = 0.5 * self.draw(channels)
            self.state[f"{name}.running_var"] = 1 + 0.5 * self.draw(channels).abs()
            self.state[f"{name}.num_batches_tracked"] = torch.tensor(7)


def blur(channels: int, side: int) -> Tensor:
    line = torch.tensor([1.0, 2, 1] if side == 3 else [1.0, 3, 3, 1])
    square = torch.outer(line, line) / line.sum() ** 2
    return (square if side == 3 else 4 * square)[None, None].repeat(channels, 1, 1, 1)


def resnet_state(norm="instance", blocks=9, dropout=False, cut=False, width=4, inside=3, outside=3) -> State:
    weights, second = Weights(norm), 6 if dropout else 5
    weights.conv("model.1", width, inside, 7, 7)
    weights.batch_norm("model.2", width)
    halves = (4, 8) if cut else (4, 7)
    for place, channels in zip(halves, (2 * width, 4 * width), strict=True):
        weights.conv(f"model.{place}", channels, channels // 2, 3, 3)
        weights.batch_norm(f"model.{place + 1}", channels)
        if cut:
            weights.state[f"model.{place + 3}.filt"] = blur(channels, 3)
    start = 12 if cut else 10
    for block in range(start, start + blocks):
        for place in (1, second):
            weights.conv(f"model.{block}.conv_block.{place}", 4 * width, 4 * width, 3, 3)
            weights.batch_norm(f"model.{block}.conv_block.{place + 1}", 4 * width)
    place = start + blocks
    for channels in (4 * width, 2 * width):
        if cut:
            weights.state[f"model.{place}.filt"] = blur(channels, 4)
            weights.conv(f"model.{place + 1}", channels // 2, channels, 3, 3)
        else:
            weights.conv(f"model.{place}", channels, channels // 2, 3, 3, outputs=channels // 2)
        weights.batch_norm(f"model.{place + (2 if cut else 1)}", channels // 2)
        place += 4 if cut else 3
    weights.conv(f"model.{place + 1}", outside, width, 7, 7, bias=True)
    return weights.state


def unet_state(norm="batch", levels=8, width=4, inside=3, outside=3) -> State:
    weights = Weights(norm)
    weights.conv("model.model.0", width, inside, 4, 4)
    widths = [width, 2 * width, 4 * width, *[8 * width] * (levels - 3)]
    name = "model.model.1."
    for outer, inner in pairwise(widths[:-1]):
        weights.conv(f"{name}model.1", inner, outer, 4, 4)
        weights.batch_norm(f"{name}model.2", inner)
        weights.conv(f"{name}model.5", 2 * inner, outer, 4, 4, outputs=outer)
        weights.batch_norm(f"{name}model.6", outer)
        name += "model.3."
    weights.conv(f"{name}model.1", widths[-1], widths[-2], 4, 4)
    weights.conv(f"{name}model.3", widths[-1], widths[-2], 4, 4, outputs=widths[-2])
    weights.batch_norm(f"{name}model.4", widths[-2])
    weights.conv("model.model.3", 2 * width, outside, 4, 4, outputs=outside, bias=True)
    return weights.state


def patch_state(norm="batch", layers=3, width=4, inside=3, cut=False) -> State:
    weights = Weights(norm)
    weights.conv("model.0", width, inside, 4, 4, bias=True)
    if cut:
        weights.state["model.2.filt"] = blur(width, 3)
    place, channels = 3 if cut else 2, width
    for index in range(1, layers + 1):
        out = width * min(2**index, 8)
        weights.conv(f"model.{place}", out, channels, 4, 4)
        weights.batch_norm(f"model.{place + 1}", out)
        if cut and index < layers:
            weights.state[f"model.{place + 3}.filt"] = blur(out, 3)
        place, channels = place + (4 if cut and index < layers else 3), out
    weights.conv(f"model.{place}", 1, channels, 4, 4, bias=True)
    return weights.state


def pixel_state(norm="batch", width=4, inside=3) -> State:
    weights = Weights(norm)
    weights.conv("net.0", width, inside, 1, 1, bias=True)
    weights.conv("net.2", 2 * width, width, 1, 1)
    weights.batch_norm("net.3", 2 * width)
    weights.conv("net.5", 1, 2 * width, 1, 1)
    return weights.state


def conv(state: State, name: str, x: Tensor, **how: int) -> Tensor:
    return F.conv2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), **how)


def grow(state: State, name: str, x: Tensor, **how: int) -> Tensor:
    return F.conv_transpose2d(x, state[f"{name}.weight"], state.get(f"{name}.bias"), **how)


def normalise(state: State, name: str, x: Tensor, norm: str, running: bool = False) -> Tensor:
    """Normalise one picture at a time, N = 1: as that project at test time, or with `--eval` (`running`)."""
    if norm == "batch":
        mean, variance, weight, bias = (
            state[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")
        )
        if running:
            return F.batch_norm(x, mean, variance, weight, bias)
        return F.batch_norm(x, None, None, weight, bias, training=True)
    return F.instance_norm(x) if norm == "instance" else x


def resnet_forward(state, x, norm="instance", blocks=9, dropout=False, cut=False, running=False) -> Tensor:
    second = 6 if dropout else 5
    x = conv(state, "model.1", F.pad(x, (3,) * 4, mode="reflect"))
    x = F.relu(normalise(state, "model.2", x, norm, running))
    for place in (4, 8) if cut else (4, 7):
        x = conv(state, f"model.{place}", x, padding=1, stride=1 if cut else 2)
        x = F.relu(normalise(state, f"model.{place + 1}", x, norm, running))
        if cut:
            kernel = state[f"model.{place + 3}.filt"]
            x = F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), kernel, stride=2, groups=len(kernel))
    start = 12 if cut else 10
    for block in range(start, start + blocks):
        y = x
        for place in (1, second):
            y = conv(state, f"model.{block}.conv_block.{place}", F.pad(y, (1,) * 4, mode="reflect"))
            y = normalise(state, f"model.{block}.conv_block.{place + 1}", y, norm, running)
            y = F.relu(y) if place == 1 else y
        x = x + y
    place = start + blocks
    for _ in range(2):
        if cut:
            kernel = state[f"model.{place}.filt"]
            x = F.pad(x, (1,) * 4, mode="replicate")
            x = F.conv_transpose2d(x, kernel, stride=2, padding=2, groups=len(kernel))[:, :, 1:-1, 1:-1]
            x = conv(state, f"model.{place + 1}", x, padding=1)
        else:
            x = grow(state, f"model.{place}", x, stride=2, padding=1, output_padding=1)
        x = F.relu(normalise(state, f"model.{place + (2 if cut else 1)}", x, norm, running))
        place += 4 if cut else 3
    return torch.tanh(conv(state, f"model.{place + 1}", F.pad(x, (3,) * 4, mode="reflect")))


def unet_forward(state, x, norm="batch", levels=8, running=False, keep=None) -> Tensor:
    """`keep[depth]` is the dropout mask after the norm of that block's way up, already scaled."""

    def block(name: str, x: Tensor, depth: int) -> Tensor:
        y = conv(state, f"{name}model.1", F.leaky_relu(x, 0.2), stride=2, padding=1)
        up = 3
        if depth < levels - 1:
            y, up = block(f"{name}model.3.", normalise(state, f"{name}model.2", y, norm, running), depth + 1), 5
        y = grow(state, f"{name}model.{up}", F.relu(y), stride=2, padding=1)
        y = normalise(state, f"{name}model.{up + 1}", y, norm, running)
        return torch.cat([x, y * keep[depth] if keep and depth in keep else y], 1)

    x = block("model.model.1.", conv(state, "model.model.0", x, stride=2, padding=1), 1)
    return torch.tanh(grow(state, "model.model.3", F.relu(x), stride=2, padding=1))


def patch_forward(state, x, norm="batch", layers=3, cut=False) -> Tensor:
    def soften(place: int, x: Tensor) -> Tensor:
        kernel = state[f"model.{place}.filt"]
        return F.conv2d(F.pad(x, (1,) * 4, mode="reflect"), kernel, stride=2, groups=len(kernel))

    x = F.leaky_relu(conv(state, "model.0", x, stride=1 if cut else 2, padding=1), 0.2)
    x, place = (soften(2, x), 3) if cut else (x, 2)
    for index in range(1, layers + 1):
        halves = index < layers
        x = conv(state, f"model.{place}", x, stride=2 if halves and not cut else 1, padding=1)
        x = F.leaky_relu(normalise(state, f"model.{place + 1}", x, norm), 0.2)
        x, place = (soften(place + 3, x), place + 4) if cut and halves else (x, place + 3)
    return conv(state, f"model.{place}", x, padding=1)


def pixel_forward(state, x, norm="batch") -> Tensor:
    x = F.leaky_relu(conv(state, "net.0", x), 0.2)
    x = F.leaky_relu(normalise(state, "net.3", conv(state, "net.2", x), norm), 0.2)
    return conv(state, "net.5", x)
