"""CycleGAN here and in two other programs: the same photos and paintings, as many steps, the same seeds.

    python examples/studies/peers/run.py -o peers --cyclegan ../pytorch-CycleGAN-and-pix2pix --joligen ../joliGEN

Either program is a checkout of yours, with what it needs installed in the Python that `--python` names; without one its
rows are left out. Nothing is fetched. Each trains its own default CycleGAN, no picture enlarged before it is cropped,
and makes a painting of every held-out photo by its own command; `artkit evaluate` scores the paintings beside those of
the same scenes, which nobody was shown beside the photo. Neither program has an option for seeds, so they are set
before its script begins. Printed, and written to `scores.json`: scores, and the seconds of training and painting.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

SEEDED = """
import random, runpy, sys
import numpy, torch
seed = int(sys.argv[1])
for sow in (random.seed, numpy.random.seed, torch.manual_seed):
    sow(seed)
sys.argv = sys.argv[2:]
sys.path.insert(0, "")
runpy.run_path(sys.argv[0], run_name="__main__")
"""
METRICS = "rgb_distance,patch_distance,luminance_correlation"


def call(command: Sequence[object], folder: Path | None = None) -> str:
    """Run a command, and return what it printed; where it fails, that is shown and this ends."""
    done = subprocess.run([str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def artkit(*words: object) -> str:
    """Run a command of artkit's."""
    return call([sys.executable, "-m", "artkit", *words])


def make_data(asked: argparse.Namespace) -> int:
    """Write the pictures, and once more in the folders of the two programs; return how many there are to learn from."""
    data, peers = asked.output / "data", asked.output / "peers-data"
    if not data.exists():
        size = f"{asked.side}x{asked.side}"
        style = ("--set", "styles=[impressionist]")
        artkit("data", "make", "landscapes", "--count", asked.count, "--seed", 1000, "--size", size, *style, "-o", data)
    for split, name in (("train", "train"), ("val", "test")):
        for column, domain in (("photo", "A"), ("painting", "B")):
            shutil.copytree(data / split / column, peers / f"{name}{domain}", dirs_exist_ok=True)
    return len(list((data / "train" / "photo").iterdir()))


def run_artkit(asked: argparse.Namespace, seed: int, steps: int, place: Path) -> None:
    """Train the paper's CycleGAN here, and paint."""
    data = asked.output / "data"
    columns = ("--set", "source=photo", "--set", "target=[painting]")
    chosen = [word for one in asked.set for word in ("--set", one)]
    sizes = ("--steps", steps, "--batch", 1, "--crop", asked.side, *chosen)
    artkit("train", "cyclegan", data, "-o", place / "run", "--seed", seed, *columns, *sizes)
    chain = f"cyclegan(model={str(place / 'run' / 'model.safetensors')!r})"
    artkit("run", data / "val" / "photo", "--chain", chain, "-o", place / "painted")


def run_cyclegan(asked: argparse.Namespace, seed: int, epochs: int, place: Path) -> None:
    """Let pytorch-CycleGAN-and-pix2pix train, and paint."""
    data, seeded = asked.output / "peers-data", [asked.python, "-c", SEEDED, seed]
    same = ["--name", "peer", "--checkpoints_dir", place / "checkpoints", "--num_threads", 0]
    sizes = ["--load_size", asked.side, "--crop_size", asked.side]
    length = ["--n_epochs", epochs, "--n_epochs_decay", 0, "--batch_size", 1, "--no_html"]
    call([*seeded, "train.py", "--dataroot", data, "--model", "cycle_gan", *same, *sizes, *length], asked.cyclegan)
    results = ["--results_dir", place / "results", "--num_test", 100_000, "--no_dropout", "--model_suffix", "_A"]
    call([*seeded, "test.py", "--dataroot", data / "testA", "--model", "test", *same, *sizes, *results], asked.cyclegan)
    collect(place, (place / "results").rglob("*_fake.png"), "_fake")


