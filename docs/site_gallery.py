"""The gallery of the site: pictures that artkit makes while the site is built, each under the line that makes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage import data

from artkit import Chain
from artkit.files import write_atomically

HERE = Path(__file__).parent
FOLDER = HERE / "reference"
MAP = HERE.parent / "examples" / "semantic.png"
SIZE = (320, 240)
WITH = "--size 320x240 --seed 7"
FROM_A_MAP = (
    "semgan,pix2pix,touchup",
    "semgan,pix2pix(condition='dusk misty')",
    "semgan,spade(light=golden,style=impressionist)",
    "semgan,spade(light=dusk,style=swirl)",
    "semgan,spade(light=morning,style=watercolour)",
    "semgan,spade,edges(invert=true)",
)
FROM_A_PHOTO = (
    "cyclegan(model=monet)",
    "cyclegan(model=vangogh)",
    "pix2pix(model=renoir)",
    "nst(style=glass,quality=draft)",
    "superpixels,quantise",
)
FROM_NOTHING = (
    "can",
    "semgan,pix2pix",
    "stackgan(text='a lake below mountains at noon',stage=0),pix2pix,touchup",
)


def setup(app: Any) -> dict[str, bool]:
    """Paint before Sphinx looks for pages."""
    app.connect("builder-inited", lambda _: write_gallery())
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def write_gallery() -> None:
    """Write the page and its pictures."""
    FOLDER.mkdir(exist_ok=True)
    photo = Image.fromarray(np.asarray(data.chelsea()))
    lines = ["# Gallery", "", "All of it was made while this page was, by the default models."]
    for title, source, name, chains in (
        ("From a drawn map", Image.open(MAP), "semantic.png", FROM_A_MAP),
        ("From a photo", photo, "photo.jpg", FROM_A_PHOTO),
        ("From nothing but a seed", None, "", FROM_NOTHING),
    ):
        lines += ["", f"## {title}", ""]
        for number, text in enumerate(chains):
            file = f"{name.partition('.')[0] or 'dream'}-{number}.png"
            made = Chain(text)(source, size=SIZE, seed=7) if source else Chain(text)(size=SIZE, seed=7)
            made.save(FOLDER / file, overwrite=True)
            command = " ".join(["artkit run", *([name] if name else []), f'--chain "{text}" {WITH}'])
            lines += [f"![{text}]({file})", "", "```text", command, "```", ""]
    write_atomically(FOLDER / "gallery.md", "\n".join(lines).encode(), overwrite=True)
