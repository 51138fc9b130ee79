"""Fuzzing: damaged files to every reader, in a process of bounded memory; what falls is kept and told.

    python tests/fuzz/fuzz_driver.py --minutes 60 --keep fuzz-failures

Anything but an ArtkitError of one line (three for chain text, which show the place) is a failure; so is a file that
takes more than `SLOW` seconds of computing or `GROWTH` bytes of memory, or that ends the process.
"""

from __future__ import annotations

import argparse
import faulthandler
import hashlib
import importlib
import itertools
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

from fuzz_mutation import mutate

SLOW = 10.0  # seconds of computing a file
HANG = 120  # seconds a file by the clock, where it computes nothing
GROWTH = 1 << 30  # bytes a file
ADDRESSES = 6 << 30  # bytes of address space beyond what the imports take
MAX_PIXELS = 1 << 21
MOST_WORDS = 2000  # characters of a refusal
PIPES: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}


def work(module: str, only: list[str], seed: int, first: int, last: int | None, deadline: float, folder: Path) -> None:
    """Give cases `first` to `last` - 1 to the targets in turn, and print what falls. For a process of its own."""
    from artkit.errors import ArtkitError

    targets = importlib.import_module(module).TARGETS
    chosen = {name: targets[name] for name in only or targets}
    seeds = {name: target.seeds(folder) for name, target in chosen.items()}
    _bound_memory()
    (folder / "done").write_text(str(first))
    for number in itertools.count(first) if last is None else range(first, last):
        if time.time() > deadline:
            break
        name = list(chosen)[number % len(chosen)]
        data = mutate(seeds[name], random.Random(f"{seed}/{name}/{number}"))
        path = folder / name / f"case.{chosen[name].suffix}"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        (folder / "current").write_text(f"{number} {path}")
        fault = try_one(chosen[name].read, path, ArtkitError, chosen[name].lines)
        if fault:
            print(f"FAILED {name}, case {number}: {fault}", flush=True)
            shutil.copy(path, folder / f"{name}-{number}-{hashlib.sha256(data).hexdigest()[:8]}.{chosen[name].suffix}")
        (folder / "done").write_text(str(number + 1))


def try_one(read, path: Path, expected: type[Exception], lines: int = 1) -> str:
    """Give one file to a reader and say what is wrong with what came of it; nothing is right."""
    faulthandler.dump_traceback_later(HANG, exit=True)
    before, start = _peak(), time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except expected as error:
        message = str(error)
        if message.count("\n") >= lines or len(message) > MOST_WORDS or not message:
            return f"a refusal of {len(message)} characters: {message[:200]!r}"
    except Exception:
        return traceback.format_exc()
    finally:
        faulthandler.cancel_dump_traceback_later()
    if time.process_time() - start > SLOW:
        return f"{time.process_time() - start:.1f} s of computing"
    if _peak() - before > GROWTH:
        return f"{(_peak() - before) / 1e9:.1f} GB of memory"
    return ""


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _bound_memory() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0]) if Path("/proc/self/statm").exists() else 0
    limit = pages * resource.getpagesize() + ADDRESSES
    resource.setrlimit(resource.RLIMIT_AS, (limit, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def drive(
    module: str, only: list[str], cases: int | None, minutes: float, keep: Path, seed: int = 0
) -> tuple[int, int]:
    """Run cases in processes, a new one after each that died; return how many cases were run and how many failed."""
    deadline, first, failures = time.time() + 60 * minutes, 0, 0
    keep.mkdir(parents=True, exist_ok=True)
    while (cases is None or first < cases) and time.time() < deadline:
        with tempfile.TemporaryDirectory(prefix="artkit-fuzz-") as folder:
            command, environment = _command(module, only, seed, first, cases, deadline, Path(folder))
            with subprocess.Popen(command, env=environment, text=True, errors="replace", **PIPES) as child:
                for line in child.stdout or ():
                    print(line, end="", flush=True)
                    failures += line.startswith("FAILED")
            code = child.returncode
            for path in Path(folder).glob("*-*-*.*"):
                shutil.copy(path, keep)
            if not (Path(folder) / "done").exists():
                raise SystemExit("the process that fuzzes does not start")
            if code == 0:
                return int((Path(folder) / "done").read_text()), failures
            number, _, path = (Path(folder) / "current").read_text().partition(" ")
            print(f"FAILED: case {number} ended the process with {code}", flush=True)
            shutil.copy(path, keep / f"died-{number}{Path(path).suffix}")
            failures, first = failures + 1, int(number) + 1
    return first, failures


def _command(
    module: str, only: list[str], seed: int, first: int, last: int | None, end: float, folder: Path
) -> tuple[list[str], dict[str, str]]:
    """Return the command of a process that works, and its environment."""
    code = f"import fuzz_driver as d; from pathlib import Path; d.work({module!r}, {only!r}, {seed}, "
    code += f"{first}, {last}, {end}, Path({str(folder)!r}))"
    paths = [str(Path(__file__).parent), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "OMP_NUM_THREADS": "1"}
    environment |= {"ARTKIT_MAX_PIXELS": str(MAX_PIXELS), "ARTKIT_HOME": str(folder / "home")}
    return [sys.executable, "-c", code], environment


def main() -> int:
    """Parse the command line, fuzz, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="which readers; all where none is named")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--cases", type=int)
    parser.add_argument("--seed", type=int, default=int(time.time()), help="the same seed gives the same files")
    parser.add_argument("--module", default="fuzz_targets")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-failures"), help="where files that fell are kept")
    told = parser.parse_args()
    print(f"seed {told.seed}", flush=True)
    count, failures = drive(told.module, told.targets, told.cases, told.minutes, told.keep, told.seed)
    print(f"{count} cases, {failures} failures" + (f", kept in {told.keep}" if failures else ""))
    return min(1, failures)


if __name__ == "__main__":
    sys.exit(main())
