"""A network as a graph in a file's bytes, and running those bytes as another program would."""

from __future__ import annotations

import inspect
import io
import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.export import Dim

from artkit.errors import ModelError
from artkit.nn import Portable
from artkit.spec import SizeRule

Run: TypeAlias = Callable[[tuple[Tensor, ...]], Tensor]
"""Runs a graph on its inputs, in order."""
Example: TypeAlias = tuple[Tensor, ...]
FACTS = "artkit.json"
"""The file inside PyTorch's archives that describes the network; in ONNX it is the metadata `artkit`."""
KEY = "artkit"
OPSET = 18
NEED_ONNX = "ONNX needs two packages that are not here: pip install -c constraints.txt '.[onnx]'"


def need_onnx() -> None:
    """Raise ModelError unless what ONNX needs is installed."""
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
    except ImportError:
        raise ModelError(NEED_ONNX) from None


def to_onnx(portable: Portable, example: Example, rule: SizeRule) -> bytes:
    """Return the network as ONNX, its heights and widths free. Raises ModelError where torch has no operator for it.

    By the exporter that traces: on these networks the newer one gives the same numbers, takes ten times as long, and
    needs two packages more.
    """
    names = [field.name for field in portable.inputs]
    axes = {field.name: _free_axes(field.axes) for field in (*portable.inputs, portable.output)}
    data = io.BytesIO()
    with _quietly("ONNX"):
        torch.onnx.export(
            portable.network,
            example,
            data,  # type: ignore[arg-type]
            dynamo=False,
            input_names=names,
            output_names=[portable.output.name],
            dynamic_axes=axes,
            opset_version=OPSET,
        )
    return data.getvalue()


def to_torchscript(portable: Portable, example: Example, rule: SizeRule) -> bytes:
    """Return the network as TorchScript."""
    data = io.BytesIO()
    with _quietly("TorchScript"):
        torch.jit.save(torch.jit.trace(portable.network, example, check_trace=False), data)
    return data.getvalue()


def to_pt2(portable: Portable, example: Example, rule: SizeRule) -> bytes:
    """Return the network as an archive of `torch.export`, its heights and widths free within the size rule."""
    multiple = rule.multiple
    sides = {
        name: multiple * Dim(f"{name}_in_{multiple}s", min=2) if multiple > 1 else Dim(name, min=2)
        for name in ("height", "width")
    }
    free = {**sides, "length": Dim("length", min=2)}
    shapes = [{axis: free[name] for axis, name in _free_axes(field.axes).items()} for field in portable.inputs]
    data = io.BytesIO()
    with _quietly("torch.export"):
        program = torch.export.export(portable.network, example, dynamic_shapes=_packed(portable, shapes))
        torch.export.save(program, data)
    return data.getvalue()


def _free_axes(axes: tuple[str | int, ...]) -> dict[int, str]:
    return {axis: name for axis, name in enumerate(axes) if isinstance(name, str)}


def _packed(portable: Portable, shapes: list[Any]) -> tuple[Any, ...]:
    """Return one item for each parameter of the network's `forward`: those that `*others` takes are a tuple."""
    packed: list[Any] = []
    for parameter in inspect.signature(portable.network.forward).parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            packed.append(tuple(shapes[len(packed) :]))
        elif len(packed) < len(shapes):
            packed.append(shapes[len(packed)])
    return tuple(packed)


@contextmanager
def _quietly(what: str) -> Iterator[None]:
    """Trace in the block without what exporters print and warn of; raise ModelError where they fail."""
    try:
        with warnings.catch_warnings(), torch.no_grad(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    except Exception as error:  # torch raises errors of its own, and others, for what it does not know
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise ModelError(f"torch {torch.__version__} cannot write this network as {what}: {reason}") from error


def run_onnx(data: bytes) -> Run:
    """Return what runs an ONNX file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # what it does with the graph is nobody's concern
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_inputs()]

    def run(inputs: Example) -> Tensor:
        given = {name: one.contiguous().numpy() for name, one in zip(names, inputs, strict=True)}
        return torch.from_numpy(session.run(None, given)[0])

    return run


def run_torchscript(data: bytes) -> Run:
    """Return what runs a TorchScript file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = torch.jit.load(io.BytesIO(data))
    return lambda inputs: loaded(*inputs)


def run_pt2(data: bytes) -> Run:
    """Return what runs an archive of `torch.export`."""
    loaded = torch.export.load(io.BytesIO(data)).module()
    return lambda inputs: loaded(*inputs)


def describe_onnx(data: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return an ONNX file that carries `facts` as metadata."""
    import onnx

    model = onnx.load_from_string(data)
    model.metadata_props.add(key=KEY, value=json.dumps(facts))
    model.producer_name, model.producer_version = "artkit", str(facts["artkit"])
    written: bytes = model.SerializeToString()
    return written


def describe_torchscript(data: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return a TorchScript file that carries `facts`."""
    described = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.load(io.BytesIO(data)), described, _extra_files={FACTS: json.dumps(facts)})
    return described.getvalue()


def describe_pt2(data: bytes, facts: Mapping[str, Any]) -> bytes:
    """Return an archive of `torch.export` that carries `facts`."""
    described = io.BytesIO()
    torch.export.save(torch.export.load(io.BytesIO(data)), described, extra_files={FACTS: json.dumps(facts)})
    return described.getvalue()
