"""Makes classes of faces of a folder of emoji, such as EmojiTwo's, for funit to learn from.

`python examples/emoji_faces.py EMOJI data/faces` writes `data/faces/{train,val}/NAME.png` and `captions.tsv`, which
says of each picture its `kind` (smileys, cats, monkeys, animals, moons, devils, people in six tones) and its `hue`: so
few kinds teach little, so each is there as it is, and with all of its hues turned by one to five sixths of the circle.

A class is a kind in a hue. Held out, in `val`, are all devils, and every other kind in one of the hues.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from emoji import TONES, load, read_rows, write_rows
from PIL import Image

SIDE = 64
"""Pixels a side."""
HUES = ("own", "second", "third", "fourth", "fifth", "sixth")
HELD_OUT = "devil"
"""The kind that training never sees."""
CODES = {
    "cat": ("1f431", *(f"1f6{code:x}" for code in range(0x38, 0x41))),
    "monkey": ("1f435", "1f648", "1f649", "1f64a"),
    "animal": (*(f"1f4{code:x}" for code in (*range(0x2D, 0x31), 0x32, 0x34, *range(0x36, 0x3D))), "1f428", "1f98a"),
    "moon": ("1f31a", "1f31b", "1f31c", "1f31d", "1f31e"),
    "devil": ("1f47f", "1f608", "1f479", "1f47a"),
}
"""Kinds whose emoji no word tells, by their code points."""
PEOPLE = (
    "1f385", *(f"1f4{code:x}" for code in (*range(0x66, 0x6A), 0x6E, *range(0x70, 0x79), 0x7C, 0x81, 0x82)), "1f575",
)  # fmt: skip
"""The heads among the emoji that come in five skin tones."""
KIND_OF = {code: kind for kind, codes in CODES.items() for code in codes}
SKINS = {f"{0x1F3FB + tone:x}": name for tone, name in enumerate(TONES)}


def find_kind(row: dict[str, str]) -> str | None:
    """Return which kind of face an emoji is; None for what is no face."""
    first, *others = Path(row["file"]).stem.split("-")
    if first in KIND_OF:
        return KIND_OF[first]
    if first in PEOPLE:
        return "yellow" if not others else SKINS.get(others[0]) if len(others) == 1 else None
    return "smiley" if "smiley" in row["keywords"].split() else None


def turn(picture: Image.Image, hue: int) -> Image.Image:
    """Turn all hues by so many sixths of the circle."""
    pixels = np.array(picture.convert("HSV"))
    pixels[..., 0] = (pixels[..., 0].astype(int) + round(256 * hue / len(HUES))) % 256
    return Image.frombytes("HSV", picture.size, pixels.tobytes()).convert("RGB")


def is_held_out(kind: str, kinds: list[str], hue: int) -> bool:
    """Tell whether a class is held out; no kind's own hue is, but that of `HELD_OUT`."""
    return kind == HELD_OUT or hue == 1 + kinds.index(kind) % (len(HUES) - 1)


def main(emoji: Path, out: Path) -> None:
    """Write the data set."""
    found = [(row["file"], kind) for row in read_rows(emoji) if (kind := find_kind(row))]
    kinds, told = sorted({kind for _, kind in found}), [("file", "split", "kind", "hue")]
    for file, kind in found:
        picture, _ = load(emoji / "png" / file, SIDE)
        for hue, name in enumerate(HUES):
            split, own = "val" if is_held_out(kind, kinds, hue) else "train", f"{Path(file).stem}-{name}.png"
            (out / split).mkdir(parents=True, exist_ok=True)
            (turn(picture, hue) if hue else picture).save(out / split / own)
            told.append((own, split, kind, name))
    write_rows(out, told)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emoji", type=Path)
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
