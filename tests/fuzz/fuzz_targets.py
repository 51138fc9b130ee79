"""The readers of what strangers make: for each, sound files to start from, and what must hold of any file."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import nn

from artkit.chain import Chain, read_recipe
from artkit.data.captions import find_captions
from artkit.data.inspecting import inspect_labels, inspect_picture, read_header as read_picture_header
from artkit.data.labels import load_labels, read_palette
from artkit.errors import ArtkitError
from artkit.images import read_classes_file, read_picture, read_provenance, write_classes_file
from artkit.images.classes import spread_colour
from artkit.images.png16 import encode_png16
from artkit.images.provenance import add_provenance, png_chunk
from artkit.models import load_model, read_frame, save_model
from artkit.models.foreign import import_model
from artkit.models.foreign.reading import read_checkpoint
from artkit.models.header import is_foreign
from artkit.nn import Ema
from artkit.plugins import current_registry
from artkit.spec import ClassSet, Kind, LabelClass, ModelHeader
from artkit.training.checkpoint import load_checkpoint, save_checkpoint

CLASSES = ClassSet("sky", tuple(LabelClass(f"c{index}", spread_colour(index)) for index in range(5)))


class Target(NamedTuple):
    """`seeds` makes sound files; `read` gets the path of any file and may raise ArtkitError alone, of so many lines."""

    suffix: str
    seeds: Callable[[Path], list[bytes]]
    read: Callable[[Path], None]
    lines: int = 1


def _try(*readers: Callable[[], object]) -> None:
    """Let each reader refuse the file; raise the last refusal, so that its words are looked at."""
    refusal = None
    for reader in readers:
        try:
            reader()
        except ArtkitError as error:
            refusal = error
    if refusal:
        raise refusal


def picture_seeds(folder: Path) -> list[bytes]:
    """Return small pictures in all formats and depths."""
    chance = np.random.default_rng(0)
    colour = Image.fromarray(chance.integers(0, 256, (12, 9, 3), dtype=np.uint8))
    labels = Image.fromarray(chance.integers(0, 5, (12, 9), dtype=np.uint8))
    palette = labels.copy()
    palette.putpalette([level for colour_ in CLASSES.colours for level in colour_])
    deep = chance.integers(0, 65536, (12, 9, 3)).astype(np.uint16)
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "hello", zip=True)
    forms: list[tuple[Image.Image, str, dict[str, Any]]] = [
        *((colour, name, {}) for name in ("PNG", "JPEG", "WEBP", "TIFF", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")),
        (colour.convert("RGBA"), "PNG", {"pnginfo": text}),
        (colour.convert("RGBA"), "WEBP", {"lossless": True}),
        (colour.convert("CMYK"), "JPEG", {}),
        (colour, "JPEG", {"progressive": True, "exif": _exif(6)}),
        *((colour, "TIFF", {"compression": name}) for name in ("tiff_lzw", "tiff_adobe_deflate", "jpeg", "packbits")),
        (labels, "PNG", {}),
        (labels.convert("1"), "PNG", {}),
        (labels.convert("1"), "TIFF", {"compression": "group4"}),
        (palette, "PNG", {"transparency": 1}),
        (palette, "PNG", {"save_all": True, "append_images": [palette]}),
        (Image.fromarray(deep[:, :, 0]), "PNG", {}),
        (Image.fromarray(deep[:, :, 0]), "TIFF", {}),
        (Image.fromarray(chance.random((12, 9)).astype(np.float32)), "TIFF", {}),
    ]
    return [encode_png16(deep), _deep_tiff(deep), *filter(None, (_encoded(*form) for form in forms))]


def _encoded(image: Image.Image, form: str, settings: dict[str, Any]) -> bytes | None:
    stream = BytesIO()
    try:
        image.save(stream, form, **settings)
    except (KeyError, OSError):  # a Pillow built without that format
        return None
    return stream.getvalue()


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return exif.tobytes()


def _deep_tiff(pixels: np.ndarray) -> bytes:
    import tifffile

    stream = BytesIO()
    tifffile.imwrite(stream, pixels, photometric="rgb", metadata=None)
    return stream.getvalue()


def read_any_picture(path: Path) -> None:
    """Read a picture as every part of artkit does."""
    inspect_picture(path)
    read_picture_header(path)
    _try(lambda: read_picture(path), lambda: read_picture(path.read_bytes(), at_least=4), lambda: read_palette(path))


def read_any_labels(path: Path) -> None:
    """Read a label map as every part of artkit does."""
    inspect_labels(path, CLASSES)
    _try(lambda: _loaded(path), lambda: read_picture(path, kind=Kind.LABELS, classes=CLASSES))


def _loaded(path: Path) -> None:
    labels = load_labels(path, CLASSES)
    assert int(labels.max()) < len(CLASSES), "a class that there is not"


def chain_seeds(folder: Path) -> list[bytes]:
    """Return chain texts."""
    texts = [
        "semgan,pix2pix(model=landscape),touchup(strength=0.8)",
        "nst(style=[can(seed=3),superres],layers=[1,2,(3,)],size=-1.5e3)",
        "pix2pix(model='a b.pth',on=true,off=None, n=0x10)",
        "can",
    ]
    return [text.encode() for text in texts]


def read_chain(path: Path) -> None:
    """Parse a chain; what is accepted comes back from its own text."""
    chain = Chain(path.read_bytes().decode("utf-8", "surrogateescape"))
    assert Chain(str(chain)) == chain, "the text of the chain is another chain"


def recipe_seeds(folder: Path) -> list[bytes]:
    """Return recipes as TOML, and inside PNGs in all forms of text chunks."""
    toml = b'chain = "semgan,pix2pix"\nseed = 3\ncount = 2\nsize = [64, 48]\n\n[ports]\nstyle = "a.png"\n'
    steps = b'[[steps]]\nmethod = "pix2pix"\nmodel = "landscape"\nlevels = [1, 2.5, true]\n'
    return [toml, steps, *provenance_seeds(folder)]


def read_any_recipe(path: Path) -> None:
    """Read a recipe; what is accepted comes back from its own TOML."""
    recipe = read_recipe(path)
    again = path.with_name("again.toml")
    again.write_text(recipe.to_toml(), encoding="utf-8")
    assert read_recipe(again).chain == recipe.chain, "the TOML of the recipe has another chain"


def provenance_seeds(folder: Path) -> list[bytes]:
    """Return PNGs with a record."""
    record = {"version": "0.1.0", "chain": "semgan,pix2pix", "seed": 7, "size": [9, 12], "ports": {"style": "b.png"}}
    stream = BytesIO()
    Image.new("RGB", (9, 12)).save(stream, "PNG")
    plain, text = stream.getvalue(), json.dumps(record).encode()
    forms = [
        png_chunk(b"zTXt", b"artkit\0\0" + zlib.compress(text)),
        png_chunk(b"iTXt", b"artkit\0\1\0en\0artkit\0" + zlib.compress(text)),
        png_chunk(b"iTXt", b"artkit\0\0\0\0\0" + text),
    ]
    return [add_provenance(plain, record), *(plain[:33] + form + plain[33:] for form in forms)]


def read_any_provenance(path: Path) -> None:
    """Read the record of a PNG."""
    record = read_provenance(BytesIO(path.read_bytes()))
    assert record is None or isinstance(record, dict)
    read_provenance(path)


def model_seeds(folder: Path) -> list[bytes]:
    """Return model files: one of a filter-sized network, one of few tensors, foreign safetensors, and bare frames."""
    header = ModelHeader(
        method="superres",
        architecture="edsr",
        arguments={"scales": {"2": {"scale": 2, "width": 4, "blocks": 1}}, "detail": [1, 2.5, "x"]},
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        classes=CLASSES,
        conditions={"time": ("dawn", "noon")},
        training={"steps": 3},
    )
    tensors = {"a.weight": torch.ones(3, 2), "a.count": torch.tensor(3), "b": torch.ones(4, dtype=torch.bool)}
    path = folder / "seed.safetensors"
    save_model(path, header, tensors, half=True)
    whole = path.read_bytes()
    (length,) = struct.unpack("<Q", whole[:8])
    foreign = json.loads(whole[8 : 8 + length])
    del foreign["__metadata__"]
    text = json.dumps(foreign).encode()
    return [whole, whole[: 8 + length], struct.pack("<Q", len(text)) + text + whole[8 + length :]]


def read_model(path: Path) -> None:
    """Read header and tensors; a table that was accepted is that of the tensors."""
    is_foreign(path)
    frame = read_frame(path)
    model = load_model(path)
    assert frame.shapes == {name: tuple(tensor.shape) for name, tensor in model.tensors.items()}


def checkpoint_seeds(folder: Path) -> list[bytes]:
    """Return weights of another program, in PyTorch's two forms and as safetensors."""
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4))
    forms = []
    for contents in (net.state_dict(), {"state_dict": net.state_dict(), "epoch": 3}, {"params_ema": net.state_dict()}):
        for zipped in (True, False):
            stream = BytesIO()
            torch.save(contents, stream, _use_new_zipfile_serialization=zipped)
            forms.append(stream.getvalue())
    return [*forms, *model_seeds(folder)]


