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
    """One split of the landscapes that `options` describe: `count` of them from scene `seed` on.

    Columns are those that `write_landscapes` writes: `label`, `photo`, `painting` (in `style`), `caption`, `time`,
    `weather`, `seed`. Only what is asked for is made. With a `cache` directory everything is made once and then read
    back; several processes may share it. Light falls from the upper left where no sun is in view, so a mirrored scene
    is not a scene.
    """

    name = "landscapes"
    mirrors = False

    def __init__(self, options: LandscapesOptions, split: str = "train") -> None:
        """Raise OptionError for an unknown style."""
        check_style(options.style)
        self.options, self.style = options, options.style
        self.indices = [index for index in range(options.count) if split_of(index) == split]
        self.cache = Path(options.cache) if options.cache else None
        columns = (
            Column("label", Kind.LABELS, CLASSES), Column("photo", Kind.IMAGE), Column("painting", Kind.IMAGE),
            Column("caption", Kind.TEXT), Column("time", Kind.TEXT, values=TIMES),
            Column("weather", Kind.TEXT, values=WEATHERS), Column("seed", Kind.TEXT),
        )  # fmt: skip
        self.columns = {column.name: column for column in columns}

    def __len__(self) -> int:
        return len(self.indices)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of one landscape; see Dataset.load."""
        place, found = self.indices[index], Stored()
        if set(names) - {"painting"}:
            found |= self._cached(place, "", self._scene)
        if "painting" in names:
            found |= self._cached(place, f"-{self.style}", self._painting)
        return {self.column(name).name: _value(self.columns[name], found[name]) for name in names}

    def _cached(self, place: int, suffix: str, make: Callable[[int], Stored]) -> Stored:
        """Return what the cache holds of the landscape at `place`, made first where it holds nothing."""
        if self.cache is None:
            return make(place)
        path = self.cache / f"{self._name(place)}{suffix}.npz"
        if not path.exists():
            made, buffer = make(place), io.BytesIO()
            np.savez_compressed(buffer, **made)
            self.cache.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue(), overwrite=True)
            return made
        with np.load(path) as archive:
            return dict(archive)

    def _name(self, place: int) -> str:
        """Return a name that tells landscapes of other seeds, sizes and shares of drawn ones apart."""
        width, height = self.options.size_of(place)
        return f"{self.options.seed + place}-{width}x{height}-{self.options.drawn:g}"

    def _make(self, place: int) -> Scene:
        width, height = self.options.size_of(place)
        return make_scene(self.options.seed + place, height, width, drawn=self.options.drawn)

    def _scene(self, place: int) -> Stored:
        scene = self._make(place)
        words = {"caption": scene.caption, "time": scene.time, "weather": scene.weather, "seed": str(scene.seed)}
        return {"label": scene.labels, "photo": quantise(scene.photo), **words}

    def _painting(self, place: int) -> Stored:
        return {"painting": paint_scene(self._make(place), self.style)}


def open_landscapes(options: LandscapesOptions, split: str) -> Landscapes:
    """Open one split of the landscapes that `options` describe; OptionError for frames, which are only written."""
    if options.frames:
        raise OptionError("landscapes(frames=...) is for `artkit data make landscapes --set frames=8 -o DIR`.")
    return Landscapes(options, split)


def _value(column: Column, stored: Any) -> torch.Tensor | str:
    """Return a stored value as a dataset gives it: text, uint8 3HW, or uint8 HW."""
    if column.kind is Kind.TEXT:
        return str(stored)
    pixels = torch.from_numpy(np.ascontiguousarray(stored))
    return pixels if column.kind is Kind.LABELS else pixels.permute(2, 0, 1).contiguous()
