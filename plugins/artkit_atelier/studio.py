"""The studio: photos and paintings that have nothing to do with each other, as two or more unpaired domains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from skimage import color, data, segmentation, transform

from artkit.data import Column, Dataset, Sample
from artkit.errors import DataError
from artkit.files import write_atomically
from artkit.images import READABLE_SUFFIXES, read_picture
from artkit.spec import Kind
from artkit_atelier import StudioOptions
from artkit_atelier.dataset import encode_png
from artkit_atelier.painting import paint
from artkit_atelier.scenes import make_scene
from artkit_atelier.views import PHOTO, Bytes, check_style, quantise, split_of

Array = npt.NDArray[np.float32]
Labels = npt.NDArray[np.uint8]

PHOTOGRAPHS = ("motorcycle", "camera", "coins", "brick", "grass", "gravel")
"""scikit-image's own, CC0 or in the public domain. Its astronaut, chelsea, coffee and rocket are left for judging."""
PHOTOGRAPHED = 0.35  # the share of motifs that are crops of photographs
LARGEST_SCENE = 1.6  # times the picture's side
FARTHEST, WHOLE = 2.0, 5.0  # times the picture's side that details of photographs are cut from, at most
SEGMENTS = 60


@dataclass(frozen=True)
class Motif:
    """What a picture shows: RGB in [0, 1] (H, W, 3), and a label map (H, W) whose borders strokes keep to."""

    photo: Array
    labels: Labels


class Studio(Dataset):
    """One split of `count` photos, and as many paintings in each of `styles`, all of different motifs.

    Columns: `photo` and one for each style. Motifs are crops of the atelier's scenes at several scales and crops of
    scikit-image's photographs, their colours turned at random, alike in all domains: what tells the domains apart is
    the hand alone.
    """

    name = "studio"
    unpaired = True

    def __init__(self, options: StudioOptions, split: str) -> None:
        """Raise OptionError for an unknown style."""
        for style in options.styles:
            check_style(style)
        self.options = options
        self.places = [index for index in range(options.count) if split_of(index) == split]
        self.columns = {name: Column(name, Kind.IMAGE) for name in (PHOTO, *options.styles)}

    def __len__(self) -> int:
        return len(self.places)

    def load(self, index: int, names: Sequence[str]) -> Sample:
        """Make the named columns of one place; see Dataset.load."""
        return {name: self._make(self.places[index], self.column(name).name) for name in names}

    def _make(self, place: int, name: str) -> torch.Tensor:
        domains = list(self.columns)
        seed = self.options.seed + place * len(domains) + domains.index(name)
        return self._cached(f"{seed}-{name}-{self.options.side}.png", lambda: _picture(seed, name, self.options.side))

    def _cached(self, file: str, make: Callable[[], Bytes]) -> torch.Tensor:
        """Return the picture (3, H, W) that the cache holds as `file`, made first where it holds none."""
        path = Path(self.options.cache) / file if self.options.cache else None
        if path and path.exists():
            pixels = np.asarray(Image.open(path))
        else:
            pixels = make()
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, encode_png(Image.fromarray(pixels)), overwrite=True)
        return torch.from_numpy(pixels.copy()).permute(2, 0, 1).contiguous()


def _picture(seed: int, name: str, side: int) -> Bytes:
    """Make a motif, and paint it where `name` is a style."""
    motif = make_motif(seed, side)
    return quantise(motif.photo if name == PHOTO else paint(motif.photo, motif.labels, name, seed))


def open_studio(options: StudioOptions, split: str) -> Studio:
    """Open one split of the studio that `options` describe."""
    return Studio(options, split)


def make_motif(seed: int, side: int) -> Motif:
    """Make a square motif of `side` pixels: the same for the same seed."""
    random = np.random.default_rng(seed)
    photographed = random.random() < PHOTOGRAPHED
    motif = _detail(random, _own_photograph(random), side, side) if photographed else _scene(random, seed, side)
    return Motif(turn_colours(motif.photo, random), motif.labels)


