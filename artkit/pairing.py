"""Pairs to train on from plain pictures: one side is the picture itself, the other what a chain makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain
from artkit.data.folder import hold_out
from artkit.data.labels import CLASSES_FILE
from artkit.data.layouts import Place, find_splits, key_files, list_pictures
from artkit.engine.job import Job
from artkit.engine.runner import Runner
from artkit.engine.step import resize
from artkit.engine.stream import JobResult, run_jobs
from artkit.errors import ArtkitError, DataError, OutputError
from artkit.files import make_folder, write_atomically
from artkit.images import Picture, read_picture, read_provenance, write_classes_file, write_picture
from artkit.plugins import current_registry
from artkit.spec import Kind

Side = Literal["input", "target"]
INPUT: Side = "input"
TARGET: Side = "target"


@dataclass
class Pairing:
    """What came of making pairs: how many were `made` and `kept` from before, and what failed, a line each."""

    made: int = 0
    kept: int = 0
    failures: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Pair:
    """One picture, and where its two sides go: itself, and what is made of it."""

    picture: Path
    plain: Path
    made: Path
    seed: int

    @property
    def is_there(self) -> bool:
        return self.plain.exists() and self.made.exists()


def make_pairs(
    directory: Path,
    output: Path,
    chain: Chain,
    *,
    side: Side = INPUT,
    seed: int = 0,
    device: str = "auto",
    precision: str = "auto",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Pairing:
    """Run `chain` on every picture below `directory` and write `OUTPUT/{train,val}/{input,target}/NAME`.

    The chain's result is the `side` (an input that is a label map goes to `label`, with classes.txt), the picture
    itself the other, resized where the chain changed the size. Splits stay as they are; else a tenth is held out, by
    content. Pairs that are there already are kept, so that a run which was stopped can go on. Picture i runs under seed
    `seed` + i; `progress` is called with the number of pairs done and of all. Raises DataError, ChainError or
    OutputError.
    """
    plan = plan_chain(chain, current_registry(), has_input=True)
    made, plain = _columns(chain, plan.output, side)
    pairs, result = _plan_pairs(directory, output, plain, made, seed), Pairing()
    _check_same_chain(pairs, chain)
    missing = [pair for pair in pairs if not pair.is_there]
    result.kept = len(pairs) - len(missing)
    if not missing:
        return result
    for folder in {path.parent for pair in missing for path in (pair.plain, pair.made)}:
        make_folder(folder)
    runner = Runner(plan, device=device, precision=precision)
    runner.load()
    jobs = [Job(pair.picture, pair.made, pair.seed, Path(pair.picture.name)) for pair in missing]
    for pair, done in zip(missing, run_jobs(runner, jobs, overwrite=True), strict=True):
        _finish(pair, done, output, result)
        progress(result.kept + result.made + len(result.failures), len(pairs))
    return result


def _columns(chain: Chain, kind: Kind, side: Side) -> tuple[str, str]:
    """Return the columns of what is made and of the picture; raise DataError for a target that is no picture."""
    if side == INPUT:
        return "label" if kind is Kind.LABELS else INPUT, TARGET
    if kind is Kind.LABELS:
        raise DataError(f"{chain} makes label maps, and those are inputs: write --from instead of --to.")
    return TARGET, INPUT


def _plan_pairs(directory: Path, output: Path, plain: str, made: str, seed: int) -> list[_Pair]:
    if not directory.is_dir():
        raise DataError(f"{directory} is no folder: give a folder of pictures.")
    whole = list_pictures(directory)
    inside = output.resolve()
    pictures = {name: path for name, path in whole.pictures.items() if inside not in path.resolve().parents}
    if not pictures:
        raise DataError(f"{directory} holds no pictures that artkit reads.")
    return [
        _Pair(path, output / split / plain / (name + path.suffix), output / split / made / f"{name}.png", seed + index)
        for index, (split, name, path) in enumerate(_split_names(Place(pictures), output))
    ]


def _split_names(whole: Place, output: Path) -> Iterator[tuple[str, str, Path]]:
    """Yield the split, the name without suffix and the path of each picture; what has a split keeps it."""
    splits = find_splits(whole)
    for split, place in splits.items():
        yield from ((split, key, path) for key, path in key_files(place.pictures)[0].items())
    if not splits:
        there = {split: key_files(list_pictures(output / split / TARGET).pictures)[0] for split in ("train", "val")}
        files = key_files(whole.pictures)[0]
        held = there["val"].keys() | hold_out(files)
        for key, path in files.items():
            yield "val" if key in held and key not in there["train"] else "train", key, path


def _check_same_chain(pairs: list[_Pair], chain: Chain) -> None:
    """Refuse to mix the pairs of two chains, or those of one from both sides, in one folder.

    One picture on the side that the chain makes tells: no picture from outside remembers this chain.
    """
    folders = {pair.made.parent for pair in pairs}
    there = next((path for folder in sorted(folders) for path in list_pictures(folder).pictures.values()), None)
    made_by = (read_provenance(there) or {}).get("chain") if there else None
    if there and made_by != str(chain):
        raise OutputError(f"{there} was made by {made_by or 'something else'}, not by {chain}: give another folder.")


def _finish(pair: _Pair, done: JobResult, output: Path, result: Pairing) -> None:
    """Write the picture beside what was made of it, or note why there is none."""
    if done.error is not None:
        result.failures.append(f"{pair.picture}: {done.error}")
        return
    made = done.picture
    try:
        _write_plain(pair, made)
        if made.classes is not None and not (output / CLASSES_FILE).exists():
            write_classes_file(made.classes, output / CLASSES_FILE)
    except ArtkitError as error:
        result.failures.append(f"{pair.picture}: {error}")
        return
    result.made += 1


def _write_plain(pair: _Pair, made: Picture) -> None:
    """Copy the picture, or resize it to the size of what was made of it."""
    picture = read_picture(pair.picture)
    if picture.size == made.size:
        write_atomically(pair.plain, pair.picture.read_bytes(), overwrite=True)
    else:
        write_picture(resize(picture, made.size[::-1]), pair.plain, overwrite=True)
