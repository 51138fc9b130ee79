"""Training from beginning to end: a run directory made or gone on with, and the model that comes of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any

import msgspec
import torch

from artkit import __version__
from artkit.data import Dataset, FolderDataset, open_dataset
from artkit.data.batches import advise_load
from artkit.data.needs import list_trainable
from artkit.engine.blame import blame_plugin
from artkit.errors import ArtkitError, DataError, OutputError, TrainingError, UsageError, nearest
from artkit.files import make_folder, to_path
from artkit.plugins import current_registry, resolve
from artkit.reporting import warn
from artkit.runs.record import (
    BEST_FILE,
    CHECKPOINT,
    MODEL_FILE,
    NOTES,
    REPORT_FILE,
    RUN_FILE,
    Record,
    holding,
    read_record,
    write_record,
)
from artkit.runs.report import write_report
from artkit.runs.run import DONE, read_run
from artkit.runs.tables import add_note, now
from artkit.spec import MethodSpec, Options, parse_options
from artkit.training.checking import check_export
from artkit.training.checkpoint import load_checkpoint
from artkit.training.distribution import Processes, join_processes
from artkit.training.exporting import export_trainer
from artkit.training.loop import Loop
from artkit.training.report import NullReporter, Reporter
from artkit.training.scoring import make_scoring
from artkit.training.starting import load_start, starting_model, starting_options
from artkit.training.trainer import Restart, Settings, Trainer

MOST_RESTARTS = 3
LOOKED_AT = 16  # pictures
DRAFT = 2  # times the size that pictures are resized to: a draft is cut off to whole pixels, and averaged down
ADJUSTABLE = ("steps", "patience", "device", "log_every", "sample_every", "checkpoint_every")
"""Settings that a resumed run may change: how far, where, and how closely watched."""


def train(
    method: str,
    data: str | Path,
    run: str | Path,
    *,
    values: dict[str, Any] | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> Path:
    """Train `method` on `data` in the folder `run` and return the path of the exported model.

    `values` holds settings (`steps`, `batch`, ...) and the method's own training options, by name. `resume` goes on
    from the run's last checkpoint with the values it was started with; of these, those in `ADJUSTABLE` may change, and
    `data` may have moved ("" means where it was). A run that its trainer gives up (see Restart) starts anew with the
    next seed, up to `MOST_RESTARTS` times. Started by torchrun, the processes share the run (see
    `artkit.training.distribution`). Raises TrainingError, DataError or OptionError.
    """
    processes = join_processes()
    try:
        model = _train(
            method,
            str(to_path(data, "data")) if data else "",
            to_path(run, "run"),
            _table(values),
            resume,
            reporter or NullReporter(),
            processes,
        )
    except KeyboardInterrupt:  # it comes to all of them; for what fails in one alone, torchrun ends the others
        processes.close()
        raise
    processes.close()
    return model


def _train(
    method: str,
    data: str,
    run: Path,
    values: dict[str, Any],
    resume: bool,
    reporter: Reporter,
    processes: Processes,
) -> Path:
    spec = current_registry().method(method)
    reporter = reporter if processes.first else NullReporter()
    if resume:
        record = read_record(run)
        values = _resumed_values(spec, run, record, values)
        data = data or record.data
    else:
        if processes.first:
            _check_folder(run)
        values = starting_options(spec, find_trainer(spec), values)
    loop = _make_loop(spec, data, run, values, reporter, processes)
    with holding(run) if processes.first else nullcontext():
        if processes.first:
            _write_run(loop, method, data, values)
        if resume:
            loop.resume()
        else:
            check_export(loop.trainer, spec)
        with _noting(loop):
            return _finish(
                _run(loop, lambda seed: _start_anew(spec, data, run, values | {"seed": seed}, reporter)), data
            )


def _finish(loop: Loop, data: str) -> Path:
    """Export the model of a run that came to its end."""
    path = loop.run_directory / MODEL_FILE
    if loop.processes.first:
        export_trainer(loop.trainer, data, path)
        loop.reporter.end(path)
        loop.note(f"{DONE} at step {loop.step}")
    return path


@contextmanager
def _noting(loop: Loop) -> Iterator[None]:
    """Note why a run stops, and let its report say so."""
    run = loop.run_directory
    try:
        yield
    except (ArtkitError, KeyboardInterrupt) as error:
        if loop.processes.first:
            why = str(error) if isinstance(error, ArtkitError) else "Ctrl-C"
            with suppress(OutputError):  # of a full disk it cannot say so
                add_note(run / NOTES, read_run(run).step, f"stopped: {why}")
        raise
    finally:
        if loop.processes.first:
            with suppress(OutputError):
                write_report(read_run(run, running=False), run / REPORT_FILE)


def _table(values: Any) -> dict[str, Any]:
    if not isinstance(values, Mapping | type(None)):
        raise UsageError(f"values are settings by name, such as {{'steps': 100}}, not {type(values).__name__}.")
    return dict(values or {})


def _run(loop: Loop, start_anew: Callable[[int], Loop]) -> Loop:
    """Run to the last step, with another seed each time that the trainer gives up; return the loop that got there."""
    restarts = 0
    while True:
        try:
            loop.run()
            return loop
        except Restart as reason:
            restarts += 1
            if loop.processes.count > 1:  # the others cannot know: torchrun ends them all
                raise TrainingError(f"{reason}: start anew with another --seed.") from None
            if restarts > MOST_RESTARTS:
                raise TrainingError(f"{reason}, with {restarts} seeds in a row: try other data or settings.") from None
            seed = loop.settings.seed + 1
            warn(f"{reason}: starting anew with seed {seed}.")
            loop.note(f"{reason}: starting anew with seed {seed}")
            loop = start_anew(seed)


def _start_anew(spec: MethodSpec, data: str, run: Path, values: dict[str, Any], reporter: Reporter) -> Loop:
    for name in (CHECKPOINT, BEST_FILE):
        (run / name).unlink(missing_ok=True)
    loop = _make_loop(spec, data, run, values, reporter)
    _write_run(loop, spec.name, data, values)
    return loop


def export_run(run: Path, file: Path) -> Path:
    """Write the model of a run's last checkpoint to `file`, also while the run goes on."""
    record = read_record(run)
    loop = _make_loop(current_registry().method(record.method), record.data, run, record.values, NullReporter())
    load_checkpoint(run / CHECKPOINT, loop.trainer, loop.averages)
    return export_trainer(loop.trainer, record.data, file)


