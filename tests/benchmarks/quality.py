"""How good are the default models? `python tests/benchmarks/quality.py [paint] [read] [photo] [dream]` tells.

Nothing is asserted.

paint: on 200 landscapes that no model was trained on, the distance of pix2pix and touchup to the painter's pictures.
read: semgan's pixel accuracy on damaged label maps, beside taking the nearest palette colour.
photo: pixel accuracy of `rectify,semgan` on photographed label maps, at the maps' own size; `photo=12` for 12 of them.
dream: class shares of 1,000 dreamed maps beside the world's, how many have more than one sun, and how long borders are.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from camera import Camera, photograph
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from artkit.chain import Chain, plan_chain
from artkit.data import open_dataset
from artkit.engine import Runner
from artkit.images import nearest_palette, paint_labels, read_picture, resize_labels
from artkit.metrics import class_shares, patch_distance, pixel_accuracy, rgb_distance
from artkit.plugins import current_registry

COUNT, PHOTOS, DREAMS = 200, 40, 1000
SPECK = 8
HELD_OUT = "landscapes(count=223,seed=970001)"
WORLD = "landscapes(count=1112,seed=800001,size=[128,128])"


def runner(chain: str, has_input: bool = True) -> Runner:
    """Return a chain made ready."""
    return Runner(plan_chain(Chain(chain), current_registry(), has_input=has_input))


def paint() -> None:
    """Distances to the painter's pictures: mean RGB distance to the scene's own, patch distance between the sets; and
    how strong strokes are: the deviation of what a Gaussian of 2 pixels leaves, in levels of 255.
    """
    data, painter = open_dataset(HELD_OUT), runner("pix2pix,touchup")
    sets: dict[str, list[Tensor]] = {"bare map": [], "pix2pix": [], "pix2pix,touchup": []}
    paintings = []
    for index in range(COUNT):
        sample = data.load(index, ["label", "painting", "time", "weather"])
        bare = paint_labels(sample["label"][None].long(), data.column("label").classes)
        facts = {name: sample[name] for name in ("time", "weather")}
        steps = painter.run(read_picture(bare), seed=index, facts=facts)
        for made, picture in zip(sets.values(), (bare, *(step.picture.tensor for step in steps)), strict=True):
            made.append(picture[0])
        paintings.append(sample["painting"].float() / 255)
    halves = patch_distance(paintings[: COUNT // 2], paintings[COUNT // 2 :])
    print(f"two halves of the paintings: patch distance {halves:.4f}")
    for name, made in sets.items():
        distances = rgb_distance(made, paintings), patch_distance(made, paintings)
        strength = np.mean([stroke_strength(one) for one in made])
        print(f"{name}: RGB distance {distances[0]:.2f}, patch distance {distances[1]:.4f}, strokes {strength:.2f}")
    print(f"the paintings: strokes {np.mean([stroke_strength(one) for one in paintings]):.2f}")


def stroke_strength(picture: Tensor) -> float:
    """Return the deviation of what a blur leaves of 3 H W."""
    return float(255 * (picture - blur(picture[None])[0]).std())


def jpeg(image: Tensor) -> Tensor:
    """Save 1 3 H W as JPEG of quality 30 and read it back."""
    stream = io.BytesIO()
    Image.fromarray((image[0].permute(1, 2, 0) * 255).round().byte().numpy()).save(stream, "JPEG", quality=30)
    return torch.from_numpy(np.array(Image.open(stream))).permute(2, 0, 1)[None].float() / 255


def blur(image: Tensor, sigma: float = 2.0) -> Tensor:
    """Blur 1 3 H W with a Gaussian."""
    x = torch.arange(-8.0, 9.0)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).repeat(3, 1, 1, 1)
    padded = F.pad(image, (8, 8, 8, 8), mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel, groups=3), kernel.transpose(2, 3), groups=3)


def noise(image: Tensor) -> Tensor:
    """Add Gaussian noise of 25 / 255."""
    return image + 25 / 255 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))


def rescale(image: Tensor) -> Tensor:
    """Halve with anti-aliasing and double again."""
    half = F.interpolate(image, scale_factor=0.5, mode="bicubic", antialias=True)
    return F.interpolate(half, size=image.shape[-2:], mode="bicubic")


def tint(image: Tensor) -> Tensor:
    """Tint warm: red up, blue down."""
    return image * torch.tensor([1.0, 0.92, 0.8])[:, None, None] + 0.03


DAMAGES: dict[str, Callable[[Tensor], Tensor]] = {
    "none": lambda image: image,
    "JPEG 30": jpeg,
    "blur 2": blur,
    "noise 25": noise,
    "half size": rescale,
    "tint": tint,
}


def read() -> None:
    """Pixel accuracy of semgan and of the nearest palette colour on damaged maps."""
    data, segmenter = open_dataset(HELD_OUT), runner("semgan")
    classes = data.column("label").classes
    maps = [data.load(index, ["label"])["label"].long() for index in range(COUNT)]
    for name, damage in DAMAGES.items():
        damaged = [damage(paint_labels(labels[None], classes)).clamp(0, 1) for labels in maps]
        found = [segmenter.run(read_picture(image))[-1].picture.tensor[0] for image in damaged]
        nearest = [nearest_palette(image, classes)[0] for image in damaged]
        scores = pixel_accuracy(found, maps), pixel_accuracy(nearest, maps)
        print(f"{name}: semgan {scores[0]:.4f}, nearest colour {scores[1]:.4f}")


CAMERAS = {
    "10 degrees, light to a third": Camera(),
    "the same, a third of sRGB values": Camera(encoded=True),
    "light to a quarter": Camera(light=1 / 4),
    "15 degrees": Camera(tilt=15),
    "20 degrees": Camera(tilt=20),
    "white margin, a shadow that halves the light": Camera(margin=0.08, shadow=0.5),
    "photo no finer than the map": Camera(scale=1.2, fill=0.95),
}


def photo(count: int = PHOTOS) -> None:
    """Pixel accuracy on photographed maps: of each, after the read map is resized to the map's own size."""
    data, segmenter = open_dataset(HELD_OUT), runner("rectify,semgan")
    classes = data.column("label").classes
    maps = [data.load(index, ["label"])["label"].long() for index in range(count)]
    for name, camera in CAMERAS.items():
        scores, nearest = [], []
        for seed, labels in enumerate(maps):
            printed = (paint_labels(labels[None], classes)[0].movedim(0, -1) * 255).round().byte().numpy()
            taken, _ = photograph(printed, camera, seed)
            sheet, read_map = (step.picture.tensor for step in segmenter.run(read_picture(taken)))
            for made, found in ((scores, read_map), (nearest, nearest_palette(sheet, classes))):
                made.append(float((resize_labels(found, tuple(labels.shape))[0] == labels).float().mean()))
        above = np.mean([score > 0.95 for score in scores])
        print(
            f"{name}: mean {np.mean(scores):.4f}, least {min(scores):.4f}, above 95 %: {above:.0%} of {count}; "
            f"nearest colour {np.mean(nearest):.4f}",
            flush=True,
        )


