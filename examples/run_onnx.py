"""Run a network that `artkit models export` wrote, without artkit: run_onnx.py MODEL.onnx OUT.png [IN.png ...].

Pictures are taken in the order of the model's inputs. Environment: SEED=0 WORDS="dusk" SIZE=512x384.
"""

import json
import math
import os
import sys

import numpy as np
import onnxruntime
from PIL import Image


def pad(side: int, size: dict) -> tuple[int, int]:
    """Return how many mirrored pixels come before a side, and behind it."""
    whole = max(side + 2 * size["margin"], size["minimum"])
    return size["margin"], math.ceil(whole / size["multiple"]) * size["multiple"] - side - size["margin"]


def load(path: str) -> np.ndarray:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), np.float32)


def read(path: str, field: dict, size: dict) -> np.ndarray:
    picture = load(path)
    if field["kind"] == "labels":  # each pixel has the class whose colour is nearest
        colours = np.array([one["colour"] for one in field["classes"]], np.float32)
        picture = np.stack([((picture - one) ** 2).sum(2) for one in colours]).argmin(0)[..., None]
    sides = [pad(side, size) for side in picture.shape[:2]]
    picture = np.pad(picture, [*sides, (0, 0)], mode="reflect").transpose(2, 0, 1)
    return picture if field["kind"] == "labels" else picture[None] / 255


def lay_strokes(layers: list[dict], centres: bool, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    """Lay strokes that run where a wave of angles says: any strokes will do, these are the network's usual ones."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    theta = sum(np.sin((x * a + y * b) / 80 + c) for a, b, c in random.normal(size=(4, 3))) / 2
    paint, away, planes, offsets = np.zeros((3, height, width)), np.zeros((2, height, width)), [], []
    for layer in layers:
        cell, reach = layer["cell"], int(layer["length"] * (1 + layer["spread"]) / 2) + 1
        places = [(i, j) for i in range(-reach, height + reach, cell) for j in range(-reach, width + reach, cell)]
        for i, j in random.permutation(places):
            i, j = i + random.random() * cell, j + random.random() * cell
            part = (
                slice(max(int(i) - reach, 0), max(int(i) + reach, 0)),
                slice(max(int(j) - reach, 0), max(int(j) + reach, 0)),
            )
            if random.random() > layer["density"] or not y[part].size:
                continue
            angle = theta[min(max(int(i), 0), height - 1), min(max(int(j), 0), width - 1)]
            sizes = (layer[side] / 2 * (1 + layer["spread"] * random.uniform(-1, 1)) for side in ("length", "width"))
            long, wide = sizes
            dy, dx = y[part] - i, x[part] - j
            across = (np.cos(angle) * dy - np.sin(angle) * dx) / wide
            inside = ((np.cos(angle) * dx + np.sin(angle) * dy) / long) ** 4 + across**2 < 1
            bristles = (1 - 0.8 * across**2) * (1.44 + 0.35 * np.sin(7 * across + random.uniform(0, 7))) - 1
            for plane, value in zip(paint, (random.uniform(-1, 1), random.uniform(-1, 1), bristles), strict=True):
                plane[part] = np.where(inside, value, plane[part])
            for plane, value in zip(away, (-dy, -dx), strict=True):
                plane[part] = np.where(inside, value, plane[part])
        planes += list(paint.copy())
        offsets += list(away.copy())
    planes += [np.cos(2 * theta), np.sin(2 * theta), *(offsets if centres else [])]
    return np.stack(planes)[None].astype(np.float32)


def make(field: dict, height: int, width: int, random: np.random.Generator) -> np.ndarray:
    shape = [{"height": height, "width": width, "length": 1}.get(axis, axis) for axis in field["axes"]]
    spoken = os.environ.get("WORDS", "").split()
    if field["kind"] == "strokes":
        return lay_strokes(field["layers"], field["centres"], height, width, random)
    if field["kind"] == "words":
        return np.array([[field["words"].index(word) + 1 for word in spoken] or [0]])
    if field["kind"] == "condition":  # of each kind of word one that is spoken, or the default
        groups, unsaid = field["words"], field["defaults"]
        chosen = [next((word for word in groups[name] if word in spoken), unsaid[name]) for name in groups]
        return np.array([[float(word in chosen) for group in field["words"].values() for word in group]], np.float32)
    return random.standard_normal(shape).astype(np.float32)


def main(model: str, target: str, *pictures: str) -> None:
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    facts = json.loads(session.get_modelmeta().custom_metadata_map["artkit"])
    size, output, waiting = facts["size"], facts["output"], list(pictures)
    random = np.random.default_rng(int(os.environ.get("SEED", "0")))
    asked = map(int, os.environ.get("SIZE", "512x384").split("x"))
    width, height = load(pictures[0]).shape[1::-1] if pictures else asked
    rows, columns = pad(height, size), pad(width, size)
    padded = height + sum(rows), width + sum(columns)
    fed = {}
    for field in facts["inputs"]:
        pictured = field["kind"] in ("image", "labels")
        fed[field["name"]] = read(waiting.pop(0), field, size) if pictured else make(field, *padded, random)
    made = session.run(None, fed)[0][0]
    times = made.shape[-1] // padded[1] if isinstance(output["axes"][-1], str) else 0
    if times:  # a picture of its own size has no margin
        made = made[..., rows[0] * times :, columns[0] * times :][..., : height * times, : width * times]
    if output["kind"] == "labels":
        pixels = np.array([one["colour"] for one in output["classes"]], np.uint8)[made]
    else:
        pixels = (made.transpose(1, 2, 0).clip(0, 1) * 255).round().astype(np.uint8)
    Image.fromarray(pixels).save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
