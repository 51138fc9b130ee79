"""The weights of VGG-19 that PyTorch publishes, which nst's engine `vgg` looks with: they can be pulled."""

from __future__ import annotations

from artkit import ModelSpec

CATALOGUE = [
    ModelSpec(
        name="vgg19",
        method="nst",
        summary="VGG-19 up to relu5_1, trained on ImageNet: the eyes of nst(engine=vgg).",
        url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
        sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        licence="torchvision: BSD-3-Clause; its models may have terms of their own, derived from the data (ImageNet)",
        source="https://pytorch.org/vision/stable/models/generated/torchvision.models.vgg19.html",
        size=574_673_361,
        trained_on="ImageNet-1K, to tell a thousand things apart",
    )
]
