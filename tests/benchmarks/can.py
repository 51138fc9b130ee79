"""What are the dreams like? `python tests/benchmarks/can.py [MODEL ...]`; nothing is asserted.

For each model file (the default one when none is named) 64 dreams of 128 x 128, beside 64 held-out paintings:

apart: mean distance between two pictures of the set, and of the two nearest, as patch distance: no two should be alike.
real: patch distance between the dreams and the paintings.
entropy: how undecided the model's own style classifier is, in nats; log K at most. A model is better compared by the
classifier of another, which it was not trained to please: with several models, each is classified by each.
"""

from __future__ import annotations

import itertools
import math
import sys

import torch
from torch import Tensor

from artkit.chain import Chain, plan_chain
from artkit.data import open_dataset
from artkit.engine import Runner
from artkit.engine.loading import load_translator
from artkit.metrics import patch_distance
from artkit.plugins import current_registry

COUNT, SIDE, PAIRS = 64, 128, 100
PAINTINGS = f"styles(count=800,seed=900001,size=[{SIDE},{SIDE}])"


def runner(model: str) -> Runner:
    """Return a model made ready to dream."""
    chain = Chain("can" if model == "default" else f"can(model={model!r})")
    made = Runner(plan_chain(chain, current_registry(), has_input=False))
    made.load()
    return made


def dream(made: Runner) -> list[Tensor]:
    """Return dreams 3HW of seeds 0, 1, ..."""
    return [made.run(seed=seed, size=(SIDE, SIDE))[-1].picture.tensor[0] for seed in range(COUNT)]


def distances(pictures: list[Tensor]) -> list[float]:
    """Return the patch distance of random pairs of a set."""
    pairs = list(itertools.combinations(range(len(pictures)), 2))
    chosen = torch.randperm(len(pairs), generator=torch.Generator().manual_seed(0))[:PAIRS].tolist()
    return [
        patch_distance([pictures[a]], [pictures[b]], patches=2048, projections=64)
        for a, b in (pairs[index] for index in chosen)
    ]


def spread(name: str, pictures: list[Tensor]) -> None:
    """Print how far apart the pictures of a set are."""
    apart = distances(pictures)
    print(f"{name}: {sum(apart) / len(apart):.4f} apart, the nearest two of {PAIRS} pairs {min(apart):.4f}")


def main(models: list[str]) -> None:
    """Measure the models."""
    data = open_dataset(PAINTINGS, "val")
    paintings = [data.load(index, ["image"])["image"].float() / 255 for index in range(COUNT)]
    spread("paintings", paintings)
    runners = {model: runner(model) for model in models}
    dreams = {model: dream(made) for model, made in runners.items()}
    for model, pictures in dreams.items():
        spread(model, pictures)
        print(f"{model}: {patch_distance(pictures, paintings):.4f} from the paintings")
    for (name, pictures), (classifier, made) in itertools.product(
        {**dreams, "paintings": paintings}.items(), runners.items()
    ):
        model = load_translator(made.plan.steps[0], current_registry(), made.device, "fp32")
        reports = model.report(torch.stack(pictures))
        mean = sum(one["style_entropy"] for one in reports) / len(reports)
        most = math.log(len(reports[0]["styles"]))
        print(f"{name} classified by {classifier}: style entropy {mean:.3f} of {most:.3f}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["default"])
