"""The sound of a movie: whether a container holds it, and its packets, copied as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from pathlib import Path
from typing import Any

from artkit.clips.clip import Clip
from artkit.clips.movie import Movie, open_container
from artkit.errors import OutputError
from artkit.files import open_regular

CONTAINERS = {".mp4": "mp4", ".mov": "mov", ".mkv": "matroska"}
"""What artkit writes movies in, by suffix, as FFmpeg calls it."""


def check_sound(clip: Clip, target: Path) -> None:
    """Raise OutputError where a movie's sound does not go into `target`, which says where it does."""
    if not isinstance(clip, Movie) or clip.file is None:
        return
    with open_regular(clip.file) as file, open_container(file) as source:
        codecs = {track.codec_context.name for track in source.streams.audio}
        fits = [suffix for suffix in CONTAINERS if all(_holds(suffix, track) for track in source.streams.audio)]
    if target.suffix.lower() in fits:
        return
    hint = f"it does into {' or '.join(fits)}" if fits else "nor does it into .mov or .mkv: take frames, -o FOLDER/"
    raise OutputError(f"the sound of {clip.name} ({', '.join(sorted(codecs))}) does not fit into {target}; {hint}.")


def _holds(suffix: str, track: Any) -> bool:
    import av

    with av.open(BytesIO(), "w", format=CONTAINERS[suffix]) as out:
        try:
            out.add_stream_from_template(track)
        except ValueError:
            return False
        return True


def copied_sound(clip: Clip, out: Any, stack: ExitStack) -> Iterator[tuple[float, Any]]:
    """Make room for a movie's sound in `out`, and yield its packets with their times in seconds."""
    if not isinstance(clip, Movie) or clip.file is None:
        return iter(())
    source = stack.enter_context(open_container(stack.enter_context(open_regular(clip.file))))
    tracks = {track.index: out.add_stream_from_template(track) for track in source.streams.audio}
    return _packets(source, tracks) if tracks else iter(())


def _packets(source: Any, tracks: dict[int, Any]) -> Iterator[tuple[float, Any]]:
    for packet in source.demux(*(source.streams[index] for index in tracks)):
        if packet.dts is None:
            continue  # the empty packet at the end
        time = float(packet.dts * packet.time_base)
        packet.stream = tracks[packet.stream_index]
        yield time, packet
