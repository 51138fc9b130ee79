"""Reading movie files with PyAV: frames upright and in sRGB's numbers, each at its own time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from artkit.clips.clip import Clip, ClipFrame
from artkit.clips.matroska import missing_bytes
from artkit.clips.pyav import movie_errors, need_pyav
from artkit.errors import ImageError
from artkit.files import open_regular
from artkit.images.decoding import max_pixels

DEMUXERS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,ogg,flv,asf"
"""Containers that are read. None of them opens other files or addresses, as playlists do."""
CUT_OFF = 0.95
"""Of the frames that a file announces, at least so many must be there."""
_UNSPECIFIED, _BT709, _BT601, _HD = 2, 1, 6, 720
_SWSCALE = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}  # matrices: their numbers in streams, and in FFmpeg's scaler
FULL, LIMITED = 2, 1
"""Colour ranges, as FFmpeg numbers them: levels of 0 to 255, or 16 to 235."""


@dataclass(frozen=True)
class Look:
    """What a movie's levels mean, so that it is written as it was read.

    `matrix`, `primaries`, `transfer`: ITU-T H.273 numbers, 2 where the file does not say; `full_range` levels run from
    0 to 255; `aspect` is a pixel's width by its height.
    """

    matrix: int = _BT709
    primaries: int = _BT709
    transfer: int = _BT709
    full_range: bool = False
    aspect: Fraction = Fraction(1)

    @property
    def scaler(self) -> dict[str, int]:
        """The matrix and range as arguments of `VideoFrame.reformat`, without `src_` or `dst_`."""
        return {"colorspace": _SWSCALE.get(self.matrix, 1), "color_range": FULL if self.full_range else LIMITED}


def open_movie(path: Path) -> Movie:
    """Return the movie in a file.

    Raises UsageError without PyAV, ImageError for what is no movie, has no pictures, more pixels than are read, or is
    known to be cut off.
    """
    need_pyav(path)
    name = str(path)
    with open_regular(path) as file, movie_errors(name):
        if missing := missing_bytes(file):
            raise ImageError(f"{name} is cut off: {missing:,} bytes are missing at its end.")
        file.seek(0)
        return _open(path, file)


def _open(path: Path, file: BinaryIO) -> Movie:
    with open_container(file) as container:
        stream = _pictures(container, str(path))
        rate = stream.average_rate or stream.guessed_rate or Fraction(25)
        length = container.duration * rate / 1_000_000 if container.duration else 0
        announced = stream.frames if "mp4" in container.format.name else 0  # others count otherwise
        return Movie(path, stream.time_base, Fraction(rate), announced, announced or round(length))


class Movie(Clip):
    """A movie in a file; `time_base` is the unit of its times in seconds, `guess` about how many frames it has.

    `start` is when the first frame is shown, and `look` what its levels mean: known once that was read.
    """

    def __init__(self, path: Path, time_base: Fraction, rate: Fraction, announced: int, guess: int) -> None:
        self.name, self.file, self.count, self.plays = str(path), path, None, 0
        self.time_base, self.guess, self._step = time_base, guess or None, 1 / rate
        self._announced = announced
        self.start, self.look = Fraction(0), Look()

    def frames(self, skip: int = 0) -> Iterator[ClipFrame]:
        """Yield the frames as pictures, 8 bits a channel."""
        assert self.file is not None
        held: tuple[Any, Fraction] | None = None
        count = 0
        with open_regular(self.file) as file, movie_errors(self.name), open_container(file) as container:
            aspect = _pictures(container, self.name).sample_aspect_ratio
            for frame, start in self._timed(container):
                if held is None:
                    self.start, self.look = start, _look(frame, Fraction(aspect or 1))
                else:
                    yield self._frame(held[0], start - held[1], count - 1 < skip)
                held, count = (frame, start), count + 1
            if held is None:
                raise ImageError(f"{self.name} has no frames.")
            if count < CUT_OFF * self._announced:
                raise ImageError(f"{self.name} is cut off: frame {count} of {self._announced} is the last there is.")
            last = held[0].duration * self.time_base if held[0].duration else self._step
            yield self._frame(held[0], last, count - 1 < skip)

    def _timed(self, container: Any) -> Iterator[tuple[Any, Fraction]]:
        """Yield decoded frames with their times, which only rise."""
        stream = _pictures(container, self.name)
        stream.thread_type = "AUTO"
        earlier: Fraction | None = None
        for frame in container.decode(stream):
            start = None if frame.pts is None else frame.pts * frame.time_base
            if earlier is not None and (start is None or start <= earlier):
                start = earlier + self._step
            earlier = start or Fraction(0)
            yield frame, earlier

    def _frame(self, frame: Any, seconds: Fraction, skipped: bool) -> ClipFrame:
        return ClipFrame(None if skipped else self._picture(frame), seconds)

    def _picture(self, frame: Any) -> Any:
        from artkit.images import read_picture  # late: a plan is made without torch

        _check_size(frame.width, frame.height, self.name)
        source = {f"src_{name}": value for name, value in self.look.scaler.items()}
        levels = frame.reformat(format="rgb24", **source, dst_color_range=FULL).to_ndarray()
        turned = np.rot90(levels, round(frame.rotation / 90))  # both count against the clock
        return read_picture(np.ascontiguousarray(turned))


def open_container(file: BinaryIO) -> Any:
    """Open a movie file with PyAV, letting none in that would open others."""
    import av

    return av.open(file, "r", options={"format_whitelist": DEMUXERS})


def _pictures(container: Any, name: str) -> Any:
    """Return the stream of pictures; refuse what has none, or too many pixels, before one is decoded."""
    if not container.streams.video:
        raise ImageError(f"{name} has no pictures: it holds sound alone, or nothing.")
    stream = container.streams.video[0]
    _check_size(stream.codec_context.width, stream.codec_context.height, name)
    return stream


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > max_pixels():
        raise ImageError(
            f"{name} is {width}×{height} pixels; the limit is {max_pixels():,} pixels in all. "
            "If you trust it and have the memory, set ARTKIT_MAX_PIXELS higher."
        )


def _look(frame: Any, aspect: Fraction) -> Look:
    """Return what the levels of a movie mean, by its first frame; where it does not say, what players take it for."""
    matrix = int(frame.colorspace)
    if matrix not in _SWSCALE:
        matrix = _BT709 if frame.height >= _HD else _BT601
    full = int(frame.color_range) == FULL or frame.format.name.startswith("yuvj")
    on_its_side = round(frame.rotation / 90) % 2
    return Look(matrix, int(frame.color_primaries), int(frame.color_trc), full, 1 / aspect if on_its_side else aspect)
