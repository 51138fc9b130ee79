"""The engine `patch`: texture synthesis with patches of a style, coarse to fine, without any weights.

Texture optimisation (Kwatra et al. 2005) with the content weights of Elad and Milanfar 2017 and the complete nearest
neighbours of Granot et al. 2022. Differs from all three in its colours (the photo is carried over to the style's first,
and the result once more), in the noise that fills what is flat at the start, in what it keeps out of skies and whole in
faces (see matching.py and importance.py), and in the contrast that is given back to each band of detail at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor

from artkit.translator import Bookmark
from artkit_nst.blending import blend
from artkit_nst.colour import moments, transport
from artkit_nst.importance import saliency
from artkit_nst.levels import Level, Maps, make_level
from artkit_nst.matching import match
from artkit_nst.patches import random_grid
from artkit_nst.pyramid import band_contrasts, bands, blur, level_sizes, resize
from artkit_nst.style import Style

SOFTNESS = 3.0  # sigma of the borders between the colours of regions, in pixels
BLOTCHES = 2.0  # noise where the photo is flat, in contrasts of the style's calmest places: they shall become brushwork
HELD, FUSED, LEFT = 0.95, 0.7, 0.5  # shares of the photo where it is all important: searched for, in a pass, at the end
EASED = 0.95  # share of the price of objects that is let off at the finest size, where patches hold but brushwork
GIVEN_BACK = 0.5  # share of the contrast that blending took away, or added, which is put right at the end


Sketch = Callable[[], Tensor]
"""The picture as it would be if the work ended now."""


def _unseen(share: float, sketch: Sketch | None = None) -> None:
    """Let it pass."""


@dataclass(frozen=True)
class Journal:
    """Progress and resumption of one picture: watchers see each pass, and a run that was killed goes on after it.

    `engine` names all that its states depend on and the step's options do not say.
    """

    progress: Callable[[float, Sketch], None] = _unseen
    bookmark: Bookmark = field(default_factory=Bookmark)
    engine: str = ""

    def last(self) -> dict[str, Any] | None:
        """Return the state that an earlier run entered last, if it was of the same engine."""
        state = self.bookmark.read()
        return state if state is not None and state.get("engine") == self.engine else None

    def enter(self, share: float, sketch: Sketch, state: Callable[[], dict[str, Any]]) -> None:
        """Enter a pass: the share that is done, what is to be seen, and all that the rest of the work depends on."""
        self.progress(share, sketch)
        self.bookmark.write(lambda: {"engine": self.engine, **state()})

    def seen_through(self, change: Callable[[Tensor], Tensor]) -> Journal:
        """Return the journal for work whose picture is changed once more in the end."""
        return replace(self, progress=lambda share, sketch: self.progress(share, lambda: change(sketch())))

    def prelude(self, part: float) -> Journal:
        """Return the journal for the first `part` of the work, which is done again when a run goes on there."""
        return replace(self, progress=lambda share, sketch: self.progress(part * share, sketch), bookmark=Bookmark())


@dataclass(frozen=True)
class Effort:
    """What a quality costs: `patches` are (side, stride) in pixels, large ones first; each is laid `passes` times,
    the very last time `last_stride` apart: the same patch every other pixel shows as a lattice; `steps` are those of
    the engine `vgg`. What is painted `finer` times as large as wanted has finer strokes, and less of the blur that
    overlapping patches leave; with more keys, patches that overlap agree more often.
    """

    passes: int
    keys: int
    patches: tuple[tuple[int, int], ...]
    last_stride: int
    reweight: bool
    steps: int
    finer: float = 1.0


EFFORTS = {
    "draft": Effort(1, 4000, ((15, 5), (9, 3), (7, 3)), 2, reweight=False, steps=100),
    "normal": Effort(2, 6000, ((15, 5), (9, 3), (7, 2)), 1, reweight=True, steps=300),
    "best": Effort(2, 24000, ((15, 5), (9, 3), (7, 2)), 1, reweight=True, steps=1000, finer=1.5),
}


@dataclass(frozen=True)
class Looseness:
    """How the style is laid on, from the options of a step.

    `hold` is how much of the photo is mixed into what is searched for, at the coarsest and the finest level; `fuse` how
    much of the photo is mixed into what was found; `noise` what is added to flat areas at the start, in BLOTCHES;
    `protection` how much of what an importance map asks for is done where artkit drew the map.
    """

    hold: tuple[float, float]
    fuse: float
    noise: float
    completeness: float
    protection: float


def find_looseness(strength: float, completeness: float) -> Looseness:
    """Return how to paint: `strength` 0 stays close to the photo, 1 leaves little of it."""
    hold = 0.9 - 0.6 * strength
    return Looseness((hold, max(0.0, hold - 0.2)), 0.45 - 0.3 * strength, strength, completeness, 0.8 - 0.7 * strength)


@dataclass(frozen=True)
class Pass:
    """One covering of the picture with patches of `side` pixels, `stride` apart, at one size.

    `turn` counts those of a kind at a size; `fineness` is 0 at the coarsest size, 1 at the finest; `share` of the whole
    work is done after it.
    """

    size: tuple[int, int]
    side: int
    stride: int
    turn: int
    fineness: float
    share: float
    is_last: bool


@dataclass(frozen=True)
class Painter:
    """A style, and how to lay it on; `from_noise` begins without the photo, which is then only searched for."""

    style: Style
    looseness: Looseness
    effort: Effort
    from_noise: bool = False

    def paint(self, photo: Tensor, seed: int, maps: Maps | None = None, journal: Journal | None = None) -> Tensor:
        """Paint a photo (CHW in [0, 1], as many channels as the style) and return CHW in [0, 1].

        Maps of regions are for styles that have regions. The same arguments give the same picture, from
        wherever the journal lets it go on. What is too small for any patch only changes its colours.
        """
        journal, maps, size = journal or Journal(), maps or Maps(), (photo.shape[-2], photo.shape[-1])
        generator = torch.Generator().manual_seed(seed)
        goal = recolour(photo, self.style, maps.regions)
        passes, level = self.plan(size), None
        begun = journal.last()
        if begun is None:
            done, picture = 0, self.start(resize(goal, self.sizes(size)[0]), generator)
        else:
            done, picture = begun["done"], begun["picture"].to(photo)
            generator.set_state(begun["generator"])
        for number, one in enumerate(passes[done:], done + 1):
            if level is None or level.size != one.size:
                level = make_level(goal, maps, one.size, self.style.calm(one.size))
            picture = self.lay(one, resize(picture, one.size), level, generator)
            sketch = partial(self.finish, picture, size, maps.regions)
            journal.enter(one.share, sketch, partial(_state, number, picture, generator))
        return self.finish(picture, size, maps.regions)

    def sizes(self, size: tuple[int, int]) -> list[tuple[int, int]]:
        """Return (height, width) of every level of a photo of that size, coarsest first."""
        return level_sizes(round(size[0] * self.effort.finer), round(size[1] * self.effort.finer))

    def start(self, goal: Tensor, generator: torch.Generator) -> Tensor:
        """Put noise where the photo (CHW, in the style's colours) is flat: there the style shall find its own forms.

        Or put noise of the photo's mean and deviation everywhere, as Gatys et al. 2016 begin.
        """
        if self.from_noise:
            deviation, mean = torch.std_mean(goal, (1, 2), correction=0, keepdim=True)
            return mean + deviation * torch.randn(goal.shape, generator=generator).to(goal)
        noise = torch.randn(goal.shape[-2:], generator=generator).to(goal)
        amount = self.looseness.noise * BLOTCHES * self.style.calm((goal.shape[-2], goal.shape[-1]))
        return goal + amount * (1 - saliency(goal)) * noise

    def plan(self, size: tuple[int, int]) -> list[Pass]:
        """Return all passes of a picture: patches fit twice into the photo and into the style."""
        sizes = self.sizes(size)
        kinds = [
            (number, patch, turn)
            for number, extent in enumerate(sizes)
            for patch in self.effort.patches
            if 2 * patch[0] <= min(*extent, self.style.room(extent))
            for turn in range(self.effort.passes)
        ]
        done = list(accumulate(sizes[number][0] * sizes[number][1] for number, *_ in kinds))
        passes = []
        for (number, (side, stride), turn), pixels in zip(kinds, done, strict=True):
            fineness = number / (len(sizes) - 1) if len(sizes) > 1 else 1.0
            is_last = pixels == done[-1] and fineness == 1
            apart = self.effort.last_stride if is_last else stride
            passes.append(Pass(sizes[number], side, apart, turn, fineness, pixels / done[-1], is_last))
        return passes

    def lay(self, one: Pass, picture: Tensor, level: Level, generator: torch.Generator) -> Tensor:
        """Lay patches on a picture of the pass's size."""
        loose = self.looseness
        hold = loose.hold[0] + one.fineness * (loose.hold[1] - loose.hold[0])
        keys = self.style.keys(one.size, one.side, self.effort.keys, one.turn)
        grid = random_grid(*one.size, one.side, one.stride, generator)
        wanted = level.towards(picture, hold, HELD)
        room = 1 - (1 - EASED * one.fineness) * (1 - level.structure)
        index = match(wanted, room, level.regions, grid, keys, loose.completeness, generator)
        picture = blend(keys, index, grid, reweight=self.effort.reweight)
        if one.is_last:
            return level.towards(picture, 0, LEFT)
        return level.towards(picture, loose.fuse * (1 - one.fineness / 2), FUSED)

    def finish(self, picture: Tensor, size: tuple[int, int], regions: Tensor | None) -> Tensor:
        """Give a picture its size, the style's colours, and half of the contrast of its detail; keep it in [0, 1]."""
        picture = recolour(resize(picture, size), self.style, regions)
        for band, goal, present in zip(
            bands(picture), self.style.contrasts(size), band_contrasts(picture), strict=True
        ):
            gain = min(max(goal / max(present, 1e-4), 0.8), 1.6) - 1
            picture = picture + GIVEN_BACK * gain * band
        return picture.clamp(0, 1)


def _state(done: int, picture: Tensor, generator: torch.Generator) -> dict[str, Any]:
    return {"done": done, "picture": picture, "generator": generator.get_state()}


def recolour(picture: Tensor, style: Style, regions: Tensor | None = None) -> Tensor:
    """Carry CHW over to the colours of a style; region by region, with soft borders, where there are some."""
    if regions is None:
        return transport(picture, moments(picture), style.moments)
    soft = blur(regions, SOFTNESS)
    carried = torch.zeros_like(picture)
    for number, (region, share) in enumerate(zip(regions, soft / soft.sum(0), strict=True)):
        carried += share * transport(picture, moments(picture, region), style.region_moments(number))
    return carried
