"""The pool of past fakes that discriminators learn from (Shrivastava et al. 2017; CycleGAN, section 4)."""

from __future__ import annotations

import torch
from torch import Tensor


class ImagePool:
    """Keep up to `size` fakes, and answer each new one with itself or an older one.

    Until the pool is full every fake is kept and given back. From then on, half of them are exchanged for a random
    older one, and half pass. Discriminators so remember what generators did before. Chance is torch's own stream on
    the CPU. `size=0` passes everything.
    """

    def __init__(self, size: int = 50) -> None:
        self.size = size
        self.images: list[Tensor] = []

    def exchange(self, fakes: Tensor) -> Tensor:
        """Return as many pictures as `fakes`, N C H W, holds; without gradients."""
        return torch.stack([self._exchange_one(fake) for fake in fakes.detach()])

    def _exchange_one(self, fake: Tensor) -> Tensor:
        if len(self.images) < self.size:
            self.images.append(fake.clone())
            return fake
        if not self.size or torch.rand(()) < 0.5:
            return fake
        place = int(torch.randint(self.size, ()))
        older, self.images[place] = self.images[place], fake.clone()
        return older

    def state_dict(self) -> dict[str, list[Tensor]]:
        """Return everything `load_state_dict` needs."""
        return {"images": list(self.images)}

    def load_state_dict(self, state: dict[str, list[Tensor]], device: torch.device | None = None) -> None:
        """Restore a saved pool, onto `device`."""
        self.images = [image.to(device) for image in state["images"]]
