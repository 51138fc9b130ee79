"""Writing movie files with PyAV: pieces of frames packed as H.264, joined with the sound of the movie they came from.

Pieces are packed without B-frames, so that a packet is a frame and joining needs no new times: it gives every packet
the time that its frame had, and copies the packets of the sound as they are.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from artkit.clips.clip import Clip
from artkit.clips.movie import Look, Movie
from artkit.clips.sound import CONTAINERS, copied_sound
from artkit.errors import OutputError
from artkit.files import atomic_file
from artkit.images import read_picture
from artkit.images.picture import on_white

ENCODERS = ("libx264", "libopenh264", "h264_videotoolbox", "mpeg4")
"""The first of these that this PyAV has; the last is in every one."""
QUALITY = {
    # x264 decides otherwise with other vector units, and on small frames now and then in the same process, unless told
    "libx264": {"crf": "18", "preset": "medium", "x264-params": "cpu-independent=1"},
    "mpeg4": {"qmin": "2", "qmax": "4"},
}
TICKS = Fraction(1, 90_000)
"""The unit of times in seconds of a movie that was none before."""


def look_of(clip: Clip) -> Look:
    """Return what the levels of a clip's movie are to mean."""
    return clip.look if isinstance(clip, Movie) else Look()


def pack_piece(frames: Sequence[Path], target: Path, look: Look) -> None:
    """Write pictures in files as one piece, whole or not at all. Odd sides grow by a pixel, which repeats the last."""
    import av

    encoder = next(name for name in ENCODERS if name in av.codecs_available)
    with atomic_file(target, overwrite=True) as file, av.open(file, "w", format="matroska") as container:
        stream: Any = container.add_stream(encoder, rate=25, options=QUALITY.get(encoder, {}))
        for index, path in enumerate(frames):
            frame = _video_frame(path, look)
            if index == 0:
                _describe(stream, frame, look)
            frame.pts, frame.time_base = index, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _video_frame(path: Path, look: Look) -> Any:
    import av

    levels = np.asarray(on_white(read_picture(path).to_pil()).convert("RGB"))
    height, width = levels.shape[:2]
    even = np.pad(levels, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    wanted = {f"dst_{name}": value for name, value in look.scaler.items()}
    return av.VideoFrame.from_ndarray(even, format="rgb24").reformat(format="yuv420p", src_color_range=2, **wanted)


def _describe(stream: Any, frame: Any, look: Look) -> None:
    context = stream.codec_context
    context.thread_count = 1  # x264 packs otherwise with other numbers of threads, and they are as many as the cores
    stream.width, stream.height, stream.pix_fmt, stream.max_b_frames = frame.width, frame.height, "yuv420p", 0
    context.sample_aspect_ratio = look.aspect
    context.colorspace, context.color_primaries, context.color_trc = look.matrix, look.primaries, look.transfer
    context.color_range = look.scaler["color_range"]


def write_movie(
    pieces: Sequence[Path], seconds: Sequence[Fraction], target: Path, clip: Clip, *, overwrite: bool = False
) -> None:
    """Join pieces to a movie, whole or not at all, with the sound of `clip` where that is a movie.

    `seconds` are shown each. `check_sound` says before whether it fits. Raises OutputError as `atomic_file` does, and
    for what the container does not take.
    """
    import av
    from av.error import FFmpegError

    kind = CONTAINERS[target.suffix.lower()]
    with atomic_file(target, overwrite=overwrite) as file, ExitStack() as stack:
        out = stack.enter_context(av.open(file, "w", format=kind))
        piece = stack.enter_context(av.open(os.fspath(pieces[0])))
        stream = out.add_stream_from_template(piece.streams.video[0])
        stream.time_base = clip.time_base if isinstance(clip, Movie) else TICKS
        sound = copied_sound(clip, out, stack)
        try:
            for _, packet in heapq.merge(_packets(pieces, seconds, clip, stream), sound, key=lambda pair: pair[0]):
                out.mux_one(packet)
        except (FFmpegError, ValueError) as error:
            raise OutputError(f"Cannot write {target}: {error}.") from None


def _packets(
    pieces: Sequence[Path], seconds: Sequence[Fraction], clip: Clip, stream: Any
) -> Iterator[tuple[float, Any]]:
    """Yield the packets of all pieces, each at the time of its frame."""
    import av

    unit = stream.time_base
    first = clip.start if isinstance(clip, Movie) else Fraction(0)
    starts = iter(accumulate(seconds, initial=first))
    lengths = iter(seconds)
    for path in pieces:
        with av.open(os.fspath(path)) as container:
            for packet in container.demux(video=0):
                if packet.size == 0:
                    continue
                start = next(starts)
                packet.stream, packet.time_base = stream, unit
                packet.pts = packet.dts = round(start / unit)
                packet.duration = round(next(lengths) / unit)
                yield float(start), packet