def read_foreign(path: Path) -> None:
    """Read another program's weights, and ask the plugins whose they are."""
    _try(lambda: read_checkpoint(path), lambda: import_model(path, None, current_registry()))


def _trainer() -> Any:
    net = nn.Linear(2, 2)
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    return SimpleNamespace(
        networks={"generator": net},
        optimisers={"generator": optimiser},
        extra_state=lambda: {"pool": [1]},
        load_extra_state=lambda extra: list(extra["pool"]),
    )


def training_seeds(folder: Path) -> list[bytes]:
    """Return a training checkpoint."""
    one = _trainer()
    path = folder / "seed.pt"
    save_checkpoint(path, one, {"generator": Ema(one.networks["generator"], 0.9)}, 3)
    return [path.read_bytes()]


def read_training(path: Path) -> None:
    """Restore a run."""
    one = _trainer()
    step = load_checkpoint(path, one, {"generator": Ema(one.networks["generator"], 0.9)})
    assert step >= 0


def classes_seeds(folder: Path) -> list[bytes]:
    """Return class files."""
    write_classes_file(CLASSES, folder / "seed.txt", overwrite=True)
    return [(folder / "seed.txt").read_bytes(), b"# two\n0, sky, 1, 2, 3\n1,grass\n2 water # wet\n"]


