"""Writes landscapes with their paintings and captions to a directory."""

from __future__ import annotations

import csv
import io
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from artkit.errors import OptionError, OutputError, nearest
from artkit.files import write_atomically
from artkit_atelier import LandscapesOptions
from artkit_atelier.classes import COLOURS, NAMES
from artkit_atelier.noise import Array
from artkit_atelier.scenes import Scene, make_frames, make_scene

Bytes = npt.NDArray[np.uint8]
Task = TypeVar("Task")
Done = TypeVar("Done")
Row = tuple[str, ...]

VALIDATION_EVERY = 10


def split_of(index: int) -> str:
    """Return the split that a scene belongs to: every tenth is set aside for validation."""
    return "val" if index % VALIDATION_EVERY == VALIDATION_EVERY - 1 else "train"


@dataclass(frozen=True)
class _Task:
    """One scene to write: its place in the set, and how to make it."""

    directory: Path
    index: int
    seed: int
    size: tuple[int, int]
    style: str
    drawn: float

    @property
    def file(self) -> str:
        return f"{self.index:05d}.png"


def write_landscapes(directory: Path, options: LandscapesOptions, jobs: int, progress: Callable[[], None]) -> None:
    """Write `options.count` scenes from `options.seed` on, with their paintings.

    Layout: `{train,val}/{label,photo,painting}/NNNNN.png`, labels as palette PNGs of class indices; `classes.txt` with
    a line `id name R G B` a class; `captions.tsv` with a row a scene. With `options.frames` each scene is a clip
    instead: `{train,val}/CLIP/{frame,label}/NNNNN.png`. Work is spread over `jobs` processes. Raises OutputError where
    the directory already holds a dataset.
    """
    if (directory / "classes.txt").exists():
        raise OutputError(f"{directory} already holds a dataset; name another directory, or remove it first.")
    if options.frames:
        _write_clips(directory, options, jobs, progress)
    else:
        _write_scenes(directory, options, jobs, progress)
    lines = [f"{index} {name} {' '.join(map(str, COLOURS[index]))}\n" for index, name in enumerate(NAMES)]
    write_atomically(directory / "classes.txt", "".join(lines).encode())


def _write_scenes(directory: Path, options: LandscapesOptions, jobs: int, progress: Callable[[], None]) -> None:
    for split in ("train", "val"):
        for kind in ("label", "photo", "painting"):
            (directory / split / kind).mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    writer.writerow(("file", "split", "caption", "time", "weather", "seed"))
    for row in spread_work(_write, _tasks(directory, options), jobs):
        writer.writerow(row)
        progress()
    write_atomically(directory / "captions.tsv", table.getvalue().encode())


def _write_clips(directory: Path, options: LandscapesOptions, jobs: int, progress: Callable[[], None]) -> None:
    for _ in spread_work(partial(_write_clip, options.frames), _tasks(directory, options), jobs):
        progress()


def _tasks(directory: Path, options: LandscapesOptions) -> list[_Task]:
    return [
        _Task(directory, index, options.seed + index, options.size_of(index), options.style, options.drawn)
        for index in range(options.count)
    ]


def check_style(style: str) -> None:
    """Raise OptionError unless there is a painting style of this name."""
    from artkit_atelier.painting import STYLES

    if style not in STYLES:
        raise OptionError(f"There is no painting style '{style}'.{nearest(style, STYLES)}")


def spread_work(work: Callable[[Task], Done], tasks: list[Task], jobs: int) -> Iterator[Done]:
    """Do the work of every task in up to `jobs` processes, and yield what each returned, in order."""
    jobs = min(jobs, len(tasks))
    if jobs == 1:
        yield from map(work, tasks)
        return
    pool = ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn"))
    try:
        yield from pool.map(work, tasks, chunksize=max(1, min(8, len(tasks) // (4 * jobs))))
    finally:
        pool.shutdown(cancel_futures=True)


def _write_clip(frames: int, task: _Task) -> Row:
    """Write the frames of a slow move through a scene, with their label maps."""
    width, height = task.size
    clip = task.directory / split_of(task.index) / f"{task.index:05d}"
    for folder in ("frame", "label"):
        (clip / folder).mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(make_frames(task.seed, height, width, frames, task.drawn)):
        write_atomically(clip / "label" / f"{number:05d}.png", encode_png(label_image(scene.labels)))
        write_atomically(clip / "frame" / f"{number:05d}.png", encode_png(Image.fromarray(quantise(scene.photo))))
    return ()


def _write(task: _Task) -> Row:
    width, height = task.size
    scene = make_scene(task.seed, height, width, drawn=task.drawn)
    folder = task.directory / split_of(task.index)
    write_atomically(folder / "label" / task.file, encode_png(label_image(scene.labels)))
    write_atomically(folder / "photo" / task.file, encode_png(Image.fromarray(quantise(scene.photo))))
    write_atomically(folder / "painting" / task.file, encode_png(Image.fromarray(paint_scene(scene, task.style))))
    return task.file, split_of(task.index), scene.caption, scene.time, scene.weather, str(scene.seed)


def label_image(labels: Bytes) -> Image.Image:
    """Return a label map (H, W) as a palette picture: its pixels are class indices, its palette their colours."""
    image = Image.fromarray(labels, "L").copy()
    image.putpalette([value for colour in COLOURS for value in colour])
    return image


def paint_scene(scene: Scene, style: str) -> Bytes:
    """Return a scene's painting (H, W, 3) in a style."""
    # The painter is the costly part, and not every reader of this module paints.
    from artkit_atelier.painting import paint

    return quantise(paint(scene.photo, scene.labels, style, scene.seed))


def quantise(picture: Array) -> Bytes:
    """Return a picture in [0, 1] as bytes."""
    return np.round(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def encode_png(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
