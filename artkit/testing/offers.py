"""The contract of datasets, metrics and models: what they declare, and what they give when they are used."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from artkit.data import Column, Dataset, Sample
from artkit.errors import ArtkitError
from artkit.models.header import read_header
from artkit.models.store import registered_file
from artkit.plugins import Registry, resolve
from artkit.reporting import one_line
from artkit.spec import DatasetSpec, Kind, MetricSpec, ModelSpec, parse_options
from artkit.testing.contract import options_faults, root_faults, summary_faults
from artkit.testing.faults import gathered, refuse

LOOKED_AT = 3  # samples


def check_dataset(name: str, registry: Registry, *, options: Mapping[str, Any] | None = None) -> None:
    """Look at a registered dataset, and raise AssertionError listing every fault.

    Checked of the splits `train` and `val`: columns and samples agree (images uint8 3HW, labels uint8 HW with indices
    of their classes, text; one size a sample), the same sample comes again in the same bits, whichever columns are
    asked for, and neither split shows samples of the other. A dataset without a factory, which recognises a layout, is
    compared with its declaration alone.
    """
    refuse(f"the dataset {name}", dataset_faults(registry.dataset(name), registry, options))


def dataset_faults(spec: DatasetSpec, registry: Registry, options: Mapping[str, Any] | None = None) -> list[str]:
    """Return what is wrong with a dataset, one line each."""
    faults = [*summary_faults("the dataset", spec.summary), *options_faults("option", spec.options)]
    if spec.factory is None:
        return faults
    faults += root_faults(spec.factory.partition(":")[0].partition(".")[0])
    return faults + gathered(_made_faults(spec, registry, dict(options or {})))


def _made_faults(spec: DatasetSpec, registry: Registry, options: dict[str, Any]) -> Iterator[str]:
    factory = resolve(spec.factory or "", registry.origin(spec.name))
    parsed = parse_options(spec.options, options, spec.name)
    seen: list[list[Sample]] = []
    for split in ("train", "val"):
        dataset = factory(parsed, split)
        if not isinstance(dataset, Dataset) or not dataset.columns or len(dataset) < 1:
            yield f"{split}: its factory returns no artkit.data.Dataset with columns and samples"
            return
        names = list(dataset.columns)
        samples = [dataset.load(index, names) for index in range(min(LOOKED_AT, len(dataset)))]
        for index, sample in enumerate(samples):
            yield from (f"{split}, sample {index}: {fault}" for fault in _sample_faults(dataset, sample))
        yield from (f"{split}: {fault}" for fault in _loading_faults(dataset, names, samples[0]))
        seen.append(samples)
    if any(_same(one, other) for one in seen[0] for other in seen[1]):
        yield "val: it shows a sample of train: draw the splits from different seeds"


def _loading_faults(dataset: Dataset, names: list[str], first: Mapping[str, Any]) -> Iterator[str]:
    """Load the first sample again, all of it and column by column."""
    if not _same(first, dataset.load(0, names)):
        yield "sample 0 comes in other bits the second time: draw from a seed and the index"
    elif not dataset.unpaired and not _same(first, {name: dataset.load(0, [name]).get(name) for name in names}):
        yield "a column of sample 0 is another when it is loaded without the others"


def _sample_faults(dataset: Dataset, sample: Mapping[str, Any]) -> Iterator[str]:
    if sample.keys() != dataset.columns.keys():
        yield f"load() gives {', '.join(sample) or 'nothing'}, and was asked for {', '.join(dataset.columns)}"
        return
    for name, column in dataset.columns.items():
        if name != column.name:
            yield f"the column '{name}' calls itself '{column.name}'"
        yield from (f"column '{name}': {fault}" for fault in _value_faults(column, sample[name]))
    sizes = {tuple(value.shape[-2:]) for value in sample.values() if isinstance(value, Tensor)}
    if len(sizes) > 1 and not dataset.unpaired:
        yield f"its pictures have several sizes: {', '.join(f'{height}x{width}' for height, width in sorted(sizes))}"


def _value_faults(column: Column, value: Any) -> Iterator[str]:
    if column.kind is Kind.TEXT:
        if not isinstance(value, str):
            yield f"text is due, not {type(value).__name__}"
        elif column.values and value not in column.values:
            yield f"'{value}' is none of its values: {', '.join(column.values)}"
        return
    shape = {Kind.IMAGE: "3HW", Kind.LABELS: "HW"}.get(column.kind)
    if shape is None:
        yield f"no column is of kind '{column.kind}': images, labels or text"
    elif not isinstance(value, Tensor) or value.dtype is not torch.uint8 or not _fits(value, shape):
        yield f"uint8 {shape} is due, not {_described(value)}"
    elif column.kind is Kind.LABELS and (not column.classes or int(value.max()) >= len(column.classes)):
        yield f"its classes are {len(column.classes or ())}, and it holds index {int(value.max())}"


def _fits(value: Tensor, shape: str) -> bool:
    return value.dim() == len(shape) and (shape == "HW" or value.shape[0] == 3)


def _described(value: Any) -> str:
    return f"{value.dtype} of {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Tell whether two samples are equal, bit for bit."""
    return one.keys() == other.keys() and all(
        torch.equal(value, other[name]) if isinstance(value, Tensor) else value == other[name]
        for name, value in one.items()
    )


