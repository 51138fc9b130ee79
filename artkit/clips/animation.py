"""Reading animations: GIF, APNG and animated WebP, one frame at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from artkit.clips.clip import Clip, ClipFrame
from artkit.errors import ImageError
from artkit.files import open_regular
from artkit.images.decoding import decoding_errors, opened, pillow_levels

if TYPE_CHECKING:
    from artkit.images import Picture

FORMATS = ("GIF", "PNG", "WEBP")
MAX_FRAMES = 20_000
"""Frames of an animation, at most: more of them are a movie, or made to fill a disk."""
UNTIMED = Fraction(1, 10)
"""Seconds of a frame that says none: what browsers show it."""


def open_animation(path: Path) -> Animation | None:
    """Return the animation in a file, or None for a picture.

    Raises ImageError for what is neither, and for more than 20,000 frames.
    """
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            if image.format not in FORMATS or not getattr(image, "is_animated", False):
                return None
            shown: Any = image
            count, plays = shown.n_frames - _hidden(image), _plays(image)
    except OSError as error:
        raise ImageError(f"Cannot read {path}: {error.strerror or error}.") from None
    if count > MAX_FRAMES:
        raise ImageError(f"{path} has {count:,} frames; the limit is {MAX_FRAMES:,}.")
    return Animation(path, count, plays) if count > 1 else None


class Animation(Clip):
    """An animation in a file. Frames come whole, in 8 bits, as they are shown: laid over those before them."""

    def __init__(self, path: Path, count: int, plays: int) -> None:
        self.name, self.file, self.count, self.plays = str(path), path, count, plays

    def frames(self, skip: int = 0) -> Iterator[ClipFrame]:
        """Yield the frames as pictures."""
        assert self.file is not None
        assert self.count is not None
        with open_regular(self.file) as stream, opened(stream, self.name) as image:
            first = _hidden(image)
            for index in range(self.count):
                with decoding_errors(f"Frame {index + 1} of {self.name}"):
                    image.seek(first + index)
                    image.load()
                    seconds = _seconds(image)
                    picture = None if index < skip else self._picture(image)
                yield ClipFrame(picture, seconds)

    def _picture(self, image: Image.Image) -> Picture:
        from artkit.images import read_picture  # late: a plan is made without torch

        assert self.file is not None
        levels = pillow_levels(image)
        opaque = levels.shape[2] == 4 and levels[..., 3].min() == 255  # as Pillow gives every frame of a WebP
        return replace(read_picture(levels[..., :3] if opaque else levels), stem=self.file.stem)


def _hidden(image: Image.Image) -> int:
    """Return 1 for an APNG whose first picture is for programs that show no animations."""
    return int(bool(image.info.get("default_image")))


def _seconds(image: Image.Image) -> Fraction:
    milliseconds = image.info.get("duration") or 0
    return Fraction(milliseconds).limit_denominator(10**6) / 1000 if milliseconds > 0 else UNTIMED


def _plays(image: Image.Image) -> int:
    """Return how often an animation is shown, 0 for ever; GIF counts the times after the first."""
    loop = image.info.get("loop")
    if image.format == "GIF":
        return 1 if loop is None else loop and loop + 1
    return int(loop or 0)
