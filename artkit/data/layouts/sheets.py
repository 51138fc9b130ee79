"""Whether a picture is a sheet, two pictures of one thing side by side: told by what it shows, not by its shape.

Either a seam runs down the middle, or the halves have edges in the same places. Of sheets of shoes, facades and streets
95 to 100 % show one or the other; of photos, paintings, drawings and label maps by themselves, up to 6 % do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from artkit.data.inspecting import read_header, to_grey
from artkit.data.layouts.place import Files, Place, Table, key_files
from artkit.errors import ImageError
from artkit.files import open_regular
from artkit.images.decoding import opened

SEAM = 1.5  # times the steps between nearly all other columns
ALIKE = 0.05  # by how much edges correlate better in place than moved
FAINT = 2.0  # levels of 255: smaller steps are no seam
GRID, MOVES = 48, range(4, 45)  # cells; how far halves are moved against each other
LEAST = 32  # px: narrower pictures tell nothing
_DRAFT = (256, 128)


def is_sheet(path: Path) -> bool:
    """Look at one file; one that cannot be read is none."""
    try:
        with open_regular(path) as stream, opened(stream, str(path)) as image:
            image.draft("L", _DRAFT)
            grey = to_grey(image)
    except (ImageError, OSError):
        return False
    return grey.width >= LEAST and (has_seam(np.asarray(grey, np.float32)) or are_halves_alike(grey))


def has_seam(levels: np.ndarray) -> bool:
    """Tell whether neighbouring columns of H x W levels differ in the middle as they do nearly nowhere near it."""
    width = levels.shape[1]
    steps = np.abs(np.diff(levels, axis=1)).mean(0)
    middle, others = steps[width // 2 - 1], np.delete(steps, width // 2 - 1)[width // 4 : -(width // 4)]
    return bool(middle > SEAM * (np.quantile(others, 0.95) + FAINT))


def are_halves_alike(grey: Image.Image) -> bool:
    """Tell whether edges of the left half lie where those of the right half do, and not as well when moved sideways.

    Landscapes have their horizon in both halves wherever they are cut; partners agree in place alone.
    """
    half = grey.width // 2
    left, right = (_edges(grey, (start, 0, start + half, grey.height)) for start in (0, half))
    moved = max(_correlation(left, np.roll(right, move, axis=1)) for move in MOVES)
    return _correlation(left, right) - moved > ALIKE


def _edges(grey: Image.Image, box: tuple[int, int, int, int]) -> np.ndarray:
    cells = np.asarray(grey.resize((GRID, GRID), Image.Resampling.BOX, box=box), np.float32)
    return np.sqrt(np.abs(np.diff(cells, axis=1))[:-1] + np.abs(np.diff(cells, axis=0))[:, :-1])


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / max(float(np.sqrt((a * a).sum() * (b * b).sum())), 1e-6))


SHEETS = "AB"
LOOKED_AT = 16
LOOKED_INTO, DOUBTFUL = 8, 4  # files; of so many, one may look like no sheet
_NAMED = re.compile(rf".+[_-]{SHEETS}", re.IGNORECASE)


def find_sheets(place: Place) -> Table | None:
    """See `1.jpg 2.jpg` of even width, not higher than wide, that look like sheets; columns A and B are their halves.

    Files called `1_AB.jpg`, or a folder `AB`, are sheets by their names, whatever they look like. Some are looked at.
    """
    pictures = _pictures(place)
    if not pictures or not (_are_named(place, pictures) or _look_so(list(pictures.values()))):
        return None
    files, left_out = key_files(pictures)
    return Table("A|B sheets", {"A": files, "B": files}, sheets=True, left_out=left_out)


def _pictures(place: Place) -> Files:
    """Return all pictures where they lie in one folder, or in one folder called `AB`; else nothing."""
    found = place.loose or place.by_folder().get(SHEETS, {})
    return found if len(found) == len(place.pictures) else {}


def _are_named(place: Place, pictures: Files) -> bool:
    return not place.loose or all(_NAMED.fullmatch(path.stem) for path in pictures.values())


def _look_so(paths: Sequence[Path]) -> bool:
    headers = [read_header(path) for path in _some(paths, LOOKED_AT)]
    seen = [header for header in headers if header is not None]
    if not seen or not all(header.width % 2 == 0 and header.width >= header.height for header in seen):
        return False
    doubts = 0
    some = _some(paths, LOOKED_INTO)
    for path in some:
        doubts += not is_sheet(path)
        if doubts > len(some) // DOUBTFUL:
            return False
    return True


def _some(paths: Sequence[Path], count: int) -> Sequence[Path]:
    return paths[:: max(1, len(paths) // count)][:count]
