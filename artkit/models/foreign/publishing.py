"""The models that the authors of CycleGAN and pix2pix published, as entries of the catalogue."""

from __future__ import annotations

from collections.abc import Iterable

from artkit.spec import ModelSpec

# The project's scripts say http; over https nobody on the way can change a file for which no checksum was published.
SITE = "https://efrosgans.eecs.berkeley.edu"
SOURCE = "https://github.com/junyanz/pytorch-CycleGAN-and-pix2pix"
LICENCE = "none stated for the weights (the project's code: BSD-2-Clause); the training data have terms of their own"


def published_models(method: str, folder: str, size: int, models: Iterable[tuple[str, str, str]]) -> list[ModelSpec]:
    """Return the entries of a method's models in a folder of the authors' site, about `size` bytes each.

    `models` are names, what each was trained on and which way round, and what it does in a sentence.
    """
    return [
        ModelSpec(
            name=name,
            method=method,
            summary=summary,
            url=f"{SITE}/{folder}/{name}.pth",
            licence=LICENCE,
            source=SOURCE,
            size=size,
            trained_on=trained_on,
        )
        for name, trained_on, summary in models
    ]