def dream() -> None:
    """Class shares of dreamed maps beside the world's, suns, borders, and whether any two dreams are equal."""
    data, generator = open_dataset(WORLD), runner("semgan", has_input=False)
    classes = data.column("label").classes
    real = [data.load(index, ["label"])["label"].long() for index in range(DREAMS)]
    dreams = list(dreamed(generator))
    world, shares = (class_shares(maps, len(classes)) for maps in (real, dreams))
    for name, theirs, ours in zip(classes.names, world.tolist(), shares.tolist(), strict=True):
        print(f"{name}: world {theirs:.4f}, dreams {ours:.4f}, ratio {ours / max(theirs, 1e-9):.2f}")
    for name, maps in (("world", real), ("dreams", dreams)):
        parts = [count_parts(one == classes.names.index("sun")) for one in maps]
        seen, many = (100 * sum(count > least for count in parts) / DREAMS for least in (0, 1))
        borders = sum(int((one[1:] != one[:-1]).sum() + (one[:, 1:] != one[:, :-1]).sum()) for one in maps) / DREAMS
        print(f"{name}: a sun in {seen:.1f} %, more than one in {many:.1f} %; {borders:.0f} pixels of borders")
    print(f"different maps: {len({one.numpy().tobytes() for one in dreams})} of {DREAMS}")


def count_parts(mask: Tensor) -> int:
    """Count the connected parts of a mask H W that are larger than specks of `SPECK` pixels."""
    parts, count = ndimage.label(mask.numpy())
    return int((np.bincount(parts.ravel(), minlength=count + 1)[1:] > SPECK).sum())


def dreamed(generator: Runner) -> Iterator[Tensor]:
    """Yield the dreamed maps, H W."""
    for seed in range(DREAMS):
        yield generator.run(seed=seed, size=(128, 128))[-1].picture.tensor[0]


if __name__ == "__main__":
    for part in sys.argv[1:] or ("paint", "read", "photo", "dream"):
        name, _, number = part.partition("=")
        {"paint": paint, "read": read, "photo": photo, "dream": dream}[name](*([int(number)] if number else []))