def _check_folder(run: Path) -> None:
    """Refuse a place with anything in it but a run that never came to its first checkpoint."""
    if (run / CHECKPOINT).exists():
        raise TrainingError(f"{run} holds a run already: add --resume to go on with it, or give another folder.")
    if run.exists() and not run.is_dir():
        raise TrainingError(f"{run} is a file; a run needs a folder: -o RUN")
    if run.is_dir() and any(run.iterdir()) and not (run / RUN_FILE).exists():
        raise TrainingError(f"{run} is not empty and holds no run: give a new folder with -o.")


def _resumed_values(spec: MethodSpec, run: Path, record: Record, values: dict[str, Any]) -> dict[str, Any]:
    """Return the run's values with the adjustable ones of `values`; raise UsageError where others differ."""
    if spec.name != record.method:
        raise UsageError(f"{run} is a run of {record.method}, not of {spec.name}: artkit train -o {run} --resume")
    trainer = find_trainer(spec)
    was, asked = (split_values(spec, trainer, known) for known in (record.values, {**record.values, **values}))
    for before, after in zip(was, asked, strict=True):
        for name in values.keys() & msgspec.structs.asdict(before).keys() - {*ADJUSTABLE, "seed"}:  # Restart moves it
            if getattr(before, name) != getattr(after, name):
                raise UsageError(
                    f"{run} was started with {name}={getattr(before, name)}, and a resumed run keeps it: leave {name} "
                    "out, or start another run."
                )
    return {**record.values, **{name: value for name, value in values.items() if name in ADJUSTABLE}}


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


