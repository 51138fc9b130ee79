"""A world of three classes whose captions say what matters, and some words that mean nothing."""

from __future__ import annotations

import torch

from artkit.data import Column, Dataset
from artkit.spec import ClassSet, Kind, LabelClass
from artkit.training import Settings
from artkit_stackgan import StackganTraining
from artkit_stackgan.trainer import StackganTrainer
from artkit_stackgan.words import Vocabulary

CLASSES = ClassSet(
    "flat", tuple(LabelClass(*pair) for pair in (("sky", (0, 0, 255)), ("grass", (0, 255, 0)), ("water", (0, 0, 128))))
)
LIGHT = {"noon": ((100, 160, 240), (90, 200, 80), (60, 90, 200)), "dusk": ((120, 70, 130), (40, 60, 40), (60, 40, 90))}


class FlatScenes(Dataset):
    """Sky above a horizon, grass below, and a lake in it where the caption says so; colours are flat, by the light."""

    name = "flat"
    mirrors = False
    columns = {  # noqa: RUF012
        "label": Column("label", Kind.LABELS, CLASSES),
        "photo": Column("photo", Kind.IMAGE),
        "caption": Column("caption", Kind.TEXT),
    }

    def __init__(self, count: int = 60, side: int = 32) -> None:
        self.count_, self.side = count, side

    def __len__(self) -> int:
        return self.count_

    def load(self, index, names):
        chance = torch.Generator().manual_seed(index)
        horizon, left = torch.randint(8, 20, (2,), generator=chance).tolist()
        land, light = ("lake", "meadow")[index % 2], ("noon", "dusk")[index // 2 % 2]
        mood = ("quiet", "still", "large")[int(torch.randint(3, (), generator=chance))]
        labels = torch.zeros(self.side, self.side, dtype=torch.uint8)
        labels[horizon:] = 1
        if land == "lake":
            labels[24:30, left - 6 : left + 8] = 2
        photo = torch.tensor(LIGHT[light], dtype=torch.uint8)[labels.long()].permute(2, 0, 1).contiguous()
        sample = {"label": labels, "photo": photo, "caption": f"A {mood} {land} at {light}."}
        return {name: sample[name] for name in names}


SMALL = {"latent": 6, "width": 4, "discriminator_width": 4, "painter_width": 8, "blocks": 1, "detail": (8, 8)}
WORDS = Vocabulary(("a", "at", "dusk", "lake", "large", "meadow", "noon", "quiet", "still"))


def make(steps=100, ema=0.0, **options):
    torch.manual_seed(0)
    settings = Settings(batch=4, crop=32, steps=steps, learning_rate=1e-3, ema=ema)
    return StackganTrainer(StackganTraining(**(SMALL | options)), settings, FlatScenes())


def batch_of(*indices):
    samples = [FlatScenes().load(index, ["label", "photo", "caption"]) for index in indices]
    return {
        "label": torch.stack([sample["label"] for sample in samples]).long(),
        "photo": torch.stack([sample["photo"] for sample in samples]).float() / 255,
        "caption": [sample["caption"] for sample in samples],
    }
