"""`artkit models export NAME FILE.onnx`: the network of a model, tried out, then written."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from artkit import __version__
from artkit.chain import Chain, PlannedStep, Step, plan_chain
from artkit.engine.loading import load_translator
from artkit.errors import ModelError
from artkit.exporting import graphs
from artkit.exporting.trying import TOLERANCE, Trial, example_of, try_out
from artkit.files import check_target, write_atomically
from artkit.models.file import model_hash
from artkit.models.opening import open_header
from artkit.models.store import find_listed
from artkit.nn import Portable, PortableField
from artkit.translator import Translator

if TYPE_CHECKING:
    from artkit.plugins import Registry

WRITERS = {"onnx": graphs.to_onnx, "pt2": graphs.to_pt2, "torchscript": graphs.to_torchscript}
RUNNERS: Mapping[str, Callable[[bytes], graphs.Run]] = {
    "onnx": graphs.run_onnx,
    "pt2": graphs.run_pt2,
    "torchscript": graphs.run_torchscript,
}
DESCRIBERS = {"onnx": graphs.describe_onnx, "pt2": graphs.describe_pt2, "torchscript": graphs.describe_torchscript}


@dataclass(frozen=True)
class Exported:
    """A network that was written: where, in which format, how it did at each size, and what the file says of it."""

    path: Path
    format: str
    trials: list[Trial]
    facts: dict[str, Any] = field(repr=False)


def export_network(source: str, target: Path, format: str, registry: Registry, *, overwrite: bool = False) -> Exported:
    """Write the network of a model to `target`, once it gives artkit's own pictures at three sizes.

    `source` is a model's name, METHOD/NAME or file, a method, whose default model it is then, or a step with options:
    `superres(scale=4)`. Raises ModelError where the method is no network that other programs could run, where a package
    is missing, or where the graph is off by more than `TOLERANCE`; OutputError for the file.
    """
    check_target(target, overwrite)
    if format == "onnx":
        graphs.need_onnx()
    chain = _chain_of(source, registry)
    step = _plan_step(chain, registry)
    translator = load_translator(step, registry, torch.device("cpu"), "fp32")
    portable = translator.portable()
    if portable is None:
        raise ModelError(f"{chain} cannot be exported: it is not one network that other programs could run.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what torch thinks of its own formats
        data = WRITERS[format](portable, example_of(translator, portable), translator.size_rule)
        trials = try_out(translator, portable, RUNNERS[format](data))
        made_of = {"step": str(chain), "model": step.model and model_hash(step.model)}
        facts = made_of | _describe(translator, portable, trials)
        described = DESCRIBERS[format](data, facts)
    write_atomically(target, described, overwrite=overwrite)
    return Exported(target, format, trials, facts)


def _plan_step(chain: Chain, registry: Registry) -> PlannedStep:
    """Check the one step of a chain; pictures that it needs beside the first are those of whoever runs the graph."""
    inputs = registry.method(chain[0].method).inputs
    needed = [port for port in inputs[1:] if port.required and not port.previous and port.name not in chain[0].options]
    ports = {port.name: [...] if port.many else ... for port in needed}
    return plan_chain(chain, registry, has_input=bool(inputs), ports=ports).steps[0]


def _chain_of(source: str, registry: Registry) -> Chain:
    """Return the chain of the one step that a source means. Raises ModelError for several."""
    if "(" in source or source in registry.methods:
        chain = Chain(source)
        if len(chain) != 1:
            raise ModelError(f"networks are exported one by one, and {source} has {len(chain)} steps.")
        return chain
    path = Path(source)
    if path.is_file():
        return Chain([Step(open_header(path, None, registry).method, {"model": str(path.resolve())})])
    found = find_listed(source, registry)
    return Chain([Step(found.method, {"model": found.name})])


def _describe(translator: Translator, portable: Portable, trials: list[Trial]) -> dict[str, Any]:
    """Return what a program, or a person, needs to use the graph."""
    header, rule = translator.header, translator.size_rule
    return {
        "artkit": __version__,
        "method": translator.spec.name,
        "summary": header.summary if header else translator.spec.summary,
        "licence": header.licence if header else "",
        "inputs": [_field(one) for one in portable.inputs],
        "output": _field(portable.output),
        "size": {
            "multiple": rule.multiple,
            "minimum": rule.minimum,
            "margin": rule.margin,
            "meaning": "put `margin` mirrored pixels around a picture (2 1 | 0 1 2 | 1 0), and more below and at right "
            "until each side is a multiple of `multiple` and no less than `minimum`; cut the result accordingly",
        },
        "tolerance": TOLERANCE,
        "tried": [asdict(trial) for trial in trials],
    }


def _field(one: PortableField) -> dict[str, Any]:
    return {"name": one.name, "kind": one.kind, "axes": list(one.axes), "meaning": one.meaning, **one.more}
