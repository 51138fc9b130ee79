"""Landscapes as data: written to a directory, or made as they are asked for."""

from __future__ import annotations

import csv
import io
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from artkit.errors import OptionError, OutputError, nearest
from artkit_atelier.classes import COLOURS, NAMES
from artkit_atelier.noise import Array
from artkit_atelier.scenes import Scene, make_scene

Bytes = npt.NDArray[np.uint8]

VALIDATION_EVERY = 10
"""Every tenth scene is set aside for validation."""


@dataclass(frozen=True)
class _Task:
    """One scene to write: its place in the set, and how to make it."""

    directory: Path
    index: int
    seed: int
    size: tuple[int, int]
    style: str

    @property
    def split(self) -> str:
        return "val" if self.index % VALIDATION_EVERY == VALIDATION_EVERY - 1 else "train"

    @property
    def file(self) -> str:
        return f"{self.index:05d}.png"


def write_landscapes(
    directory: str | Path,
    count: int,
    seed: int = 0,
    size: tuple[int, int] = (256, 256),
    style: str = "impressionist",
    jobs: int | None = None,
) -> None:
    """Write scenes `seed` to `seed + count - 1` with their paintings, `size` (width, height) pixels each.

    Layout: `{train,val}/{label,photo,painting}/NNNNN.png`, labels as palette PNGs of class indices; `classes.txt` with a
    line `id name R G B` a class; `captions.tsv` with a row a scene. Work is spread over `jobs` processes (all cores if None).

    Raises OptionError for an unknown style or a count below 1, OutputError where the directory already holds a dataset.
    """
    directory = Path(directory)
    _check(directory, count, style)
    for split in ("train", "val"):
        for kind in ("label", "photo", "painting"):
            (directory / split / kind).mkdir(parents=True, exist_ok=True)
    lines = [f"{index} {name} {' '.join(map(str, COLOURS[index]))}\n" for index, name in enumerate(NAMES)]
    _replace(directory / "classes.txt", "".join(lines).encode())
    tasks = [_Task(directory, index, seed + index, size, style) for index in range(count)]
    rows = list(_spread(tasks, min(jobs or os.cpu_count() or 1, count)))
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(("file", "split", "caption", "time", "weather", "seed"))
    writer.writerows(rows)
    _replace(directory / "captions.tsv", table.getvalue().encode())


def _check(directory: Path, count: int, style: str) -> None:
    if count < 1:
        raise OptionError(f"A dataset of {count} scenes is empty; ask for at least 1.")
    _check_style(style)
    if (directory / "classes.txt").exists():
        raise OutputError(f"{directory} already holds a dataset; name another directory, or remove it first.")


def _check_style(style: str) -> None:
    from artkit_atelier.painting import STYLES

    if style not in STYLES:
        raise OptionError(f"There is no painting style '{style}'.{nearest(style, STYLES)}")


def _spread(tasks: list[_Task], jobs: int) -> Iterator[tuple[str, ...]]:
    """Write all scenes and yield their rows of the caption table, in order."""
    if jobs == 1:
        yield from map(_write, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from pool.map(_write, tasks, chunksize=max(1, min(8, len(tasks) // (4 * jobs))))


def _write(task: _Task) -> tuple[str, ...]:
    width, height = task.size
    scene = make_scene(task.seed, height, width)
    folder = task.directory / task.split
    _replace(folder / "label" / task.file, _png(label_image(scene.labels)))
    _replace(folder / "photo" / task.file, _png(Image.fromarray(_quantise(scene.photo))))
    _replace(folder / "painting" / task.file, _png(Image.fromarray(_quantise(_paint(scene, task.style)))))
    return task.file, task.split, scene.caption, scene.time, scene.weather, str(scene.seed)


def label_image(labels: Bytes) -> Image.Image:
    """Return a label map (H, W) as a palette picture: its pixels are class indices, its palette their colours."""
    image = Image.fromarray(labels, "L").copy()
    image.putpalette([value for colour in COLOURS for value in colour])
    return image


def _paint(scene: Scene, style: str) -> Array:
    # The painter is the costly part, and not every reader of this module paints.
    from artkit_atelier.painting import paint

    return paint(scene.photo, scene.labels, style, scene.seed)


def _quantise(picture: Array) -> Bytes:
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.write_bytes(content)
    part.replace(path)


class Landscapes:
    """A sequence of `count` landscapes from scene `seed` on, each made when it is asked for.

    An item is a dict: `labels` (H, W) uint8, `photo` and `painting` (H, W, 3) float32 in [0, 1] in steps of 1/255, `time`,
    `weather`, `caption`, `seed`. Without a `style` there is no painting. `size` is (width, height). With a `cache` directory
    each scene is made once and then read back; several processes may share it.
    """

    def __init__(
        self,
        count: int,
        seed: int = 0,
        size: tuple[int, int] = (256, 256),
        style: str | None = "impressionist",
        cache: str | Path | None = None,
    ) -> None:
        """Raise OptionError for an unknown style."""
        if style is not None:
            _check_style(style)
        self.count, self.seed, self.size, self.style = count, seed, size, style
        self.cache = Path(cache) if cache else None

    def __len__(self) -> int:
        """Return how many landscapes there are."""
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Return landscape `index`; raise IndexError outside the sequence."""
        if not 0 <= index < self.count:
            raise IndexError(f"landscape {index} of {self.count}")
        stored = self._stored(self.seed + index)
        pictures = {name: stored[name].astype(np.float32) / 255 for name in ("photo", "painting") if name in stored}
        words = {name: str(stored[name]) for name in ("time", "weather", "caption")}
        return {"labels": stored["labels"], **pictures, **words, "seed": self.seed + index}

    def _stored(self, seed: int) -> dict[str, Any]:
        """Return a scene as it is cached, made where it is not cached yet."""
        if self.cache is None:
            return self._make(seed)
        path = self.cache / f"{seed}-{self.size[0]}x{self.size[1]}-{self.style or 'plain'}.npz"
        if not path.exists():
            buffer = io.BytesIO()
            np.savez_compressed(buffer, **self._make(seed))
            self.cache.mkdir(parents=True, exist_ok=True)
            _replace(path, buffer.getvalue())
        with np.load(path) as archive:
            return dict(archive)

    def _make(self, seed: int) -> dict[str, Any]:
        scene = make_scene(seed, self.size[1], self.size[0])
        painting = {"painting": _quantise(_paint(scene, self.style))} if self.style else {}
        return {
            "labels": scene.labels, "photo": _quantise(scene.photo), **painting,
            "time": scene.time, "weather": scene.weather, "caption": scene.caption,
        }  # fmt: skip