def check_metric(name: str, registry: Registry) -> None:
    """Compute a registered metric on made-up pictures, and raise AssertionError listing every fault.

    Checked: it gives a number, the same twice, and leaves its inputs alone; pictures compared with themselves score
    no worse than compared with others. One that needs what is not installed is compared with its declaration alone.
    """
    refuse(f"the metric {name}", metric_faults(registry.metric(name), registry))


def metric_faults(spec: MetricSpec, registry: Registry) -> list[str]:
    """Return what is wrong with a metric, one line each."""
    faults = [
        *summary_faults("the metric", spec.summary),
        *root_faults(spec.function.partition(":")[0].partition(".")[0]),
    ]
    if spec.better not in ("lower", "higher"):
        faults.append(f"better='{spec.better}' is neither 'lower' nor 'higher'")
    return faults + gathered(_computed_faults(spec, registry))


def _computed_faults(spec: MetricSpec, registry: Registry) -> Iterator[str]:
    owner = registry.origin(spec.name)
    function: Callable[..., Any] = resolve(spec.function, owner)
    more = [WORDS] if spec.facts else []
    if spec.needs is not None:
        try:
            resolve(spec.needs, owner)()
        except ArtkitError as error:
            if not one_line(error):
                yield "what it needs is missing, and it does not say what to install"
            return
    one, other = (_pictures(spec.kind, seed) for seed in (0, 1))
    before = [picture.clone() for picture in (*one, *other)]
    score = function(one, other, *more)
    if not isinstance(score, int | float) or math.isnan(score):
        yield f"it gives {score!r}, and a number is due"
        return
    if not all(map(torch.equal, (*one, *other), before)):
        yield "it changes the pictures it compares"
    if function(one, other, *more) != score:
        yield "it gives another number the second time"
    if spec.facts:  # the words for the targets may count for more than likeness does
        return
    alike = function(one, one)
    if alike < score if spec.better == "higher" else alike > score:
        yield f"better is '{spec.better}', and pictures score {alike:.4g} with themselves, {score:.4g} with others"


WORDS = [dict.fromkeys(("style", "class", "caption"), word) for word in ("ink", "ink", "swirl", "swirl")]
"""What is said of pictures, as `evaluate` hands it to a metric that asks."""


def _pictures(kind: Kind, seed: int) -> list[Tensor]:
    """Return pictures as `evaluate` hands them to a metric: 3HW, or HW for label maps."""
    generator = torch.Generator().manual_seed(seed)
    if kind is Kind.LABELS:
        return [torch.randint(3, (24, 32), generator=generator) for _ in range(4)]
    return [torch.rand(3 if kind is Kind.IMAGE else 1, 24, 32, generator=generator) for _ in range(4)]


def model_faults(spec: ModelSpec) -> list[str]:
    """Return what is wrong with a model in a plugin's package, one line each: its file, and what its header says."""
    try:
        header = read_header(registered_file(spec))
    except ArtkitError as error:
        return [one_line(error)]
    faults = [*summary_faults("the model", spec.summary)]
    for what, said, recorded in (("method", spec.method, header.method), ("name", spec.name, header.name)):
        if recorded != said:
            faults.append(f"its header has the {what} '{recorded}', and the spec '{said}'")
    if not spec.licence or spec.licence != header.licence:
        faults.append(f"its header has the licence '{header.licence}', and the spec '{spec.licence}': both say one")
    return faults
