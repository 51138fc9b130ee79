"""The contract kit: a method's declaration, code and behaviour compared with what core relies on."""

from __future__ import annotations

import importlib.util
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import msgspec
import torch
from torch import Tensor

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain, Step
from artkit.engine.loading import load_translator
from artkit.errors import PluginError
from artkit.nn import fix_tiles
from artkit.plugins import Registry, resolve
from artkit.plugins.checks import validate_method
from artkit.reporting import one_line
from artkit.spec import Kind, MethodSpec, Options, Tiling, describe_options
from artkit.testing.faults import gathered, refuse
from artkit.training import Trainer
from artkit.translator import Translator


def declaration_faults(spec: MethodSpec) -> Iterator[str]:
    """Yield what is wrong with a method's declaration, one line each."""
    try:
        validate_method(spec)
    except PluginError as error:
        yield str(error)
        return
    yield from summary_faults("the method", spec.summary)
    for port in spec.inputs:
        yield from summary_faults(f"port '{port.name}'", port.summary)
    yield from options_faults("option", spec.options)
    yield from options_faults("training option", spec.training_options)
    yield from _number_faults(spec)
    if spec.trainer is None and spec.training_options is not Options:
        yield "it has training options but no trainer"
    if spec.output is Kind.TEXT:
        yield "its output is text, which no step can make: return an image, labels or a mask"


def summary_faults(owner: str, summary: str) -> Iterator[str]:
    """Check that something is described, in one line."""
    if not summary.strip():
        yield f"{owner} has no summary"
    elif "\n" in summary:
        yield f"{owner}'s summary takes more than one line"


def options_faults(word: str, options: type[Options]) -> Iterator[str]:
    """Check that every option has a description, and a default that its own limits allow."""
    for option in describe_options(options):
        if not option.summary:
            yield f"{word} '{option.name}' has no description: write Annotated[..., option(\"what it does\")]"
    required = [field.name for field in msgspec.structs.fields(options) if field.required]
    if required:
        yield from (f"{word} '{name}' has no default" for name in required)
        return
    try:
        msgspec.convert(msgspec.to_builtins(options()), options)
    except msgspec.ValidationError as error:
        yield f"a default of its {word}s is not allowed by its own limits: {error}"


def _number_faults(spec: MethodSpec) -> Iterator[str]:
    if spec.size.multiple < 1 or spec.size.minimum < 1:
        yield f"its size rule needs a multiple and a minimum of at least 1, not {spec.size}"


HEAVY = ("torch", "numpy", "PIL", "skimage", "scipy", "rich")
"""What a plugin's root module must not import: it is read whenever artkit starts."""

_LIST_HEAVY = (
    f"import sys, importlib; importlib.import_module(sys.argv[1]); print(*[x for x in {HEAVY} if x in sys.modules])"
)


def implementation_faults(spec: MethodSpec) -> Iterator[str]:
    """Yield what is wrong with a method's root module, translator and trainer, one line each."""
    yield from root_faults(spec.translator.partition(":")[0].partition(".")[0])
    try:
        yield from _translator_faults(spec, resolve(spec.translator, spec.name))
        if spec.trainer is not None:
            yield from _class_faults("trainer", resolve(spec.trainer, spec.name), Trainer)
    except PluginError as error:
        yield str(error)


def root_faults(root: str) -> Iterator[str]:
    """Import a package in a fresh Python and see what came along; a one-file plugin may import what it likes."""
    found = importlib.util.find_spec(root)
    if found is None or found.submodule_search_locations is None:
        return
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", _LIST_HEAVY, root]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        yield f"importing {root} fails: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"
    elif done.stdout.strip():
        yield f"importing {root} also imports {', '.join(done.stdout.split())}: move that into the modules that use it"


def _translator_faults(spec: MethodSpec, translator: Any) -> Iterator[str]:
    yield from _class_faults("translator", translator, Translator)
    if not inspect.isfunction(getattr(translator, "translate", None)):
        return
    wanted = ", ".join(["self", "context", *(["*"] if spec.inputs else []), *(port.name for port in spec.inputs)])
    written = inspect.signature(translator.translate)
    if not _fits(written, [port.name for port in spec.inputs]):
        bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in written.parameters.values()]
        yield f"{translator.__name__}.translate takes {inspect.Signature(bare)}, but its ports ask for ({wanted})"


