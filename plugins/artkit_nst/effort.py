"""How much work goes into a picture, and how far it may leave the photo."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What a quality costs: `patches` are (side, stride) in pixels, large ones first; each is laid `passes` times,
    the very last time `last_stride` apart: the same patch every other pixel shows as a lattice;
    `steps` are those of the engine `vgg`.
    """

    passes: int
    keys: int
    patches: tuple[tuple[int, int], ...]
    last_stride: int
    reweight: bool
    steps: int


EFFORTS = {
    "draft": Effort(1, 4000, ((15, 5), (9, 3), (7, 3)), 2, reweight=False, steps=100),
    "normal": Effort(2, 6000, ((15, 5), (9, 3), (7, 2)), 1, reweight=True, steps=300),
    "best": Effort(3, 12000, ((15, 4), (9, 2), (7, 2)), 1, reweight=True, steps=1000),
}


@dataclass(frozen=True)
class Manner:
    """How the style is laid on, from the options of a step.

    `hold` is how much of the photo is mixed into what is searched for, at the coarsest and the finest level; `fuse` how
    much of the photo is mixed into what was found; `noise` what is added to flat areas at the start, in standard
    deviations of the style.
    """

    hold: tuple[float, float]
    fuse: float
    noise: float
    completeness: float


def manner(strength: float, completeness: float) -> Manner:
    """Return how to paint: `strength` 0 stays close to the photo, 1 leaves little of it."""
    hold = 0.9 - 0.6 * strength
    return Manner((hold, max(0.0, hold - 0.2)), 0.45 - 0.3 * strength, strength, completeness)
