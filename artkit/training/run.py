"""Training runs as folders: start one, resume one, export its model."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import torch

from artkit import __version__
from artkit.data import Dataset, open_dataset
from artkit.data.needs import list_trainable
from artkit.errors import DataError, TrainingError, UsageError, nearest
from artkit.models.file import save_model
from artkit.plugins import registry, resolve
from artkit.plugins.reporting import warn
from artkit.spec import MethodSpec, Options, parse_options
from artkit.training.checkpoint import load_checkpoint
from artkit.training.loop import CHECKPOINT, Loop
from artkit.training.report import Reporter, Silence
from artkit.training.settings import Settings
from artkit.training.starting import load_start, starting_model, starting_options
from artkit.training.trainer import Restart, Trainer

RUN_FILE, MODEL_FILE = "run.json", "model.safetensors"
MOST_RESTARTS = 3


def train(
    method: str,
    data: str,
    run: Path,
    *,
    values: dict[str, Any] | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train `method` on `data` in the folder `run` and return the path of the exported model.

    `values` holds settings (`steps`, `batch`, ...) and the method's own training options, by name. `resume` goes on
    from the run's last checkpoint with the values it was started with, except `steps`, which may grow. A run that its
    trainer gives up (see Restart) starts anew with the next seed, up to `MOST_RESTARTS` times. Raises TrainingError,
    DataError or OptionError.
    """
    values = dict(values or {})
    spec = registry().method(method)
    if resume:
        recorded = read_run(run)
        values = {**recorded["values"], **{k: v for k, v in values.items() if k in ("steps", "device")}}
        data = recorded["data"]
    elif (run / CHECKPOINT).exists():
        raise TrainingError(f"{run} holds a run already: add --resume to go on with it, or give another folder.")
    else:
        values = starting_options(spec, _trainer_class(spec), values)
    loop = _make_loop(spec, data, run, values, reporter or Silence())
    _write_run(run, method, data, values)
    if resume:
        loop.resume()
    loop = _run(loop, lambda seed: _start_anew(spec, data, run, values | {"seed": seed}, loop.reporter))
    path = export_trainer(loop.trainer, data, run / MODEL_FILE)
    loop.reporter.end(path)
    return path


def _run(loop: Loop, start_anew: Callable[[int], Loop]) -> Loop:
    """Run to the last step, with another seed each time that the trainer gives up; return the loop that got there."""
    restarts = 0
    while True:
        try:
            loop.run()
            return loop
        except Restart as reason:
            restarts += 1
            if restarts > MOST_RESTARTS:
                raise TrainingError(f"{reason}, with {restarts} seeds in a row: try other data or settings.") from None
            seed = loop.settings.seed + 1
            warn(f"{reason}: starting anew with seed {seed}.")
            loop = start_anew(seed)


def _start_anew(spec: MethodSpec, data: str, run: Path, values: dict[str, Any], reporter: Reporter) -> Loop:
    (run / CHECKPOINT).unlink(missing_ok=True)
    _write_run(run, spec.name, data, values)
    return _make_loop(spec, data, run, values, reporter)


def export_run(run: Path, file: Path) -> Path:
    """Write the model of a run's last checkpoint to `file`, also while the run goes on."""
    recorded = read_run(run)
    spec = registry().method(recorded["method"])
    loop = _make_loop(spec, recorded["data"], run, recorded["values"], Silence())
    load_checkpoint(run / CHECKPOINT, loop.trainer, loop.averages)
    return export_trainer(loop.trainer, recorded["data"], file)


def export_trainer(trainer: Trainer, data: str, file: Path) -> Path:
    """Write the trainer's model, in half precision, with how it was made in its header; return its path."""
    header, tensors = trainer.export()
    settings = trainer.settings
    made = {"data": Path(data).name, "steps": settings.steps, "batch": settings.batch, "crop": settings.crop}
    header = msgspec.structs.replace(
        header,
        name=settings.name or header.name,
        licence=settings.licence or header.licence,
        artkit=__version__,
        training={**made, "seed": settings.seed, **header.training},
    )
    save_model(file, header, tensors, half=True)
    return file


def read_run(run: Path) -> dict[str, Any]:
    """Read what a run was started with: method, data, values. TrainingError when `run` is no run."""
    try:
        return dict(json.loads((run / RUN_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{run} is not a training run: it has no readable {RUN_FILE}.") from error


def split_values(spec: MethodSpec, trainer: type[Trainer], values: dict[str, Any]) -> tuple[Settings, Options]:
    """Sort values into shared settings and the method's own options, and validate both."""
    own = {field.name for field in msgspec.structs.fields(spec.training_options)}
    shared = {field.name for field in msgspec.structs.fields(Settings)}
    for name in values:
        if name not in own | shared:
            raise UsageError(f"training {spec.name} has no option '{name}'.{nearest(name, own | shared)}")
    owner = f"training {spec.name}"
    settings = parse_options(Settings, {**trainer.defaults, **{k: v for k, v in values.items() if k in shared}}, owner)
    options = parse_options(spec.training_options, {k: v for k, v in values.items() if k in own}, owner)
    return settings, options  # type: ignore[return-value]


def _make_loop(spec: MethodSpec, data: str, run: Path, values: dict[str, Any], reporter: Reporter) -> Loop:
    trainer_class = _trainer_class(spec)
    settings, options = split_values(spec, trainer_class, values)
    dataset = open_dataset(data, "train")
    _check_pairs(spec, trainer_class, dataset)
    preview = _validation(data) or dataset
    torch.manual_seed(settings.seed)
    trainer = trainer_class(options, settings, dataset)
    if settings.start and not (run / CHECKPOINT).exists():
        load_start(trainer, starting_model(spec, settings.start))
    run.mkdir(parents=True, exist_ok=True)
    return Loop(trainer, dataset, preview, run, reporter)


def _validation(data: str) -> Dataset | None:
    """Return what is held out for previews, if there is any."""
    try:
        held_out = open_dataset(data, "val")
    except DataError:
        return None
    return held_out if len(held_out) else None


def _trainer_class(spec: MethodSpec) -> type[Trainer]:
    if spec.trainer is None:
        trainable = [name for name, other in registry().methods.items() if other.trainer]
        raise UsageError(f"{spec.name} has nothing to train. Methods that train: {', '.join(trainable)}.")
    found: type[Trainer] = resolve(spec.trainer, registry().origin(spec.name))
    return found


def _check_pairs(spec: MethodSpec, trainer: type[Trainer], dataset: Dataset) -> None:
    """Refuse unpaired pictures to a method that learns from pairs."""
    if dataset.unpaired and not trainer.unpaired and len(dataset.columns) > 1:
        able = ", ".join(found["method"] for found in list_trainable(dataset.name, dataset))
        raise DataError(
            f"{spec.name} learns from pairs, and the pictures of {dataset.name} are unpaired "
            f"({', '.join(dataset.columns)}): name partners alike, or train a method for unpaired pictures"
            f"{f' ({able})' if able else ''}."
        )


def _write_run(run: Path, method: str, data: str, values: dict[str, Any]) -> None:
    record = {"method": method, "data": str(data), "values": values}
    if not re.search(r"[(]", str(data)) and Path(data).is_dir():
        record["data"] = str(Path(data).resolve())
    (run / RUN_FILE).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
