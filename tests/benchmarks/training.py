"""How fast are training steps? `python tests/benchmarks/training.py [SIDE]` prints a table; nothing is asserted.

CycleGAN with ResNet-9 at SIDE×SIDE (256) and pix2pix with U-Net-256, in batches of one: the trainers of artkit, in
both memory layouts, and in bf16 where the processor has units for it, against plain PyTorch loops over the same
networks and losses, fp32 and contiguous. Steps are taken in turns; the least of `STEPS` counts, after a first one on
small pictures. Seconds are the processor's, so that other work on the machine counts little; `OMP_NUM_THREADS=1` keeps
threads from waiting.
"""

from __future__ import annotations

import copy
import itertools
import sys
import time
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit.data import Column, Dataset
from artkit.nn import InstanceNorm, PictureBatchNorm
from artkit.nn.layout import has_bf16_units
from artkit.spec import Kind, parse_options
from artkit.training import Settings, Trainer

SIDE = int(sys.argv[1]) if len(sys.argv) > 1 else 256
STEPS = 2
LAYOUTS = (torch.contiguous_format, torch.channels_last)
PAPER = Path(__file__).parents[2] / "examples" / "recipes" / "cyclegan-paper.toml"
Step = Callable[[Tensor, Tensor], object]


class Pictures(Dataset):
    """Two columns of pictures that nobody reads."""

    columns = {name: Column(name, Kind.IMAGE) for name in ("a", "b")}  # noqa: RUF012

    def __len__(self) -> int:
        return 1

    def load(self, index: int, names: Any) -> Any:
        raise NotImplementedError


class PlainNorm(nn.Module):
    """Instance normalisation as PyTorch's own layer computes it."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalise N C H W."""
        return F.instance_norm(x)


def make_cyclegan() -> Trainer:
    """Make the paper's CycleGAN."""
    from artkit_cyclegan import CycleGANTraining
    from artkit_cyclegan.trainer import CycleGANTrainer

    recipe = tomllib.loads(PAPER.read_text(encoding="utf-8"))
    options = {name: value for name, value in recipe.items() if name in CycleGANTraining.__struct_fields__}
    given = parse_options(CycleGANTraining, options | {"source": "a", "target": ["b"]}, "cyclegan")
    return CycleGANTrainer(given, Settings(batch=1, crop=256), Pictures())


def make_pix2pix() -> Trainer:
    """Make the paper's pix2pix."""
    from artkit_pix2pix import Pix2PixTraining
    from artkit_pix2pix.trainer import Pix2PixTrainer

    return Pix2PixTrainer(Pix2PixTraining(source="a", target="b"), Settings(batch=1, crop=256), Pictures())


def copied(trainer: Trainer) -> dict[str, nn.Module]:
    """Return copies of the networks with PyTorch's own normalisation."""
    networks = copy.deepcopy(trainer.networks)
    for network in networks.values():
        for parent in list(network.modules()):
            for name, layer in list(parent.named_children()):
                if isinstance(layer, InstanceNorm):
                    setattr(parent, name, PlainNorm())
                elif isinstance(layer, PictureBatchNorm):
                    setattr(parent, name, nn.BatchNorm2d(layer.num_features))
    return networks


def adam(*networks: nn.Module) -> torch.optim.Optimizer:
    """Make the papers' Adam."""
    return torch.optim.Adam(itertools.chain(*(network.parameters() for network in networks)), 2e-4, (0.5, 0.999))