def run_joligen(asked: argparse.Namespace, seed: int, epochs: int, place: Path) -> None:
    """Let joliGEN train, and paint."""
    data, seeded = asked.output / "peers-data", [asked.python, "-c", SEEDED, seed]
    same = ["--name", "peer", "--checkpoints_dir", place / "checkpoints", "--gpu_ids", -1]
    sizes = ["--data_load_size", asked.side, "--data_crop_size", asked.side, "--output_display_type", "none"]
    length = ["--train_n_epochs", epochs, "--train_n_epochs_decay", 0, "--train_batch_size", 1]
    call([*seeded, "train.py", "--dataroot", data, "--model_type", "cycle_gan", *same, *sizes, *length], asked.joligen)
    model, made = place / "checkpoints" / "peer" / "latest_net_G_A.pth", place / "made"
    made.mkdir()
    for photo in sorted((data / "testA").iterdir()):
        paths = ["--model_in_file", model, "--img_in", photo, "--img_out", made / photo.name, "--cpu"]
        call([*seeded, "scripts/gen_single_image.py", *paths], asked.joligen)
    collect(place, made.iterdir(), "")


def collect(place: Path, made: Iterable[Path], ending: str) -> None:
    """Copy what a program painted into a folder, under the names of the photos."""
    (place / "painted").mkdir()
    for path in made:
        shutil.copy(path, place / "painted" / f"{path.stem.removesuffix(ending)}.png")


def score(asked: argparse.Namespace, place: Path) -> dict[str, float]:
    """Score a folder of paintings beside the true ones."""
    pairs = place / "pairs" / "val"
    shutil.copytree(place / "painted", pairs / "made", dirs_exist_ok=True)
    shutil.copytree(asked.output / "data" / "val" / "painting", pairs / "painting", dirs_exist_ok=True)
    shutil.copytree(pairs, place / "pairs" / "train", dirs_exist_ok=True)  # a folder of splits has both
    columns = ("--source", "made", "--target", "painting", "--metrics", METRICS, "--json")
    told = artkit("evaluate", place / "pairs", "--chain", "resize(scale=1)", *columns)
    found: dict[str, float] = json.loads(told)["scores"]
    return found


def main(words: Sequence[str] | None = None) -> None:
    """Run what is missing, a row a program and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--cyclegan", type=Path, help="a checkout of pytorch-CycleGAN-and-pix2pix")
    parser.add_argument("--joligen", type=Path, help="a checkout of joliGEN")
    parser.add_argument("--python", default=sys.executable, help="the Python that they run in")
    parser.add_argument("--count", type=int, default=223, help="landscapes, a tenth of them held out")
    parser.add_argument("--side", type=int, default=128, help="pixels of a side, a multiple of 4")
    parser.add_argument("--epochs", type=int, default=20, help="how often each picture is seen, one a step")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of artkit's training"
    )
    asked = parser.parse_args(words)
    asked.output = asked.output.resolve()
    asked.output.mkdir(parents=True, exist_ok=True)
    steps, record = asked.epochs * make_data(asked), asked.output / "scores.json"
    rows = json.loads(record.read_text()) if record.exists() else []
    ways = {"artkit": run_artkit, "cyclegan": run_cyclegan, "joligen": run_joligen}
    for seed in range(asked.seeds):
        for name, run in ways.items():
            there = any((row["program"], row["seed"]) == (name, seed) for row in rows)
            if there or (name != "artkit" and getattr(asked, name) is None):
                continue
            place, began = asked.output / f"{name}-{seed}", time.monotonic()
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            run(asked, seed, steps if name == "artkit" else asked.epochs, place)
            seconds = round(time.monotonic() - began, 1)
            rows.append({"program": name, "seed": seed, "seconds": seconds, "scores": score(asked, place)})
            record.write_text(json.dumps(rows, indent=2))
    for row in rows:
        found = ", ".join(f"{name} {value:.4g}" for name, value in row["scores"].items())
        print(f"{row['program']}, seed {row['seed']}: {found}; {row['seconds']} s with painting")


if __name__ == "__main__":
    main()
