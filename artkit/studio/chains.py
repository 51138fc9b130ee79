"""Chains as the page edits them: text and steps both ways, checked, and without any path of this machine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from artkit.chain import Chain, Plan, PlannedStep, Recipe, Step, Value, plan_chain
from artkit.errors import ChainError
from artkit.plugins import Registry
from artkit.spec import ClassSet, Kind, MethodSpec, Port, describe_options
from artkit.spec.calls import is_word
from artkit.studio.answers import ChainForm, ChainInfo, RecipeInfo, StepForm
from artkit.studio.describing import describe_classes

PATH = re.compile(r"[/\\\0]|^\s*~|^\s*[A-Za-z]:|\.\w{1,12}\s*$")
"""Text that could name a file of this machine."""
INPUT = "input"
"""What the page calls the chain's own input, beside the ports."""
_NEXT = {
    Kind.IMAGE: (Kind.IMAGE, Kind.PICTURE),
    Kind.LABELS: (Kind.LABELS, Kind.IMAGE, Kind.PICTURE),
    Kind.MASK: (Kind.MASK, Kind.PICTURE),
}
"""What a step may take to follow one that gives a kind."""
_ANYTHING = object()
"""Stands for a picture that is not there yet while a chain is checked."""


def read_chain(text: str, registry: Registry) -> Chain:
    """Return the chain of a text that a stranger wrote. Raises ChainError for what is no chain, or names a file."""
    chain = Chain(text)
    _refuse_paths(chain, registry)
    return chain


def chain_of_form(form: ChainForm, registry: Registry) -> Chain:
    """Return the chain that a form describes, as text or as steps. Raises ChainError."""
    if (form.text is None) == (form.steps is None):
        raise ChainError("A chain comes as text or as steps: give one of the two.")
    if form.text is not None:
        return read_chain(form.text, registry)
    chain = Chain([_step(step) for step in form.steps or ()])
    _refuse_paths(chain, registry)
    return chain


def _step(form: StepForm) -> Step:
    model = {} if form.model is None else {"model": form.model}
    return Step(form.method, model | {name: _value(value) for name, value in form.options.items() if value is not None})


def _value(value: Any) -> Any:
    """Return an option's value; `{"chain": TEXT}` is a nested chain."""
    if isinstance(value, Mapping):
        if value.keys() != {"chain"} or not isinstance(value["chain"], str):
            raise ChainError('A chain inside a step is {"chain": TEXT}.')
        return Chain(value["chain"])
    return value


def _refuse_paths(chain: Chain, registry: Registry) -> None:
    """Raise ChainError for text that names a file: what a chain reads comes with the request."""
    for step in chain:
        spec = registry.methods.get(step.method)
        for name, value in step.options.items():
            if isinstance(value, Chain):
                _refuse_paths(value, registry)
            elif spec is not None and _feeds_port(spec, name, value):
                raise ChainError(
                    f"{step.method}({name}=...): '{name}' is a port. Send a picture for it, or write {name}=[STEP,...]."
                )
            elif spec is not None and _is_sentence(spec, name):
                continue
            elif any(PATH.search(text) for text in _texts(value)) or (name == "model" and "." in str(value)):
                raise ChainError(f"{step.method}({name}=...): the studio reads no files by name; write a name alone.")


def _feeds_port(spec: MethodSpec, name: str, value: Value) -> bool:
    """Tell whether text would be read as the path of a picture: for a port, unless it is an option's word as well."""
    is_option = name in getattr(spec.options, "__struct_fields__", ())
    port = spec.port(name)
    pictures = port is not None and port.kind is not Kind.TEXT
    return pictures and isinstance(value, str | tuple) and not (is_option and is_word(value))


def _is_sentence(spec: MethodSpec, name: str) -> bool:
    """Tell whether an option or a port is words, of which none is a path whatever they say: "fields and/or hills"."""
    port = spec.port(name)
    return (port is not None and port.kind is Kind.TEXT) or any(
        info.sentence for info in describe_options(spec.options) if info.name == name
    )


def _texts(value: Value) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from _texts(item)


def plan_for(chain: Chain, registry: Registry, given: Mapping[str, Any], *, has_input: bool) -> Plan:
    """Check a chain against what it is fed with, and return what will run. Raises ArtkitError."""
    plan = plan_chain(chain, registry, has_input=has_input, ports=given)
    if plan.files():
        raise ChainError("The studio reads no files by name: send a picture for each port.")
    return plan


