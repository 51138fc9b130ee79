"""A camera that does not exist: photographs a printed picture lying askew on a table in failing light.

`python tests/benchmarks/camera.py` makes `examples/semantic_photo.jpg` of `examples/semantic.png`, the same each time.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage.transform import ProjectiveTransform, warp

TABLES = np.array([(0.45, 0.3, 0.18), (0.25, 0.17, 0.12), (0.62, 0.5, 0.36), (0.35, 0.36, 0.38), (0.78, 0.77, 0.74)])
"""Colours of tables: three woods, slate, a pale cloth."""
FINER = 2
"""The scene is rendered so much finer than the photo, then averaged."""


@dataclass(frozen=True)
class Camera:
    """How a picture is photographed.

    `tilt`: the most that the camera leans about each of two axes, in degrees; `roll`: the most that it turns about its
    own. `light`: how much of the light is left at the dark end of the frame, in linear light unless `encoded`, which
    takes it off the sRGB values themselves. `cast`: the most that the light gains or loses in a channel. `noise`:
    standard deviation, in levels of 255. `texture`: how much paper and table vary, as a share. `blur`: in pixels of the
    photo. `fill`: share of the frame that the sheet spans. `scale`: pixels of the photo's frame for each of the
    picture's. `margin`: white paper around the picture, as a share of its longer side. `shadow`: how much light is left
    in the shadow of something with a straight edge.
    """

    tilt: float = 10
    roll: float = 4
    light: float = 1 / 3
    encoded: bool = False
    cast: float = 0.1
    noise: float = 8
    texture: float = 0.03
    blur: float = 0.8
    quality: int = 85
    fill: float = 0.85
    scale: float = 3
    margin: float = 0
    shadow: float = 1


def photograph(picture: np.ndarray, camera: Camera, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a photo (h, w, 3) of a picture (H, W, 3), both in bytes, and where the picture's corners are, (4, 2).

    Corners are x, y of the outer corners of the corner pixels, from the top left one clockwise.
    """
    chance = np.random.default_rng(seed)
    height, width = picture.shape[:2]
    frame = round(height * camera.scale), round(width * camera.scale)
    view = aim(height / width, frame, camera, chance)
    unit = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * (1, height / width)
    scene = render(picture, view, frame, camera, chance)
    linear = np.where(scene <= 0.04045, scene / 12.92, ((scene + 0.055) / 1.055) ** 2.4)
    light = shine(frame, camera, chance)
    scene = scene * light if camera.encoded else encode(linear * light)
    scene = gaussian_filter(scene, (camera.blur, camera.blur, 0))
    scene = scene + chance.normal(0, camera.noise / 255, scene.shape)
    stream = io.BytesIO()
    Image.fromarray((scene.clip(0, 1) * 255).round().astype(np.uint8)).save(stream, "JPEG", quality=camera.quality)
    return np.array(Image.open(stream)), view(unit)


def encode(linear: np.ndarray) -> np.ndarray:
    """Return sRGB values of linear light."""
    linear = linear.clip(0, 1)
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def aim(aspect: float, frame: tuple[int, int], camera: Camera, chance: np.random.Generator) -> ProjectiveTransform:
    """Return the map from the sheet's plane, where the picture is 1 wide and `aspect` high, to pixels of the photo."""
    x, y = np.radians(chance.uniform(-camera.tilt, camera.tilt, 2))
    z = np.radians(chance.uniform(-camera.roll, camera.roll))
    about_x = np.array([[1, 0, 0], [0, np.cos(x), -np.sin(x)], [0, np.sin(x), np.cos(x)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(z), -np.sin(z), 0], [np.sin(z), np.cos(z), 0], [0, 0, 1]])
    turn = about_x @ about_y @ about_z
    focal = chance.uniform(0.65, 1.2)  # of the diagonal: from a phone's to a short tele
    size = 1 + 2 * camera.margin * max(1, aspect), aspect + 2 * camera.margin * max(1, aspect)
    distance = focal * np.hypot(1, aspect)
    plane = np.column_stack([turn[:, 0], turn[:, 1], (0, 0, distance)])
    outer = np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) / 2 * size
    seen = ProjectiveTransform(np.diag([focal, focal, 1]) @ plane)(outer)
    extent = np.ptp(seen, axis=0)
    zoom = camera.fill * min(frame[1] / extent[0], frame[0] / extent[1])
    room = np.array(frame[::-1]) - zoom * extent
    start = room * chance.uniform(0.3, 0.7, 2) - zoom * seen.min(0)
    place = np.array([[zoom, 0, start[0]], [0, zoom, start[1]], [0, 0, 1]])
    return ProjectiveTransform(place @ np.diag([focal, focal, 1]) @ plane)


