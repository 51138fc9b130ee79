"""How fast is cyclegan? `python tests/benchmarks/cyclegan.py` prints tables; nothing is asserted.

Translation: seconds of a chain on one picture, weights loaded and once warmed up (median of `RUNS`), beside a plain
fp32 forward pass of the same network at the same padded size; peak memory, each in a process of its own. Models: the
one that ships, and a random ResNet-9 of 64 filters in the layout of pytorch-CycleGAN-and-pix2pix. Training: pictures of
each domain a second, ResNet-9 and the networks of the default model's recipe, in the precision that `auto` picks.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

SIZES = ((256, 256), (1024, 768))
RUNS = 3
RECIPE = Path(__file__).parents[2] / "examples" / "recipes" / "cyclegan-vangogh.toml"


def median_seconds(call: Callable[[], object], runs: int = RUNS) -> float:
    """Return the median wall time of a call, once warmed up."""
    call()
    taken = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def peak_mebibytes() -> float:
    """Return this process's peak memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def write_resnet(path: Path) -> None:
    """Write a random ResNet-9 generator as that project writes it, under its own names for the tensors."""
    from artkit import Kind, ModelHeader
    from artkit.models.file import Model
    from artkit.models.foreign.exporting import write_networks
    from artkit.nn import ResnetGenerator, init_weights

    network = ResnetGenerator(3, 3)
    init_weights(network)
    generator = {"in_channels": 3, "out_channels": 3, "width": 64, "norm": "instance"}
    arguments = {"generator": generator, "directions": ["AtoB"]}
    header = ModelHeader(
        method="cyclegan", architecture="resnet_9", arguments=arguments, inputs={"image": Kind.IMAGE}, output=Kind.IMAGE
    )
    write_networks(Model(header, {f"generator_a.{k}": v for k, v in network.state_dict().items()}, path), path)


def make_runner(chain: str, precision: str) -> Any:
    """Make a chain ready to run."""
    from artkit import Chain
    from artkit.chain import plan_chain
    from artkit.engine import Runner
    from artkit.plugins import current_registry

    runner = Runner(plan_chain(Chain(chain), current_registry(), has_input=True), precision=precision)
    runner.load()
    return runner


def translate(chain: str, size: tuple[int, int]) -> None:
    """Print the seconds of a chain, and this process's peak memory."""
    from skimage.data import astronaut

    from artkit.images import read_picture

    runner, picture = make_runner(chain, "auto"), read_picture(astronaut())
    seconds = median_seconds(lambda: runner.run(picture, size=size))
    print(f"{size[0]}x{size[1]}: {seconds:.3f} s ({runner.precision}), peak {peak_mebibytes():.0f} MiB")


def forward(chain: str, size: tuple[int, int]) -> None:
    """Print the seconds of the bare network of a chain's only step in plain PyTorch, and this process's peak memory."""
    from artkit_cyclegan.networks import lay_strokes

    translator = make_runner(chain, "fp32")._translators[0]
    width, height = (translator.size_rule.padded(side) for side in size)
    generator, header = translator.generator_a, translator.header
    x = torch.rand(1, header.arguments["generator"]["in_channels"], height, width)
    if header.architecture == "painter":
        x = torch.cat([x, lay_strokes(height, width, 0)[None]], 1)
    told = [torch.eye(translator.conditions.channels)[:1]] if translator.conditions else []
    with torch.inference_mode():
        generator = generator.to(memory_format=torch.contiguous_format)
        plain = median_seconds(lambda: generator(x, *told))
    print(f"    plain forward, fp32: {plain:.3f} s, peak {peak_mebibytes():.0f} MiB")


def recipe_options() -> dict[str, Any]:
    """Return the training options that the default model's recipe gives."""
    from artkit_cyclegan import CycleGANTraining

    known = {field.name for field in msgspec.structs.fields(CycleGANTraining)}
    recipe = tomllib.loads(RECIPE.read_text(encoding="utf-8"))
    return {name: value for name, value in recipe.items() if name in known}


def train(name: str, side: int, batch: int) -> None:
    """Print how many pictures of each domain a step's arithmetic gets through in a second."""
    from artkit.data import Column, Dataset
    from artkit.engine.devices import pick_device, pick_precision
    from artkit.spec import Kind
    from artkit.training import Settings
    from artkit_cyclegan import CycleGANTraining
    from artkit_cyclegan.networks import lay_strokes
    from artkit_cyclegan.trainer import CycleGANTrainer

    options = recipe_options() if name == RECIPE.stem else {"network": name}
    targets = tuple(options.get("target", ("painting",)))

    class Nothing(Dataset):
        columns = {column: Column(column, Kind.IMAGE) for column in ("photo", *targets)}  # noqa: RUF012

        def __len__(self) -> int:
            return 1

        def load(self, index, names):  # type: ignore[no-untyped-def]
            raise NotImplementedError

    trainer = CycleGANTrainer(CycleGANTraining(**options), Settings(batch=batch, crop=side), Nothing())
    for network in trainer.networks.values():
        network.to(memory_format=torch.channels_last)
    batch_of = {column: torch.rand(batch, 3, side, side) for column in ("photo", *targets)}
    if trainer.options.network == "painter":
        batch_of["z"] = torch.stack([lay_strokes(side, side, seed) for seed in range(batch)])
    precision = pick_precision("auto", pick_device("cpu"))
    with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
        seconds = median_seconds(lambda: trainer.training_step(batch_of), runs=2)
    speed, memory = batch / seconds, peak_mebibytes()
    print(f"{name}, {side}x{side}, batch {batch}, {precision}: {speed:.2f} images/s, peak {memory:.0f} MiB")


def main() -> None:
    """Measure everything, each in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        foreign = Path(folder) / "latest_net_G.pth"
        write_resnet(foreign)
        for chain in ("cyclegan", f"cyclegan(model={str(foreign)!r})"):
            print(chain if chain == "cyclegan" else "cyclegan(model=latest_net_G.pth), ResNet-9, 64 filters")
            for size in SIZES:
                run_alone(f"translate({chain!r}, {size!r})")
                run_alone(f"forward({chain!r}, {size!r})")
    print("training, each step both cycles and both discriminators")
    for name in ("resnet_9", RECIPE.stem):
        for side in (128, 256):
            run_alone(f"train({name!r}, {side}, 1)")


def run_alone(call: str) -> None:
    """Make a call in a process of its own, so that its peak memory is its own."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import cyclegan; cyclegan.{call}"
    subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    main()