def describe_chain(chain: Chain, registry: Registry) -> ChainInfo:
    """Return all that the page shows of a chain. Raises ArtkitError where it cannot run, whatever it is fed with."""
    specs = [registry.method(step.method) for step in chain]
    free = _free_ports(chain, registry)
    main = next((port for port in specs[0].inputs[:1] if port.kind is not Kind.TEXT), None)
    has_input = main is not None
    wants = [port.name for port in free.values() if port.required and not (port.feeds_itself and has_input)]
    plan = plan_for(chain, registry, dict.fromkeys(wants, _ANYTHING), has_input=has_input)
    first = plan.steps[0]
    return ChainInfo(
        text=str(chain),
        steps=[_form(step) for step in chain],
        input=str(first.port_kind(main.name)) if main else None,
        needs_input=has_input and not specs[0].is_source,
        output=str(plan.output),
        classes=describe_classes(class_set(plan)),
        conditions=_conditions(plan),
        ports=list(free),
        wants=wants,
        fits=[spec.name for spec in registry.methods.values() if _follows(spec, plan.output)],
    )


def class_set(plan: Plan) -> ClassSet | None:
    """Return the classes of the first step that takes label maps, or else of the first that gives some."""
    for wanted in (_takes_labels, lambda step: step.output is Kind.LABELS):
        for step in plan.steps:
            if step.header is not None and step.header.classes is not None and wanted(step):
                return step.header.classes
    return None


def _takes_labels(step: PlannedStep) -> bool:
    return any(step.port_kind(port.name) is Kind.LABELS for port in step.spec.inputs)


def _form(step: Step) -> StepForm:
    options = {name: _plain(value) for name, value in step.options.items() if name != "model"}
    model = step.options.get("model")
    return StepForm(step.method, options, None if model is None else str(model))


def _plain(value: Value) -> Any:
    return {"chain": str(value)} if isinstance(value, Chain) else value


def _free_ports(chain: Chain, registry: Registry) -> dict[str, Port]:
    """Return the ports that may be fed from outside: not a step's main one, nor what the chain's text feeds."""
    free: dict[str, Port] = {}
    for step in chain:
        spec = registry.method(step.method)
        for port in spec.inputs[1:]:
            if port.name not in step.options and port.kind is not Kind.TEXT:
                free.setdefault(port.name, port)
        for value in step.options.values():
            if isinstance(value, Chain):
                free = _free_ports(value, registry) | free
    return free


def ports_for_words(chain: Chain, registry: Registry) -> set[str]:
    """Return the names of the ports that take words, nested chains' too. Raises ChainError for an unknown method."""
    found = {port.name for step in chain for port in registry.method(step.method).inputs if port.kind is Kind.TEXT}
    nested = (value for step in chain for value in step.options.values() if isinstance(value, Chain))
    return found.union(*(ports_for_words(part, registry) for part in nested))


def _conditions(plan: Plan) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for step in plan.steps:
        for name, words in (step.header.conditions if step.header else {}).items():
            found.setdefault(name, list(words))
    return found


def _follows(spec: MethodSpec, given: Kind) -> bool:
    """Tell whether a method takes what a chain gives, and has what it needs to run.

    One that looks at the picture before, as it came in, comes first in a chain.
    """
    if not spec.inputs or (spec.needs_model and spec.default_model is None):
        return False
    if any(port.previous and not port.original for port in spec.inputs):
        return False
    return spec.inputs[0].kind in _NEXT.get(given, ())


def describe_recipe(
    chain: Chain,
    seed: int,
    size: tuple[int, int] | None,
    fed: Collection[str],
    *,
    models: dict[str, str],
    plugins: dict[str, str],
) -> RecipeInfo:
    """Return how to make a picture again; `fed` are the ports that got a picture, the chain's input as INPUT.

    `models` and `plugins` are what it was made with, hashes and versions by name, which `--recipe FILE --check` reads.
    In the command to type, INPUT.png stands for the input's file, PORT.png for a port's.
    """
    extent = "x".join(map(str, size)) if size else None
    words = ["artkit", "run", *(["INPUT.png"] if INPUT in fed else []), "--chain", str(chain), "--seed", str(seed)]
    words += ["--size", extent] if extent else []
    for port in fed:
        words += ["-i", f"{port}={port.upper()}.png"] if port != INPUT else []
    command = shlex.join([*words, "-o", "art.png"])
    recipe = Recipe(chain, seed, size, models=models, plugins=plugins)
    return RecipeInfo(str(chain), seed, extent, command, recipe.to_toml())
