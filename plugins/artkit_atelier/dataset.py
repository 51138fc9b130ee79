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

from PIL import Image

from artkit.errors import OutputError
from artkit.files import write_atomically
from artkit_atelier import LandscapesOptions
from artkit_atelier.classes import COLOURS, NAMES
from artkit_atelier.scenes import make_frames
from artkit_atelier.views import (
    Bytes,
    View,
    check_styles,
    find_others,
    find_view,
    paint_scene,
    quantise,
    split_of,
)

Task = TypeVar("Task")
Done = TypeVar("Done")
Row = tuple[str, ...]


@dataclass(frozen=True)
class _Task:
    """One picture to write: its place in the set, what it shows, and what its partner and its content show, if any."""

    directory: Path
    index: int
    split: str
    view: View
    others: dict[str, View]

    @property
    def file(self) -> str:
        return f"{self.index:05d}.png"


def write_landscapes(directory: Path, options: LandscapesOptions, jobs: int, progress: Callable[[], None]) -> None:
    """Write `options.count` pictures of scenes from `options.seed` on, with their paintings.

    Layout: `{train,val}/{label,photo,painting}/NNNNN.png`, and `partner`, `content` where asked for; labels as palette
    PNGs of class indices; `classes.txt` with a line `id name R G B` a class; `captions.tsv` with a row a picture. With
    `options.frames` each scene is a clip instead: `{train,val}/CLIP/{frame,label}/NNNNN.png`. Work is spread over
    `jobs` processes. Raises OutputError where the directory already holds a dataset.
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
    check_styles(options)
    for split in ("train", "val"):
        for kind in ("label", "photo", "painting", *find_others(options, find_view(options, 0), 0)):
            (directory / split / kind).mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", lineterminator="\n")
    header = ("file", "split", "caption", "time", "weather", "seed", "style")
    kept = len(header) if options.styles else len(header) - 1  # paintings of one style need no word for it
    writer.writerow(header[:kept])
    for row in spread_work(_write, _tasks(directory, options), jobs):
        writer.writerow(row[:kept])
        progress()
    write_atomically(directory / "captions.tsv", table.getvalue().encode())


def _write_clips(directory: Path, options: LandscapesOptions, jobs: int, progress: Callable[[], None]) -> None:
    for _ in spread_work(partial(_write_clip, options.frames), _tasks(directory, options), jobs):
        progress()


def _tasks(directory: Path, options: LandscapesOptions) -> list[_Task]:
    return [
        _Task(directory, index, split_of(index // options.looks), view, find_others(options, view, index))
        for index, view in ((index, find_view(options, index)) for index in range(options.count))
    ]


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
    view, clip = task.view, task.directory / task.split / f"{task.index:05d}"
    width, height = view.size
    for folder in ("frame", "label"):
        (clip / folder).mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(make_frames(view.seed, height, width, frames, view.drawn)):
        write_atomically(clip / "label" / f"{number:05d}.png", encode_png(label_image(scene.labels)))
        write_atomically(clip / "frame" / f"{number:05d}.png", encode_png(Image.fromarray(quantise(scene.photo))))
    return ()


def _write(task: _Task) -> Row:
    view, folder = task.view, task.directory / task.split
    scene = view.make()
    pictures = {
        "label": label_image(scene.labels),
        "photo": Image.fromarray(quantise(scene.photo)),
        "painting": Image.fromarray(paint_scene(scene, view.style)),
    }
    for name, other in task.others.items():
        pictures[name] = Image.fromarray(paint_scene(other.make(), other.style))
    for kind, picture in pictures.items():
        write_atomically(folder / kind / task.file, encode_png(picture))
    return task.file, task.split, scene.caption, scene.time, scene.weather, str(scene.seed), view.style


def label_image(labels: Bytes) -> Image.Image:
    """Return a label map (H, W) as a palette picture: its pixels are class indices, its palette their colours."""
    image = Image.fromarray(labels, "L").copy()
    image.putpalette([value for colour in COLOURS for value in colour])
    return image


def encode_png(image: Image.Image) -> bytes:
    """Return a picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