def _fits(written: inspect.Signature, ports: list[str]) -> bool:
    """Tell whether a signature is `(self, context, *, <ports>)`, the ports in any order."""
    kinds = inspect.Parameter
    parameters = list(written.parameters.values())
    positional = [p for p in parameters if p.kind is kinds.POSITIONAL_OR_KEYWORD]
    named = [p.name for p in parameters if p.kind is kinds.KEYWORD_ONLY]
    return (
        len(parameters) == len(positional) + len(named)
        and [p.name for p in positional] == ["self", "context"]
        and sorted(named) == sorted(ports)
    )


def _class_faults(role: str, found: Any, base: type) -> Iterator[str]:
    """Check that a role is filled by a finished class of the right family."""
    missing = getattr(found, "__abstractmethods__", ())
    if not isinstance(found, type) or not issubclass(found, base):
        yield f"its {role} is no artkit.{base.__name__}: {found!r}"
    elif missing:
        yield f"its {role} {found.__name__} lacks {', '.join(sorted(missing))}"


SIZES = ((1, 1), (1, 7), (16, 16), (17, 33), (40, 24))
TILE = 8
TOLERANCE = 1e-4
MANY_CLASSES = 1000
"""Classes in maps that a method only carries: so many that a mixture of two is hardly ever a third of the map."""

Size = tuple[int, int]


def check_method(
    name: str,
    registry: Registry,
    *,
    model: str | Path | None = None,
    options: Mapping[str, Any] | None = None,
    sizes: Sequence[Size] = SIZES,
) -> None:
    """Run a registered method, with its default model or `model`, and raise AssertionError listing every fault.

    Checked for every (height, width) of `sizes`: the output has the size that `output_size` promises, the kind and the
    range; the same call gives the same bits; inputs stay as they were; a batch of two equals two batches of one, within
    1e-4, and so does a picture computed in small tiles. Ports for many pictures get up to three. A method that says
    `tiling="exact"` has to use `artkit.nn.in_tiles`. A method with weights computes in bf16 too. A method that takes
    any picture is run on an image, a label map and a mask, and invents no class. Whatever the plugin's code raises is
    a fault like any other.
    """
    step = Step(name, dict(options or {}) | ({} if model is None else {"model": str(model)}))
    refuse(name, method_faults(step, registry, sizes))


def method_faults(step: Step, registry: Registry, sizes: Sequence[Size] = SIZES) -> list[str]:
    """Return what `check_method` would complain of, one line each."""
    try:
        spec = registry.method(step.method)
        others = {port.name: [...] if port.many else ... for port in spec.inputs[1:] if port.required}
        planned = plan_chain(Chain([step]), registry, has_input=not spec.is_source, ports=others).steps[0]
        translator = load_translator(planned, registry, torch.device("cpu"), "fp32")
    except Exception as error:  # a plugin's code may raise anything
        return [f"it cannot be loaded: {one_line(error)}"]
    kinds = {port.name: planned.port_kind(port.name) for port in spec.inputs}
    classes = len(planned.header.classes) if planned.header and planned.header.classes else 2
    variants = [kinds]
    if planned.carries:
        classes = MANY_CLASSES
        variants = [kinds | {spec.inputs[0].name: kind} for kind in (Kind.IMAGE, Kind.LABELS, Kind.MASK)]
    faults = [
        fault
        for variant in variants
        for size in sizes
        for fault in gathered(_faults(translator, variant, classes, size), f"{_where(variant, size)}: ")
    ]
    faults += gathered(_tile_faults(translator, kinds, classes, max(sizes)))
    if spec.needs_model:  # others compute in float32 everywhere
        translator = load_translator(planned, registry, torch.device("cpu"), "bf16")
        faults += gathered(_half_faults(translator, kinds, classes, min(sizes)), "in bf16: ")
    return faults


def _where(kinds: dict[str, Kind], size: Size) -> str:
    return f"{', '.join(kinds.values())} at {size[0]}x{size[1]}"


def _faults(translator: Translator, kinds: dict[str, Kind], classes: int, size: Size) -> Iterator[str]:
    ports = _examples(translator.spec, kinds, classes, size)
    before = [value.clone() for value in _tensors(ports)]
    both = translator.run(ports, seeds=(3, 4), size=size)
    if not translator.finds_size and tuple(both.shape[-2:]) != translator.output_size(*size):
        yield f"the output is {tuple(both.shape[-2:])}"
    if not all(map(torch.equal, _tensors(ports), before)):
        yield "an input was changed"
    if not torch.equal(both, translator.run(ports, seeds=(3, 4), size=size)):
        yield "the same call gave other bits"
    for index, seed in enumerate((3, 4)):
        alone = translator.run({name: _part(value, index) for name, value in ports.items()}, seeds=(seed,), size=size)
        if not _alike(alone[0], both[index]):
            yield f"picture {index} depends on the rest of its batch"
    if translator.spec.output is Kind.PICTURE and _invented(both, next(iter(ports.values()))):
        yield "it makes classes that were not in the map"


