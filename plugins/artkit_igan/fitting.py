"""What is worked out before the first step: principal components of the pictures, as both networks' base."""

from __future__ import annotations

import torch
from torch import Tensor

from artkit_igan.networks import Encoder, Generator

LEAST = 1e-6
"""Directions in which pictures differ by less than this share of what they do most are none."""


@torch.no_grad()
def fit_components(encoder: Encoder, generator: Generator, pictures: Tensor) -> None:
    """Make the code of a picture its principal components, of variance 1 each, and pictures what these explain.

    `pictures`: N 3 S S in [-1, 1]. Where there are fewer than the code has numbers, the rest mean nothing.
    """
    x = pictures.flatten(1).double()
    mean = x.mean(0)
    x = x - mean
    values, vectors = torch.linalg.eigh(x @ x.T)  # as many as pictures: far fewer than there are pixels
    values, vectors = values.flip(0)[: generator.latent], vectors.flip(1)[:, : generator.latent]
    real = values > LEAST * values[0]
    components = (vectors.T @ x)[real] / values[real, None].sqrt()
    deviations = (values[real] / len(x)).sqrt()[:, None]
    for network in (encoder, generator):
        network.base.weight.zero_()
    generator.base.weight[:, : len(components)] = (deviations * components).T.float()
    generator.base.bias.copy_(mean)
    encoder.base.weight[: len(components)] = (components / deviations).float()
    encoder.base.bias.copy_(-(encoder.base.weight.double() @ mean))