def make_photograph(seed: int, height: int, width: int, folder: str | None = None) -> Motif:
    """Make a motif of `height` x `width` pixels that is a detail of a photograph, its colours turned.

    Raises DataError where there is no picture in the `folder`, or one that cannot be read.
    """
    random = np.random.default_rng(seed)
    picture = _own_photograph(random) if folder is None else _photograph_in(random, Path(folder))
    motif = _detail(random, picture, height, width, WHOLE)
    return Motif(turn_colours(motif.photo, random), motif.labels)


def turn_colours(photo: Array, random: np.random.Generator) -> Array:
    """Turn the hue (a little, or anywhere), scale the chroma, and lighten or darken a picture."""
    lab = color.rgb2lab(photo)
    angle = random.uniform(-np.pi, np.pi) if random.random() < 0.4 else random.normal(0, 0.15)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    lab[..., 1:] = lab[..., 1:] @ turn.T * random.uniform(0.5, 1.3)
    lab[..., 0] = 100 * (lab[..., 0] / 100) ** np.exp(random.normal(0, 0.35))
    lab[..., 2] = np.minimum(lab[..., 2], 199.99 * (lab[..., 0] + 16) / 116)  # beyond, there is no colour (Z < 0)
    return np.clip(color.lab2rgb(lab), 0, 1).astype(np.float32)


def _scene(random: np.random.Generator, seed: int, side: int) -> Motif:
    """Cut a window out of a landscape up to `LARGEST_SCENE` times as large."""
    whole = round(side * random.uniform(1, LARGEST_SCENE))
    scene = make_scene(seed, whole, whole)
    top, left = random.integers(whole - side + 1, size=2)
    window = (slice(top, top + side), slice(left, left + side))
    return Motif(scene.photo[window].astype(np.float32), scene.labels[window])


def _own_photograph(random: np.random.Generator) -> Array:
    """Choose one of scikit-image's photographs, (H, W, 3) or (H, W) in [0, 1]."""
    name = PHOTOGRAPHS[random.integers(len(PHOTOGRAPHS))]
    picture = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return np.asarray(picture, np.float32) / np.float32(255)


def _photograph_in(random: np.random.Generator, folder: Path) -> Array:
    """Choose one of a folder's photographs, (H, W, 3) in [0, 1]."""
    files = sorted(path for path in folder.glob("*") if path.suffix.lower() in READABLE_SUFFIXES)
    if not files:
        raise DataError(f"{folder} holds no pictures; name a folder of photographs.")
    picture = read_picture(files[random.integers(len(files))])
    return np.asarray(picture.tensor[0].permute(1, 2, 0).numpy(), np.float32)


def _detail(random: np.random.Generator, picture: Array, height: int, width: int, farthest: float = FARTHEST) -> Motif:
    """Cut a window out of a photograph, at most `farthest` times as large as what is made.

    A grey one is toned from a dark to a light colour.
    """
    window = _zoom(picture, random, height, width, farthest)
    if window.ndim == 2:
        dark, light = random.uniform(0, 0.35, 3), random.uniform(0.65, 1, 3)
        window = (dark + window[..., None] * (light - dark)).astype(np.float32)
    toned = np.clip(window, 0, 1)
    labels = segmentation.slic(toned, n_segments=SEGMENTS, compactness=8, start_label=0)
    return Motif(toned, labels.astype(np.uint8))


def _zoom(picture: Array, random: np.random.Generator, height: int, width: int, farthest: float) -> Array:
    """Cut a rectangle of random size and place, and resize it to `height` x `width`."""
    tall, wide = picture.shape[:2]
    share = min(tall / height, wide / width, random.uniform(0.6, farthest))
    down, across = max(round(height * share), 1), max(round(width * share), 1)
    top, left = random.integers(tall - down + 1), random.integers(wide - across + 1)
    cut = picture[top : top + down, left : left + across]
    return np.asarray(transform.resize(cut, (height, width), anti_aliasing=share > 1), np.float32)
