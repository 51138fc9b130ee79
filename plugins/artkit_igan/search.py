"""The search for a code: the picture on the generator's manifold that is nearest to a photo, or does as strokes say."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

RATE = 0.1
"""Adam's rate, in deviations of a code's numbers; it falls to a tenth in a line (the authors': .1)."""
PRIOR = 2e-6
"""Weight of a code's square length, beside mean square errors of pictures in [-1, 1]: that of the likeliest code, where
errors of 64 x 64 pixels have the variance 0.025, and codes 1. (Fifty times as much pulled photos from where they were.)
"""

Loss = Callable[[Tensor, Tensor], Tensor]
"""The loss, N, of pictures and their codes."""


def find_code(
    generator: nn.Module, start: Tensor, loss: Loss, steps: int, told: Callable[[float, Tensor], None]
) -> Tensor:
    """Return the codes, N `latent`, that `steps` of Adam come to from `start`; `told` is called now and then.

    Each picture of a batch is searched for by itself: Adam's steps of one do not depend on another. Codes and losses
    are float32, whatever the generator computes in.
    """
    if not steps:
        return start
    with torch.inference_mode(False), torch.enable_grad():
        z = start.float().clone().requires_grad_()
        optimiser = torch.optim.Adam([z], RATE, betas=(0.9, 0.999))
        for step in range(steps):
            optimiser.param_groups[0]["lr"] = RATE * (1 - 0.9 * step / steps)
            made = generator(z.to(start.dtype)).float()
            total = (loss(made, z) + PRIOR * z.square().sum(1)).sum()
            (z.grad,) = torch.autograd.grad(total, [z])
            optimiser.step()
            if step % 5 == 4:
                told((step + 1) / steps, made.detach())
    return z.detach().to(start.dtype)


def differentiable(tensor: Tensor) -> Tensor:
    """Return a float32 copy that may take part in gradients, which what inference mode made may not."""
    with torch.inference_mode(False):
        return tensor.float().clone()


def projection_loss(photo: Tensor) -> Loss:
    """Return the loss of a projection: the mean square error (section 4.1, without their features of AlexNet)."""
    photo = differentiable(photo)
    return lambda made, _: (made - photo).square().mean((1, 2, 3))