def read_classes(path: Path) -> None:
    """Read a class file; what is accepted comes back when it is written."""
    classes = read_classes_file(path, "set")
    again = path.with_name("again.txt")
    write_classes_file(classes, again, overwrite=True)
    assert read_classes_file(again, "set") == classes, "the file of the class set has another"


def captions_seeds(folder: Path) -> list[bytes]:
    """Return tables of captions."""
    return [
        b'file,text,split\n1.png,a house,train\nsub/2.png,"a, tree",val\n',
        b"\xef\xbb\xbffile_name\ttext\r\n1.png\tred\r\n",
        b"path,a,b\n,,\n/,x,\n../1.png,y\n",
    ]


def read_captions(path: Path) -> None:
    """Read a table of captions and look for its pictures."""
    captions = find_captions(path.parent)
    if captions:
        words, missing = captions.match(["1", "2", "sub/2"], "train")
        assert set(words) <= {"1", "2", "sub/2"}
        assert all(isinstance(word, str) for row in words.values() for word in row.values())
        assert all(isinstance(name, str) for name in missing)


TARGETS = {
    "picture": Target("png", picture_seeds, read_any_picture),
    "labels": Target("png", picture_seeds, read_any_labels),
    "chain": Target("txt", chain_seeds, read_chain, lines=3),
    "recipe": Target("toml", recipe_seeds, read_any_recipe, lines=3),
    "provenance": Target("png", provenance_seeds, read_any_provenance),
    "model": Target("safetensors", model_seeds, read_model),
    "checkpoint": Target("pth", checkpoint_seeds, read_foreign),
    "training": Target("pt", training_seeds, read_training),
    "classes": Target("txt", classes_seeds, read_classes),
    "captions": Target("csv", captions_seeds, read_captions),
}
