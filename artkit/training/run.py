"""Starting a run from a model instead of from chance: its options first, then its weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import torch

from artkit import __version__
from artkit.data import Dataset, FolderDataset, open_dataset
from artkit.data.batches import advise_load
from artkit.data.needs import list_trainable
from artkit.engine.blame import blame_plugin
from artkit.errors import DataError, TrainingError, UsageError, nearest
from artkit.files import make_folder, to_path, write_atomically
from artkit.models.file import Model, describe_differences, save_model
from artkit.models.opening import open_model
from artkit.models.store import find_model
from artkit.plugins import current_registry, resolve
from artkit.reporting import warn
from artkit.spec import MethodSpec, Options, parse_options
from artkit.training.checking import check_export
from artkit.training.checkpoint import load_checkpoint
from artkit.training.distribution import Processes, join_processes
from artkit.training.loop import CHECKPOINT, Loop
from artkit.training.report import NullReporter, Reporter
from artkit.training.trainer import Restart, Settings, Trainer


def starting_model(spec: MethodSpec, start: str) -> Model:
    """Load the model that `start` means: a name as in `METHOD(model=NAME)`, or a file, foreign ones included."""
    return open_model(find_model(spec.name, start, current_registry(), None), spec.name, current_registry())


def starting_options(spec: MethodSpec, trainer: type[Trainer], values: dict[str, Any]) -> dict[str, Any]:
    """Return `values` with the options of the model named in `values["start"]` where they say nothing themselves."""
    start = values.get("start")
    return {**trainer.options_of(starting_model(spec, str(start))), **values} if start else values


def load_start(trainer: Trainer, model: Model) -> list[str]:
    """Copy a model's tensors into the networks of the same name and return the names; the others stay as drawn.

    Raises TrainingError when a network does not fit, or none is there.
    """
    loaded = [name for name, network in trainer.networks.items() if _load(name, network, model)]
    if not loaded:
        wanted = " or ".join(trainer.networks)
        raise TrainingError(f"{_where(model.path)} holds no network that is trained here: {wanted}.")
    return loaded


def _load(name: str, network: Any, model: Model) -> bool:
    own = {key.removeprefix(f"{name}."): tensor for key, tensor in model.tensors.items() if key.startswith(f"{name}.")}
    if not own:
        return False
    needed = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    if differences := describe_differences(needed, {key: tuple(tensor.shape) for key, tensor in own.items()}, shown=1):
        raise TrainingError(
            f"{_where(model.path)}: its {name} is not the one in training; {differences}. "
            "Leave out options of networks, which the model brings along, or check that the data has its channels."
        )
    network.load_state_dict(own)
    return True


def _where(path: Path) -> str:
    return f"start={path}"


RUN_FILE, MODEL_FILE = "run.json", "model.safetensors"
MOST_RESTARTS = 3
LOOKED_AT = 16  # pictures
DRAFT = 2  # times the size that pictures are resized to: a draft is cut off to whole pixels, and averaged down
ADJUSTABLE = ("steps", "device", "log_every", "sample_every", "checkpoint_every")
"""Settings that a resumed run may change: how far, where, and how closely watched."""


class Record(msgspec.Struct, frozen=True):
    """What a run was started with, as its `run.json` says."""

    method: str
    data: str
    values: dict[str, Any]


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
        return _train(
            method,
            str(to_path(data, "data")),
            to_path(run, "run"),
            _table(values),
            resume,
            reporter or NullReporter(),
            processes,
        )
    finally:
        processes.close()


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
        record = read_run(run)
        values = _resumed_values(spec, run, record, values)
        data = data or record.data
    else:
        if processes.first:
            _check_folder(run)
        values = starting_options(spec, _trainer_class(spec), values)
    loop = _make_loop(spec, data, run, values, reporter, processes)
    if processes.first:
        _write_run(run, method, data, values)
    if resume:
        loop.resume()
    else:
        check_export(loop.trainer, spec)
    loop = _run(loop, lambda seed: _start_anew(spec, data, run, values | {"seed": seed}, loop.reporter))
    path = run / MODEL_FILE
    if processes.first:
        export_trainer(loop.trainer, data, path)
        loop.reporter.end(path)
    return path


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
            loop = start_anew(seed)


def _start_anew(spec: MethodSpec, data: str, run: Path, values: dict[str, Any], reporter: Reporter) -> Loop:
    (run / CHECKPOINT).unlink(missing_ok=True)
    _write_run(run, spec.name, data, values)
    return _make_loop(spec, data, run, values, reporter)


def export_run(run: Path, file: Path) -> Path:
    """Write the model of a run's last checkpoint to `file`, also while the run goes on."""
    record = read_run(run)
    loop = _make_loop(current_registry().method(record.method), record.data, run, record.values, NullReporter())
    load_checkpoint(run / CHECKPOINT, loop.trainer, loop.averages)
    return export_trainer(loop.trainer, record.data, file)


def export_trainer(trainer: Trainer, data: str, file: Path) -> Path:
    """Write the trainer's model, in half precision, with how it was made in its header; return its path."""
    header, tensors = trainer.export()
    settings = trainer.settings
    made = {"data": Path(data).name, "steps": settings.steps, "batch": settings.batch, "crop": settings.crop}
    made |= {"load_size": settings.load_size} if settings.load_size else {}
    header = msgspec.structs.replace(
        header,
        name=settings.name or header.name,
        licence=settings.licence or header.licence,
        artkit=__version__,
        training={**made, "seed": settings.seed, **header.training},
    )
    save_model(file, header, tensors, half=True)
    return file


def read_run(run: Path) -> Record:
    """Read what a run was started with. TrainingError when `run` is no run."""
    try:
        return msgspec.json.decode((run / RUN_FILE).read_bytes(), type=Record)
    except (OSError, ValueError) as error:
        raise TrainingError(f"{run} is not a training run: it has no readable {RUN_FILE}.") from error


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
    trainer = _trainer_class(spec)
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
    trainer_class = _trainer_class(spec)
    settings, options = split_values(spec, trainer_class, values)
    dataset = open_dataset(data, "train", at_least=DRAFT * settings.load_size)
    _check_pairs(spec, trainer_class, dataset)
    _check_load(dataset, settings, reporter)
    preview = _validation(data, settings) or dataset
    torch.manual_seed(settings.seed)
    with blame_plugin(spec.name, current_registry().origin(spec.name)):
        trainer = trainer_class(options, settings, dataset)
    if settings.start and not (run / CHECKPOINT).exists():
        load_start(trainer, starting_model(spec, settings.start))
    make_folder(run)
    return Loop(trainer, dataset, preview, run, reporter, processes)


def _validation(data: str, settings: Settings) -> Dataset | None:
    """Return what is held out for previews, if there is any."""
    try:
        held_out = open_dataset(data, "val", at_least=DRAFT * settings.load_size)
    except DataError:
        return None
    return held_out if len(held_out) else None


def _trainer_class(spec: MethodSpec) -> type[Trainer]:
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


def _write_run(run: Path, method: str, data: str, values: dict[str, Any]) -> None:
    if "(" not in data and Path(data).is_dir():
        data = str(Path(data).resolve())
    text = msgspec.json.format(msgspec.json.encode(Record(method, data, values)), indent=1)
    write_atomically(run / RUN_FILE, text + b"\n", overwrite=True)
