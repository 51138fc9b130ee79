"""The twelve landscape classes: their order is their index in a label map."""

from __future__ import annotations

NAMES = (
    "sky", "cloud", "sun", "mountain", "hill", "tree",
    "grass", "water", "sand", "rock", "house", "path",
)  # fmt: skip

COLOURS = (
    (110, 170, 220), (235, 235, 240), (250, 220, 90), (120, 120, 140), (90, 140, 80), (40, 95, 50),
    (140, 190, 80), (50, 95, 160), (225, 205, 150), (110, 100, 90), (180, 80, 60), (190, 160, 120),
)  # fmt: skip

SKY, CLOUD, SUN, MOUNTAIN, HILL, TREE, GRASS, WATER, SAND, ROCK, HOUSE, PATH = range(len(NAMES))