def _tile_faults(translator: Translator, kinds: dict[str, Kind], classes: int, size: Size) -> Iterator[str]:
    """Compare a picture that is computed in tiles with the whole."""
    ports = _examples(translator.spec, kinds, classes, size)
    whole = translator.run(ports, seeds=(3, 4), size=size)
    with fix_tiles(TILE) as limits:
        tiled = translator.run(ports, seeds=(3, 4), size=size)
    if not _alike(tiled, whole):
        yield "in tiles it makes another picture: a halo or a multiple is too small (artkit.nn.in_tiles)"
    if translator.spec.tiling is Tiling.EXACT and not limits.asked:
        yield "it says tiling=exact, but computes every picture as a whole: use artkit.nn.in_tiles"


def _half_faults(translator: Translator, kinds: dict[str, Kind], classes: int, size: Size) -> Iterator[str]:
    """Compute a picture as machines with bf16 units do unless told otherwise; it is one, or it raises."""
    ports = _examples(translator.spec, kinds, classes, size)
    made = translator.run(ports, seeds=(3, 4), size=size, dtype=torch.bfloat16)
    if made.is_floating_point() and made.dtype != torch.float32:
        yield f"the output is {made.dtype}"


def _alike(one: Tensor, other: Tensor) -> bool:
    """Equal within the tolerance; label maps may differ where rounding tips a tie."""
    if one.is_floating_point():
        return torch.allclose(one, other, atol=TOLERANCE)
    return float((one != other).float().mean()) <= 0.001


def _invented(output: Tensor, source: Any) -> bool:
    return not output.is_floating_point() and not bool(torch.isin(output, source).all())


Example = Tensor | list[Tensor] | tuple[str, ...]
"""What goes into a port for a batch of two: tensors N ..., a list of them where it takes many, or two texts."""


def _examples(spec: MethodSpec, kinds: dict[str, Kind], classes: int, size: Size) -> dict[str, Example]:
    """Return what feeds the ports; one that takes many gets as many as it may, up to three, of any sizes it takes."""
    found: dict[str, Example] = {}
    for port in spec.inputs:
        kind = kinds[port.name]
        if port.many:
            sizes = [(size[0] + more, size[1]) if port.any_size else size for more in range(min(3, port.most))]
            found[port.name] = [
                cast(Tensor, _example(kind, classes, one, seed=number)) for number, one in enumerate(sizes)
            ]
        else:
            found[port.name] = _example(kind, classes, size)
    return found


def _tensors(ports: Mapping[str, Example]) -> list[Tensor]:
    several = (value if isinstance(value, list) else [value] for value in ports.values())
    return [value for values in several for value in values if isinstance(value, Tensor)]


def _part(value: Example, index: int) -> Example:
    """Return what picture `index` of a batch has in a port."""
    if isinstance(value, list):
        return [one[index : index + 1] for one in value]
    return value[index : index + 1]


def _example(kind: Kind, classes: int, size: Size, seed: int = 0) -> Tensor | tuple[str, ...]:
    generator = torch.Generator().manual_seed(seed)
    if kind is Kind.TEXT:
        return ("a lake", "a hill")
    if kind is Kind.LABELS:
        return torch.randint(classes, (2, *size), generator=generator)
    return torch.rand(2, 3 if kind is Kind.IMAGE else 1, *size, generator=generator)


def check_spec(spec: MethodSpec) -> None:
    """Compare a method's declaration with its code, without running either.

    The declaration: plain names, one-line summaries, described options with valid defaults, a sensible size rule. The
    code: the root module imports nothing heavy, the translator's `translate` takes `context` and the declared ports,
    the trainer is one. Raises AssertionError listing everything to mend.
    """
    refuse(f"the method '{spec.name}'", spec_faults(spec))


def spec_faults(spec: MethodSpec) -> list[str]:
    """Return what `check_spec` would complain of, one line each."""
    return [*declaration_faults(spec), *implementation_faults(spec)]
