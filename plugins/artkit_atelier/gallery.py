"""Paintings by style: each of another motif, with the name of its style as its class."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from PIL import Image

from artkit.data import Column, Dataset, Sample
from artkit.errors import DataError, OptionError, OutputError
from artkit.files import write_atomically
from artkit.spec import Kind
from artkit_atelier import MotifKind, StylesOptions
from artkit_atelier.dataset import encode_png, spread_work
from artkit_atelier.scenes import make_scene
from artkit_atelier.views import Bytes, paint_scene, quantise, split_of


@dataclass(frozen=True)
class Painting:
    """One painting to be made: its place in the set, its motif's seed and kind, its style, its (width, height)."""

    index: int
    seed: int
    style: str
    size: tuple[int, int]
    motif: MotifKind = "landscape"
    photos: str | None = None

    @property
    def file(self) -> str:
        """Its file's name, which tells paintings of other places, seeds, motifs, styles and sizes apart."""
        what = "" if self.motif == "landscape" else f"{self.motif}-"
        if self.motif == "photograph" and self.photos:
            what += f"{crc32(self.photos.encode()):08x}-"
        return f"{what}{self.style}-{self.seed:05d}-{self.size[0]}x{self.size[1]}.png"

    def paint(self) -> Bytes:
        """Return its pixels (H, W, 3)."""
        width, height = self.size
        if self.motif == "landscape":
            return paint_scene(make_scene(self.seed, height, width), self.style)
        # Photographs and the painter are the costly part, and not every reader of this module paints.
        from artkit_atelier.abstracts import make_abstract
        from artkit_atelier.painting import paint
        from artkit_atelier.studio import make_photograph

        if self.motif == "abstract":
            motif = make_abstract(self.seed, height, width)
        else:
            motif = make_photograph(self.seed, height, width, self.photos)
        return quantise(paint(motif.photo, motif.labels, self.style, self.seed))


def list_paintings(options: StylesOptions, split: str | None = None) -> list[Painting]:
    """List the paintings of a split, or of all: styles in turn, so that every split has as many of each.

    The motifs come in turn too, each in all styles before the next. Raises OptionError where there are fewer than two
    styles, which would be no classes, or no motifs.
    """
    styles = tuple(dict.fromkeys(options.styles))
    if len(styles) < 2:
        raise OptionError(f"styles(styles={list(styles)}): name two or more, or leave them out for all.")
    if not options.motifs:
        raise OptionError("styles(motifs=[]): name one or more, or leave them out for landscapes.")
    return [
        Painting(
            index,
            options.seed + index,
            styles[index % len(styles)],
            options.size,
            options.motifs[index // len(styles) % len(options.motifs)],
            options.photos,
        )
        for index in range(options.count)
        if split in (None, split_of(index // len(styles)))
    ]


class Gallery(Dataset):
    """One split of the paintings: columns `image` and `class`, as a folder of class folders has them.

    With a `cache` directory every painting is made once and then read back; several processes may share it.
    """

    name = "styles"

    def __init__(self, paintings: Sequence[Painting], cache: Path | None = None) -> None:
        styles = tuple(sorted({painting.style for painting in paintings}))
        self.paintings, self.cache = list(paintings), cache
        self.columns = {"image": Column("image", Kind.IMAGE), "class": Column("class", Kind.TEXT, values=styles)}

    def __len__(self) -> int:
        return len(self.paintings)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Load the named columns of one painting; see Dataset.load."""
        painting, sample = self.paintings[index], Sample()
        for name in names:
            kind = self.column(name).kind
            sample[name] = painting.style if kind is Kind.TEXT else self._pixels(painting)
        return sample

    def _pixels(self, painting: Painting) -> torch.Tensor:
        return torch.from_numpy(np.array(self._painted(painting))).permute(2, 0, 1).contiguous()

    def _painted(self, painting: Painting) -> Bytes:
        if self.cache is None:
            return painting.paint()
        path = self.cache / painting.file
        if not path.exists():
            self.cache.mkdir(parents=True, exist_ok=True)
            write_atomically(path, encode_png(Image.fromarray(painting.paint())), overwrite=True)
        return np.array(Image.open(io.BytesIO(path.read_bytes())))


def open_gallery(options: StylesOptions, split: str) -> Gallery:
    """Open one split of the paintings that `options` describe. Raises DataError where there are too few for it."""
    paintings = list_paintings(options, split)
    if not paintings:
        raise DataError(f"styles(count={options.count}) has no paintings for the split '{split}': raise count.")
    return Gallery(paintings, Path(options.cache) if options.cache else None)


def write_gallery(directory: Path, options: StylesOptions, jobs: int, progress: Callable[[], None]) -> None:
    """Write the paintings into class folders, `{train,val}/STYLE/NNNNN.png`, with `jobs` processes.

    Raises OutputError where the directory holds something already.
    """
    if any(directory.iterdir()):
        raise OutputError(f"{directory} is not empty; name another directory, or remove it first.")
    paintings = list_paintings(options)
    styles = len({painting.style for painting in paintings})
    tasks = [(directory / split_of(one.index // styles) / one.style / f"{one.index:05d}.png", one) for one in paintings]
    for folder in sorted({path.parent for path, _ in tasks}):
        folder.mkdir(parents=True, exist_ok=True)
    done: Iterable[None] = spread_work(_write, tasks, jobs)
    for _ in done:
        progress()


def _write(task: tuple[Path, Painting]) -> None:
    path, painting = task
    write_atomically(path, encode_png(Image.fromarray(painting.paint())))
