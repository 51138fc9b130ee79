"""How fast is the flagship chain? `python tests/benchmarks/flagship.py` prints a table; nothing is asserted.

Cold: a new process, from the command to the written picture. Warm: the same runner again, weights loaded. Peak memory
is the cold process's. `--help` is the median of ten, beside the bare interpreter's start.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "semantic.png"
CHAIN = "semgan,pix2pix,touchup"
SIZES = ((256, 256), (512, 384))


def seconds(command: list[str]) -> float:
    """Return the wall time of one command, its output thrown away."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def cold(size: tuple[int, int]) -> float:
    """Return the seconds of the flagship command in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        target = ["-o", f"{folder}/art.png", "--size", f"{size[0]}x{size[1]}"]
        return seconds([sys.executable, "-m", "artkit", "run", str(EXAMPLE), "--chain", CHAIN, *target])


def warm(size: tuple[int, int], runs: int = 5) -> tuple[float, dict[str, float]]:
    """Return the median seconds of a run and of each step, weights loaded and once warmed up."""
    from artkit.chain import Chain, plan_chain
    from artkit.engine import Runner
    from artkit.images import read_picture
    from artkit.plugins import current_registry

    runner = Runner(plan_chain(Chain(CHAIN), current_registry(), has_input=True))
    picture = read_picture(EXAMPLE)
    runner.run(picture, size=size)
    measured = [runner.run(picture, size=size) for _ in range(runs)]
    steps = {step.method: statistics.median(run[step.index].seconds for run in measured) for step in measured[0]}
    return statistics.median(sum(step.seconds for step in run) for run in measured), steps


def main() -> None:
    """Print the table."""
    helps = statistics.median(seconds([sys.executable, "-m", "artkit", "--help"]) for _ in range(10))
    bare = statistics.median(seconds([sys.executable, "-c", "pass"]) for _ in range(10))
    print(f"artkit --help: {helps:.3f} s, {helps / bare:.1f} times the bare interpreter")
    for size in SIZES:
        first = cold(size)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        again, steps = warm(size)
        each = ", ".join(f"{method} {taken:.2f} s" for method, taken in steps.items())
        print(f"{size[0]}x{size[1]}: cold {first:.2f} s, peak {peak:.0f} MiB; warm {again:.2f} s ({each})")


if __name__ == "__main__":
    main()
