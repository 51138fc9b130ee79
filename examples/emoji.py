"""Makes captioned pictures with label maps of a folder of emoji, such as EmojiTwo's, for stackgan to learn from.

`python examples/emoji.py EMOJI data/emoji`, where EMOJI holds `captions.tsv` (file, name, category, keywords) and
`png/`, writes `data/emoji/{train,val}/{picture,label}/NAME.png`, `captions.tsv` beside them, and `classes.txt`.

- picture: the emoji on white;
- label: the nearest of a few named colours at each pixel, and `paper` where nothing is drawn;
- caption: its name, keywords and category, and the colours that cover most of it, so that colours can be asked for.

Names begin with numbers that mix the emoji, as halves of the data are compared while stackgan learns.
What belongs together (an emoji in all skin tones, what looks nearly the same) is in one split; a tenth is held out.
"""

from __future__ import annotations

import argparse
import csv
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter
from scipy.sparse.csgraph import connected_components
from scipy.spatial.distance import cdist
from skimage.color import rgb2lab

COLOURS = {
    "paper": (255, 255, 255), "white": (236, 236, 240), "grey": (148, 153, 159), "black": (62, 67, 71),
    "red": (237, 76, 92), "pink": (249, 180, 190), "beige": (254, 215, 178), "orange": (242, 155, 70),
    "yellow": (255, 221, 103), "brown": (150, 105, 75), "green": (131, 191, 79), "turquoise": (79, 209, 217),
    "blue": (42, 113, 184), "purple": (194, 143, 239),
}  # fmt: skip
SIDE = 256
"""Pixels a side, the size that stackgan paints: borders of maps are smooth, as emoji are enlarged before."""
TONES = ("pale", "fair", "tanned", "bronze", "dark")
"""What Unicode calls tone 1 to 5, in words."""
UNSEEN = {"white", "black", "sign", "symbol", "symbols", "for", "of", "the", "with", "and", "in", "or"}
"""Words of names that say nothing of the picture: Unicode calls outlines white, and what is filled black."""
HELD_OUT = 10
"""One family in so many is held out."""
ALIKE = 0.95
"""Two emoji are nearly the same, colours apart, where the lightness of 16 x 16 cells correlates by more than this."""
NAMED = 0.2
"""A colour is named that covers so much of what is drawn."""


def read_rows(emoji: Path) -> list[dict[str, str]]:
    """Return what is told of each emoji, by file. Ends the script where one is not in `png/`, by whatever name."""
    with open(emoji / "captions.tsv", encoding="utf-8", newline="") as table:
        rows = sorted(csv.DictReader(table, delimiter="\t"), key=lambda row: row["file"])
    there = {path.name for path in (emoji / "png").iterdir()}
    if strange := next((row["file"] for row in rows if row["file"] not in there), None):
        raise SystemExit(f"captions.tsv tells of {strange!r}, which is not in {emoji / 'png'}.")
    return rows


def write_rows(out: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write what is told of each picture, column names first."""
    with open(out / "captions.tsv", "w", encoding="utf-8", newline="") as table:
        csv.writer(table, delimiter="\t").writerows(rows)


def load(path: Path, side: int) -> tuple[Image.Image, np.ndarray]:
    """Return a picture on white, `side` pixels a side, and where something is drawn, HW."""
    drawn = Image.open(path).convert("RGBA")
    paper = Image.new("RGBA", drawn.size, "white")
    paper.alpha_composite(drawn)
    picture, seen = (
        each.resize((side, side), Image.Resampling.BICUBIC) for each in (paper.convert("RGB"), drawn.getchannel("A"))
    )
    return picture, np.asarray(seen) >= 128


@cache
def nearest_colours() -> np.ndarray:
    """Return the class of the nearest colour but paper for each of 32 x 32 x 32 colours, nearest as CIELAB has it."""
    levels = (np.indices((32, 32, 32)).reshape(3, -1).T * 8 + 4) / 255
    palette = rgb2lab(np.array(list(COLOURS.values())[1:]) / 255)
    return cdist(rgb2lab(levels), palette).argmin(1).reshape(32, 32, 32).astype(np.uint8) + 1


def find_colours(picture: Image.Image, drawn: np.ndarray) -> Image.Image:
    """Return the nearest of `COLOURS` at each pixel; the commonest of 5 x 5 takes the softened borders away."""
    red, green, blue = np.moveaxis(np.asarray(picture) >> 3, -1, 0)
    labels = np.where(drawn, nearest_colours()[red, green, blue], 0).astype(np.uint8)
    return Image.fromarray(labels).filter(ImageFilter.ModeFilter(5))


def name_colours(labels: Image.Image) -> list[str]:
    """Return the names of the colours that cover most of what is drawn, two at most, the first one first."""
    counts = np.bincount(np.asarray(labels).flat, minlength=len(COLOURS))[1:]
    most = [index for index in np.argsort(-counts, kind="stable")[:2] if counts[index] > NAMED * counts.sum()]
    return [list(COLOURS)[index + 1] for index in most]


def describe(row: dict[str, str], colours: list[str]) -> str:
    """Return a caption: the words of an emoji's name, keywords and category, each once, and its colours."""
    text = " ".join([row["name"], row["keywords"], row["category"]]).lower()
    text = re.sub(r"\btone ?([1-5])\b", lambda found: f"{TONES[int(found[1]) - 1]} skin", text)
    words = [word for word in re.findall(r"[a-z]+", text) if word not in UNSEEN]
    return " ".join(dict.fromkeys([*words, *colours]))


def find_families(names: list[str], pictures: list[Image.Image]) -> list[int]:
    """Return the number of each emoji's family: those whose names begin alike, or that look nearly the same.

    A name is the code points of an emoji's parts: the first says what it is, the next its skin or who is with it.
    """
    first = np.array([name.split("-")[0] for name in names])
    grey = [picture.convert("L").resize((16, 16), Image.Resampling.BOX) for picture in pictures]
    alike = np.corrcoef([np.asarray(one, float).ravel() for one in grey]) > ALIKE
    found: list[int] = connected_components(alike | (first[:, None] == first))[1].tolist()
    return found


def main(emoji: Path, out: Path) -> None:
    """Write the data set."""
    rows = read_rows(emoji)
    found = [load(emoji / "png" / row["file"], SIDE) for row in rows]
    families = find_families([Path(row["file"]).stem for row in rows], [picture for picture, _ in found])
    told = [("file", "split", "caption")]
    places = np.random.default_rng(0).permutation(len(rows))
    for row, (picture, drawn), family, place in zip(rows, found, families, places, strict=True):
        name = f"{place:04}-{row['file']}"
        split, labels = "val" if family % HELD_OUT == 0 else "train", find_colours(picture, drawn)
        for column, image in (("picture", picture), ("label", labels)):
            path = out / split / column / name
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)
        told.append((name, split, describe(row, name_colours(labels))))
    write_rows(out, told)
    lines = [f"{index} {name} {' '.join(map(str, colour))}" for index, (name, colour) in enumerate(COLOURS.items())]
    (out / "classes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("emoji", type=Path)
    parser.add_argument("out", type=Path)
    main(**vars(parser.parse_args()))
