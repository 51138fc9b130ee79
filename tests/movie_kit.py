"""Small movies for tests, made and read with PyAV."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

SIZE = (32, 24)  # width, height
TICK = Fraction(1, 600)


def pixels(index: int, size=SIZE, dark: int | None = None) -> np.ndarray:
    """Return a frame: two slopes of colour and a square that moves; frame `dark` is black."""
    width, height = size
    found = np.zeros((height, width, 3), np.uint8)
    if index != dark:
        found[..., 0] = 40 + np.arange(width) * 200 // width
        found[..., 1] = 40 + np.arange(height)[:, None] * 200 // height
        found[4:10, index % 20 : index % 20 + 6] = 255
    return found


def make_movie(path, count=6, *, size=SIZE, codec="libx264", pix_fmt="yuv420p", sound="aac", dark=None, **how) -> Path:
    """Write a movie; `ticks` are the times of its frames in 600ths of a second, `how` more of its video stream.

    `sound` is a codec, or None; `full` says that levels run from 0 to 255; `rotation`, `aspect` and `container` as they
    read.
    """
    ticks = how.get("ticks") or [20 * index for index in range(count)]
    levels = 2 if how.get("full") else 1
    with av.open(str(path), "w", format=how.get("container")) as out:
        video = out.add_stream(codec, rate=30)
        video.width, video.height, video.pix_fmt = *size, pix_fmt
        video.codec_context.time_base, video.codec_context.color_range = TICK, levels
        if "aspect" in how:
            video.codec_context.sample_aspect_ratio = how["aspect"]
        if "rotation" in how:
            video.set_display_rotation(how["rotation"])
        audio = out.add_stream(sound, rate=8000, layout="mono") if sound else None
        for index in range(count):
            made = av.VideoFrame.from_ndarray(pixels(index, size, dark), format="rgb24")
            made = made.reformat(format=pix_fmt, dst_color_range=levels)
            made.pts, made.time_base = ticks[index], TICK
            out.mux(video.encode(made))
            if audio:
                out.mux(audio.encode(_tone(index)))
        out.mux(video.encode(None))
        if audio:
            out.mux(audio.encode(None))
    return Path(path)


def _tone(index: int) -> av.AudioFrame:
    levels = (np.sin(np.arange(266) / (5 + index % 7)) * 9000).astype(np.int16)[None]
    found = av.AudioFrame.from_ndarray(levels, format="s16", layout="mono")
    found.sample_rate, found.pts, found.time_base = 8000, 266 * index, Fraction(1, 8000)
    return found


def read_movie(path) -> tuple[list[np.ndarray], list[Fraction], dict]:
    """Return a movie's frames as RGB, their times in seconds, and what its video stream says of itself."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        frames = list(container.decode(video))
        first = frames[0]
        about = {
            "size": (first.width, first.height),
            "pix_fmt": video.pix_fmt,
            "range": int(first.color_range),
            "matrix": int(first.colorspace),
            "rotation": first.rotation,
            "aspect": video.sample_aspect_ratio,
        }
        return [one.to_ndarray(format="rgb24") for one in frames], [one.pts * one.time_base for one in frames], about


def read_sound(path) -> list[tuple[bytes, float]]:
    """Return the packets of a movie's sound and when each is heard."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(audio=0) if packet.size]
        return [(bytes(packet), round(float(packet.pts * packet.time_base), 6)) for packet in packets]
