"""Landscapes made as they are asked for, as a dataset to train on."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
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
from artkit_atelier.light import TIMES, WEATHERS
from artkit_atelier.views import View, check_styles, find_others, find_view, paint_scene, quantise, split_of

CLASSES = ClassSet("landscapes", tuple(LabelClass(*pair) for pair in zip(NAMES, COLOURS, strict=True)))

Stored = dict[str, Any]


class Landscapes(Dataset):
    """One split of the landscapes that `options` describe: `count` of them from scene `seed` on.

    Columns are those that `write_landscapes` writes: `label`, `photo`, `painting` (in `style`, or that of `styles`
    which the column `style` names), `partner` and `content` where asked for, `caption`, `time`, `weather`, `seed`.
    Only what is asked for is made. With a `cache` directory everything is made once and then read back; several
    processes may share it. Light falls from the upper left where no sun is in view, so a mirrored scene is not a scene.
    """

    name = "landscapes"
    mirrors = False

    def __init__(self, options: LandscapesOptions, split: str = "train") -> None:
        """Raise OptionError for an unknown style."""
        check_styles(options)
        self.options = options
        self.indices = [index for index in range(options.count) if split_of(index // options.looks) == split]
        self.cache = Path(options.cache) if options.cache else None
        columns = [
            Column("label", Kind.LABELS, CLASSES), Column("photo", Kind.IMAGE), Column("painting", Kind.IMAGE),
            Column("caption", Kind.TEXT), Column("time", Kind.TEXT, values=TIMES),
            Column("weather", Kind.TEXT, values=WEATHERS), Column("seed", Kind.TEXT),
        ]  # fmt: skip
        columns += [Column(name, Kind.IMAGE) for name in find_others(options, find_view(options, 0), 0)]
        if options.styles:
            columns.append(Column("style", Kind.TEXT, values=tuple(dict.fromkeys(options.styles))))
        self.columns = {column.name: column for column in columns}

    def __len__(self) -> int:
        return len(self.indices)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of one landscape; see Dataset.load."""
        place = self.indices[index]
        view = find_view(self.options, place)
        found = Stored(style=view.style)
        if set(names) - {"painting", "partner", "content", "style"}:
            found |= self._cached(view.name, lambda: _scene(view))
        if "painting" in names:
            found |= self._cached(f"{view.name}-{view.style}", lambda: _painting(view))
        for name, other in find_others(self.options, view, place).items():
            if name in names:
                found[name] = self._cached(f"{other.name}-{other.style}", partial(_painting, other))["painting"]
        return {self.column(name).name: _value(self.columns[name], found[name]) for name in names}

    def _cached(self, name: str, make: Callable[[], Stored]) -> Stored:
        """Return what the cache holds under a name, made first where it holds nothing."""
        if self.cache is None:
            return make()
        path = self.cache / f"{name}.npz"
        if not path.exists():
            made, buffer = make(), io.BytesIO()
            np.savez_compressed(buffer, **made)
            self.cache.mkdir(parents=True, exist_ok=True)
            write_atomically(path, buffer.getvalue(), overwrite=True)
            return made
        with np.load(path) as archive:
            return dict(archive)


def _scene(view: View) -> Stored:
    scene = view.make()
    words = {"caption": scene.caption, "time": scene.time, "weather": scene.weather, "seed": str(scene.seed)}
    return {"label": scene.labels, "photo": quantise(scene.photo), **words}


def _painting(view: View) -> Stored:
    return {"painting": paint_scene(view.make(), view.style)}


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