def _make_loop(
    spec: MethodSpec,
    data: str,
    run: Path,
    values: dict[str, Any],
    reporter: Reporter,
    processes: Processes | None = None,
) -> Loop:
    trainer_class = find_trainer(spec)
    settings, options = split_values(spec, trainer_class, values)
    dataset = open_dataset(data, "train", at_least=DRAFT * settings.load_size)
    _check_pairs(spec, trainer_class, dataset)
    _check_load(dataset, settings, reporter)
    preview = _validation(data, settings) or dataset
    torch.manual_seed(settings.seed)
    with blame_plugin(spec.name, current_registry().origin(spec.name)):
        trainer = trainer_class(options, settings, dataset)
    _check_focus(trainer, dataset)
    if settings.start and not (run / CHECKPOINT).exists():
        load_start(trainer, starting_model(spec, settings.start))
    scoring = make_scoring(spec, data, settings, dataset, trainer.columns)
    make_folder(run)
    return Loop(trainer, dataset, preview, run, reporter, processes, scoring)


def _validation(data: str, settings: Settings) -> Dataset | None:
    """Return what is held out for previews, if there is any."""
    try:
        held_out = open_dataset(data, "val", at_least=DRAFT * settings.load_size)
    except DataError:
        return None
    return held_out if len(held_out) else None


def find_trainer(spec: MethodSpec) -> type[Trainer]:
    """Return what trains a method. Raises UsageError for one that has nothing to train."""
    if spec.trainer is None:
        trainable = [name for name, other in current_registry().methods.items() if other.trainer]
        raise UsageError(f"{spec.name} has nothing to train. Methods that train: {', '.join(trainable)}.")
    found: type[Trainer] = resolve(spec.trainer, current_registry().origin(spec.name))
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


def _check_load(dataset: Dataset, settings: Settings, reporter: Reporter) -> None:
    """Refuse to load less than is cropped; note where crops show little of what pictures show."""
    if 0 < settings.load_size < settings.crop:
        load = f"load_size={settings.load_size}"
        raise UsageError(f"{load} leaves less of a picture than crop={settings.crop} takes: raise it.")
    if isinstance(dataset, FolderDataset) and not settings.load_size:
        advice = advise_load(dataset.sizes(LOOKED_AT), settings.crop)
        if advice:
            reporter.note(advice)


def _check_focus(trainer: Trainer, dataset: Dataset) -> None:
    """Refuse to look for classes that no label map of the run has."""
    columns = [dataset.column(name) for name in trainer.columns]
    known = [name for column in columns if column.classes for name in column.classes.names]
    for name in trainer.settings.focus:
        if name not in known:
            raise UsageError(f"focus=[{name}]: no label map that is learned from has it.{nearest(name, known)}")


def _write_run(loop: Loop, method: str, data: str, values: dict[str, Any]) -> None:
    """Write what the run is started with; one that goes on keeps the time that it began."""
    run, trainer = loop.run_directory, loop.trainer
    if "(" not in data and Path(data).is_dir():
        data = str(Path(data).resolve())
    settings = msgspec.to_builtins(trainer.settings) | _plain(trainer.options)
    started = read_record(run).started if (run / CHECKPOINT).exists() and (run / RUN_FILE).exists() else now()
    write_record(run, Record(method, data, values, settings, _environment(loop), started))


def _plain(options: Any) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(options) if isinstance(options, msgspec.Struct) else {}
    return plain


def _environment(loop: Loop) -> dict[str, str]:
    """Say what the run computes with."""
    cuda = loop.device.type == "cuda"
    return {
        "artkit": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "device": torch.cuda.get_device_name(loop.device) if cuda else str(loop.device),
        "precision": loop.precision,
        "processes": str(loop.processes.count),
        "threads": str(torch.get_num_threads()),
        "cpu": f"{platform.machine()}, {os.cpu_count()} cores, {torch.backends.cpu.get_cpu_capability()}",
        "system": f"{platform.system()} {platform.release()}",
        "host": platform.node(),
    }
