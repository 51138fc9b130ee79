"""Maps and photos from the air as pairs to train on, made as they are asked for or written to a folder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from PIL import Image

from artkit.data import Column, Dataset, Sample
from artkit.errors import DataError, OutputError
from artkit.files import write_atomically
from artkit.spec import Kind
from artkit_atelier import PlacesOptions
from artkit_atelier.dataset import encode_png, spread_work
from artkit_atelier.places import make_place
from artkit_atelier.views import Bytes, quantise, split_of

MAP, AIR = "map", "air"

Task = tuple[Path, str, int, tuple[int, int]]
"""A folder of a split, a file's name, the seed of its place, and its (width, height)."""


class Places(Dataset):
    """One split of the places that `options` describe: columns `map` and `air`, RGB both.

    Light falls from the upper left, so a mirrored place is not a place.
    """

    name = "places"
    mirrors = False

    def __init__(self, options: PlacesOptions, split: str = "train") -> None:
        self.options = options
        self.seeds = [options.seed + index for index in range(options.count) if split_of(index) == split]
        self.columns = {name: Column(name, Kind.IMAGE) for name in (MAP, AIR)}

    def __len__(self) -> int:
        return len(self.seeds)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Make the named columns of one place; see Dataset.load."""
        sides = _make_sides(self.seeds[index], self.options.size)
        return {self.column(name).name: torch.from_numpy(sides[name]).permute(2, 0, 1).contiguous() for name in names}


def _make_sides(seed: int, size: tuple[int, int]) -> dict[str, Bytes]:
    width, height = size
    place = make_place(seed, height, width)
    return {MAP: quantise(place.map), AIR: quantise(place.air)}


def open_places(options: PlacesOptions, split: str) -> Places:
    """Open one split of the places that `options` describe. Raises DataError where there are too few for it."""
    places = Places(options, split)
    if not len(places):
        raise DataError(f"places(count={options.count}) has no places for the split '{split}': raise count.")
    return places


def write_places(directory: Path, options: PlacesOptions, jobs: int, progress: Callable[[], None]) -> None:
    """Write the places as `{train,val}/{map,air}/NNNNN.png`, with `jobs` processes.

    Raises OutputError where the directory holds something already.
    """
    if any(directory.iterdir()):
        raise OutputError(f"{directory} is not empty; name another directory, or remove it first.")
    tasks: list[Task] = [
        (directory / split_of(index), f"{index:05d}.png", options.seed + index, options.size)
        for index in range(options.count)
    ]
    for folder in sorted({task[0] for task in tasks}):
        for name in (MAP, AIR):
            (folder / name).mkdir(parents=True, exist_ok=True)
    for _ in spread_work(_write, tasks, jobs):
        progress()


def _write(task: Task) -> None:
    folder, file, seed, size = task
    for name, pixels in _make_sides(seed, size).items():
        write_atomically(folder / name / file, encode_png(Image.fromarray(pixels)))
