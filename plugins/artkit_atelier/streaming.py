"""Landscapes made as they are asked for, as a dataset to train on."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from artkit import OptionError
from artkit.data import Column, Dataset, Sample
from artkit.files import write_atomically
from artkit.spec import ClassSet, Kind, LabelClass
from artkit_atelier import LandscapesOptions
from artkit_atelier.classes import COLOURS, NAMES
from artkit_atelier.dataset import check_style, paint_scene, quantise, split_of
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.scenes import Scene, make_scene

CLASSES = ClassSet("landscapes", tuple(LabelClass(*pair) for pair in zip(NAMES, COLOURS, strict=True)))

Stored = dict[str, Any]


class Landscapes(Dataset):
    """One split of `count` landscapes from scene `seed` on, `size` (width, height) pixels each.

    Columns are those that `write_landscapes` writes: `label`, `photo`, `painting` (in `style`), `caption`, `time`,
    `weather`, `seed`. Only what is asked for is made. With a `cache` directory everything is made once and then read
    back; several processes may share it. Light falls from the upper left where no sun is in view, so a mirrored scene
    is not a scene.
    """

    name = "landscapes"
    mirrors = False

    def __init__(
        self,
        count: int,
        split: str = "train",
        seed: int = 0,
        size: tuple[int, int] = (256, 256),
        style: str = "impressionist",
        cache: str | Path | None = None,
    ) -> None:
        """Raise OptionError for an unknown style."""
        check_style(style)
        self.seeds = [seed + index for index in range(count) if split_of(index) == split]
        self.size, self.style, self.cache = size, style, Path(cache) if cache else None
        columns = (
            Column("label", Kind.LABELS, CLASSES), Column("photo", Kind.IMAGE), Column("painting", Kind.IMAGE),
            Column("caption", Kind.TEXT), Column("time", Kind.TEXT, values=TIMES),
            Column("weather", Kind.TEXT, values=WEATHERS), Column("seed", Kind.TEXT),
        )  # fmt: skip
        self.columns = {column.name: column for column in columns}

    def __len__(self) -> int:
        return len(self.seeds)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of one landscape; see Dataset.load."""
        seed = self.seeds[index]
        found: Stored = {}
        if set(names) - {"painting"}:
            found |= self._cached(f"{seed}", lambda: self._scene(seed))
        if "painting" in names:
            found |= self._cached(f"{seed}-{self.style}", lambda: self._painting(seed))
        return {self.column(name).name: _value(self.columns[name], found[name]) for name in names}

    def _cached(self, name: str, make: Callable[[], Stored]) -> Stored:
        """Return what the cache holds under `name`, made first where it holds nothing."""
        if self.cache is None:
            return make()
        path = self.cache / f"{name}-{self.size[0]}x{self.size[1]}.npz"
        if not path.exists():
            made, buffer = make(), io.BytesIO()
            np.savez_compressed(buffer, **made)
            self.cache.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue(), overwrite=True)
            return made
        with np.load(path) as archive:
            return dict(archive)

    def _make(self, seed: int) -> Scene:
        return make_scene(seed, self.size[1], self.size[0])

    def _scene(self, seed: int) -> Stored:
        scene = self._make(seed)
        words = {"caption": scene.caption, "time": scene.time, "weather": scene.weather, "seed": str(scene.seed)}
        return {"label": scene.labels, "photo": quantise(scene.photo), **words}

    def _painting(self, seed: int) -> Stored:
        return {"painting": paint_scene(self._make(seed), self.style)}


def open_landscapes(options: LandscapesOptions, split: str) -> Landscapes:
    """Open one split of the landscapes that `options` describe; OptionError for frames, which are only written."""
    if options.frames:
        raise OptionError("landscapes(frames=...) is for `artkit data make landscapes --set frames=8 -o DIR`.")
    return Landscapes(options.count, split, options.seed, options.size, options.style, options.cache)


def _value(column: Column, stored: Any) -> torch.Tensor | str:
    """Return a stored value as a dataset gives it: text, uint8 3HW, or uint8 HW."""
    if column.kind is Kind.TEXT:
        return str(stored)
    pixels = torch.from_numpy(np.ascontiguousarray(stored))
    return pixels if column.kind is Kind.LABELS else pixels.permute(2, 0, 1).contiguous()