def render(
    picture: np.ndarray, view: ProjectiveTransform, frame: tuple[int, int], camera: Camera, chance: np.random.Generator
) -> np.ndarray:
    """Return the lit scene (h, w, 3) in [0, 1]: the printed picture, its paper, and the table."""
    height, width = picture.shape[:2]
    border = round(camera.margin * max(height, width))
    sheet = np.pad(picture, ((border, border), (border, border), (0, 0)), constant_values=250) / 255
    fine = np.repeat(np.repeat(sheet.astype(np.float32), 4, 0), 4, 1)
    to_pixels = np.array([[4 * width, 0, 2 * sheet.shape[1]], [0, 4 * width, 2 * sheet.shape[0]], [0, 0, 1]])
    shift = np.array([[FINER, 0, -0.5], [0, FINER, -0.5], [0, 0, 1]])  # pixel centres have whole numbers in `warp`
    back = np.array([[1, 0, -0.5], [0, 1, -0.5], [0, 0, 1]]) @ to_pixels @ np.linalg.inv(shift @ view.params)
    shape = frame[0] * FINER, frame[1] * FINER
    alpha = warp(np.ones_like(fine[..., 0]), ProjectiveTransform(back), output_shape=shape, order=1)[..., None]
    printed = warp(fine, ProjectiveTransform(back), output_shape=shape, order=1, mode="edge")
    cover, print_ = (x.reshape(frame[0], FINER, frame[1], FINER, -1).mean((1, 3)) for x in (alpha, alpha * printed))
    scene = print_ * grain(frame, camera.texture, chance) + (1 - cover) * table(frame, camera, chance)
    return scene.clip(0, 1)


def table(frame: tuple[int, int], camera: Camera, chance: np.random.Generator) -> np.ndarray:
    """Return a table (h, w, 3): boards with fibres, slate, or cloth."""
    kind = chance.integers(len(TABLES))
    colour = TABLES[kind] * chance.uniform(0.85, 1.1)
    field = grain(frame, 2 * camera.texture, chance)
    if kind < 3:
        fibres = gaussian_filter(chance.normal(size=frame), (1.2, 60))
        boards = (np.arange(frame[0]) // (frame[0] // 3.5)).astype(int)
        tone = 1 + chance.uniform(-0.12, 0.12, boards.max() + 1)
        field = field * (1 + 0.1 * fibres / fibres.std())[..., None] * tone[boards][:, None, None]
    return (colour * field).clip(0, 1)


def grain(shape: tuple[int, int], strength: float, chance: np.random.Generator) -> np.ndarray:
    """Return factors (h, w, 1) around 1: half of them fine as fibres, half as wide as stains."""
    fine = gaussian_filter(chance.normal(size=shape), 1.5)
    stains = Image.fromarray(chance.normal(size=(7, 9)).astype(np.float32))
    wide = np.asarray(stains.resize(shape[::-1], Image.Resampling.BICUBIC))
    return (1 + strength * (fine / fine.std() + wide / wide.std()) / 2**0.5)[..., None]


def shine(frame: tuple[int, int], camera: Camera, chance: np.random.Generator) -> np.ndarray:
    """Return the light (h, w, 3): 1 at one side of the frame, less and less towards another, in a colour of its own."""
    y, x = np.mgrid[: frame[0], : frame[1]] / np.array(frame)[:, None, None] - 0.5
    angle = chance.uniform(0, 2 * np.pi)
    along = np.cos(angle) * x + np.sin(angle) * y
    along = (along - along.min()) / np.ptp(along)
    light = 1 - (1 - camera.light) * along ** chance.uniform(0.8, 1.6)
    colour = chance.uniform(1 - camera.cast, 1 + camera.cast, 3)
    turn = chance.uniform(0, 2 * np.pi)
    beyond = np.cos(turn) * x + np.sin(turn) * y - chance.uniform(-0.1, 0.1)
    shadow = 1 - (1 - camera.shadow) / (1 + np.exp(-beyond / 0.01))
    return (light * shadow)[..., None] * colour / colour.max()


if __name__ == "__main__":
    examples = Path(__file__).parents[2] / "examples"
    drawn = np.array(Image.open(examples / "semantic.png").convert("RGB"))
    taken, _ = photograph(drawn, Camera(scale=1.25, shadow=0.5, margin=0.06, fill=0.92), seed=5)
    Image.fromarray(taken).save(examples / "semantic_photo.jpg", quality=85)
