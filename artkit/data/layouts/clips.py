"""Frame folders: a folder a clip, in it a folder a column, in that the frames by number."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from artkit.data.layouts.place import Files, Place, Table, is_column, key_files

FRAMES = frozenset({"frame", "frames", "image", "images", "rgb"})
NEXT, BEFORE, BEFORE2 = "next", "before", "before2"
OTHER_TIMES = (NEXT, BEFORE, BEFORE2)
"""Columns of the frame that follows, of the one before, and of the one before that."""


def find_clips(place: Place) -> Table | None:
    """See `camel/frame/00000.jpg camel/mask/00000.png`: columns `frame`, `mask`, and `next`, the frame that follows.

    And `before` and `before2`, the two before: at a clip's start its first frame, as if it had stood still. A clip's
    last frame has no next one and is no sample.
    """
    names = [name.split("/") for name in place.pictures]
    if not names or any(len(parts) != 3 for parts in names):
        return None
    columns = {parts[1] for parts in names}
    frames = next((column for column in sorted(columns) if column.lower() in FRAMES), None)
    if frames is None or not all(map(is_column, columns)):
        return None
    tables, left_out = _read(place.pictures, sorted(columns))
    following = _following(tables[frames])
    past = {BEFORE: _before(tables[frames], 1), BEFORE2: _before(tables[frames], 2)}
    tables = {frames: tables[frames], NEXT: following, **past, **tables}
    tables = {
        column: {key: path for key, path in files.items() if key in following} for column, files in tables.items()
    }
    return Table("frames of clips", tables, groups={key: key.split("/")[0] for key in following}, left_out=left_out)


def _read(pictures: Files, columns: list[str]) -> tuple[dict[str, Files], tuple[str, ...]]:
    tables: dict[str, Files] = {}
    left_out: tuple[str, ...] = ()
    for column in columns:
        files = {name.replace(f"/{column}/", "/"): path for name, path in pictures.items() if f"/{column}/" in name}
        tables[column], twice = key_files(files, column)
        left_out += twice
    return tables, left_out


def _before(frames: Files, steps: int) -> dict[str, Path]:
    """Return the frame so many steps before each, in its clip; the first one where there are fewer."""
    clips: dict[str, list[str]] = {}
    for key in sorted(frames):
        clips.setdefault(key.split("/")[0], []).append(key)
    return {key: frames[clip[max(place - steps, 0)]] for clip in clips.values() for place, key in enumerate(clip)}


def _following(frames: Files) -> dict[str, Path]:
    pairs = pairwise(sorted(frames))
    return {key: frames[after] for key, after in pairs if key.split("/")[0] == after.split("/")[0]}