def learn(optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    """Take one step down a loss."""
    optimiser.zero_grad(set_to_none=True)
    loss.backward()
    optimiser.step()


def switch(networks: Iterable[nn.Module], on: bool) -> None:
    """Switch gradients of weights."""
    for network in networks:
        network.requires_grad_(on)


def plain_cyclegan(networks: dict[str, nn.Module]) -> Step:
    """Return the step of Zhu et al. 2017: least squares, cycles of weight 10, identity of weight 5."""
    forth, back, of_b, of_a = (
        networks[n] for n in ("generator_a", "generator_b", "discriminator_a", "discriminator_b")
    )
    generators, discriminators = adam(forth, back), adam(of_b, of_a)

    def close(answer: Any, wanted: float) -> Tensor:
        return (answer[0] - wanted).square().mean()

    def step(a: Tensor, b: Tensor) -> None:
        a, b = a * 2 - 1, b * 2 - 1
        switch((of_a, of_b), False)
        fake_b, fake_a = forth(a), back(b)
        cycles = F.l1_loss(back(fake_b), a) + F.l1_loss(forth(fake_a), b)
        identity = F.l1_loss(forth(b), b) + F.l1_loss(back(a), a)
        learn(generators, close(of_b(fake_b), 1) + close(of_a(fake_a), 1) + 10 * cycles + 5 * identity)
        switch((of_a, of_b), True)
        fake_a, fake_b = fake_a.detach(), fake_b.detach()
        real = close(of_b(b), 1) + close(of_a(a), 1)
        learn(discriminators, (real + close(of_b(fake_b), 0) + close(of_a(fake_a), 0)) / 2)

    return step


def plain_pix2pix(networks: dict[str, nn.Module]) -> Step:
    """Return the step of Isola et al. 2017: cross entropy, L1 of weight 100."""
    generator, discriminator = networks["generator"], networks["discriminator"]
    ours, theirs = adam(generator), adam(discriminator)

    def told(pair: Tensor, real: float) -> Tensor:
        logits = discriminator(pair)[0]
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, real))

    def step(a: Tensor, b: Tensor) -> None:
        a, b = a * 2 - 1, b * 2 - 1
        fake = generator(a)
        switch([discriminator], True)
        learn(theirs, (told(torch.cat([a, b], 1), 1) + told(torch.cat([a, fake.detach()], 1), 0)) / 2)
        switch([discriminator], False)
        learn(ours, told(torch.cat([a, fake], 1), 1) + 100 * F.l1_loss(fake, b))

    return step


def of_artkit(trainer: Trainer, layout: torch.memory_format, precision: str) -> Step:
    """Return a trainer's step, its networks and batches in `layout`, as artkit's loop places them and casts them."""
    for network in trainer.networks.values():
        network.to(memory_format=layout).train()  # type: ignore[call-overload]

    def step(a: Tensor, b: Tensor) -> None:
        casts = torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16")
        with mock.patch("artkit.nn.layout.training_format", return_value=layout), casts:
            trainer.training_step({"a": a.contiguous(memory_format=layout), "b": b.contiguous(memory_format=layout)})

    return step


def seconds(step: Step, side: int) -> float:
    """Return the processor time of one step."""
    a, b = torch.rand(2, 1, 3, side, side)
    start = time.process_time()
    step(a, b)
    return time.process_time() - start


def main() -> None:
    """Print the table."""
    for name, make, plain in (
        ("pix2pix unet_256", make_pix2pix, plain_pix2pix),
        ("cyclegan resnet_9", make_cyclegan, plain_cyclegan),
    ):
        trainer = make()
        ways = {"plain loop": plain(copied(trainer))}
        for precision in ("fp32", "bf16") if has_bf16_units(torch.device("cpu")) else ("fp32",):
            for layout in LAYOUTS:
                ways[f"artkit {precision} ({layout})"] = of_artkit(make(), layout, precision)
        for step in ways.values():
            seconds(step, 256 if name.endswith("unet_256") else 64)
        side = 256 if name.endswith("unet_256") else SIDE
        rounds = [[seconds(step, side) for step in ways.values()] for _ in range(STEPS)]
        least = dict(zip(ways, (min(times) for times in zip(*rounds, strict=True)), strict=True))
        for way, taken in least.items():
            ratio = taken / least["plain loop"]
            print(f"{name} {side}x{side}, {way}: {taken:.2f} s a step, {ratio:.2f} of the plain loop's", flush=True)


if __name__ == "__main__":
    main()
