"""What does `--engine ray` cost beside one process? Prints a table; nothing is asserted. Needs Ray.

    python tests/benchmarks/cluster.py --count 64 --side 256 --chain "cyclegan(model=monet)"
    python tests/benchmarks/cluster.py --count 128 --chain "wait(seconds=0.25)"

So many square pictures go through a chain in one process, then on one node and on two, each with one core. The clock is
read from the first quarter of the results to the last, past the start of processes. The processor time is that of the
process that was typed, less that of a run of one picture: with Ray it shares out, which no node takes off it, the
serial share. `wait` is a step that sleeps: what the engines add to it, and how they scale, shows on a busy machine too;
for others let nothing else run.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

HERE = Path(__file__).parents[2]
PLUGIN = """
import time
from artkit import Kind, MethodSpec, Options, Port, Translator, hookimpl

class Seconds(Options, frozen=True):
    seconds: float = 0.25

class Wait(Translator):
    spec = MethodSpec(
        name="wait", summary="Sleeps.", inputs=(Port("image", Kind.IMAGE, "a picture"),), output=Kind.IMAGE,
        options=Seconds, translator="wait_plugin:Wait", needs_model=False,
    )

    def translate(self, context, *, image):
        time.sleep(self.options.seconds)
        return image

@hookimpl
def register_methods():
    return [Wait.spec]
"""


class Cost(NamedTuple):
    """Seconds a picture by the clock, and all seconds of processor time of the process that was started."""

    wall: float
    processor: float


def make_pictures(folder: Path, count: int, side: int) -> Path:
    """Write smooth pictures, each its own, as PNGs."""
    folder.mkdir()
    for index in range(count):
        coarse = np.random.default_rng(index).integers(0, 256, (8, 8, 3), np.uint8)
        Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(folder / f"{index:06}.png")
    return folder


def run(source: Path, chain: str, environment: dict[str, str], *words: str) -> Cost:
    """Run artkit over a folder."""
    with tempfile.TemporaryDirectory() as folder:
        plugin = Path(folder, "wait_plugin.py")
        plugin.write_text(PLUGIN)
        output = ("-o", f"{folder}/out", "--plugin", str(plugin))
        command = [sys.executable, "-m", "artkit", "run", str(source), "--chain", chain, *output, *words]
        process = subprocess.Popen([*command, "--device", "cpu"], env=environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        times = [time.perf_counter() for _ in process.stdout]
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed.")
        quarter = times[len(times) // 4]  # results of a lot come at once
        first = max(index for index, when in enumerate(times) if when - quarter < 0.01)
        return Cost((times[-1] - times[first]) / max(1, len(times) - 1 - first), used.ru_utime + used.ru_stime)


def per_picture(one: Path, many: Path, count: int, *given: object) -> Cost:
    """Return the cost of one picture of many."""
    first, all_of_them = run(one, *given), run(many, *given)  # type: ignore[arg-type]
    return Cost(all_of_them.wall, (all_of_them.processor - first.processor) / (count - 1))


def on_nodes(number: int, environment: dict[str, str], measure: object) -> Cost:
    """Measure on a cluster of so many nodes of one core, all on this machine."""
    from ray.cluster_utils import Cluster

    node = {"num_cpus": 1, "object_store_memory": 80 * 2**20}
    cluster = Cluster(initialize_head=True, head_node_args=node | {"include_dashboard": False})
    try:
        for _ in range(number - 1):
            cluster.add_node(**node)
        return measure(environment | {"RAY_ADDRESS": cluster.address}, "--engine", "ray")  # type: ignore[operator]
    finally:
        cluster.shutdown()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=256)
    parser.add_argument("--side", type=int, default=32)
    parser.add_argument("--chain", default="blur(sigma=2)")
    flags = parser.parse_args()
    paths = os.pathsep.join([str(HERE), str(HERE / "plugins")])
    # Ray lets its workers yield to whatever else runs, which the one process does not do.
    os.environ |= {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "RAY_worker_niceness": "0"}
    environment = dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        one, many = (make_pictures(Path(folder, str(count)), count, flags.side) for count in (1, flags.count))

        def measure(environment: dict[str, str], *words: str) -> Cost:
            return per_picture(one, many, flags.count, flags.chain, environment, *words)

        rows = {"one process": measure(environment)}
        rows |= {
            f"{number} nodes" if number > 1 else "1 node": on_nodes(number, environment, measure) for number in (1, 2)
        }
    print(f"{flags.count} pictures of {flags.side}x{flags.side}, {flags.chain}, milliseconds a picture")
    for name, cost in rows.items():
        print(f"{name:12}  {1000 * cost.wall:9.2f} by the clock  {1000 * cost.processor:9.2f} of its processor time")


if __name__ == "__main__":
    main()
