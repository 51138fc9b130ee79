"""Checking a chain against methods, models and ports, before a single weight is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from artkit.chain.plan import Binding, Plan, PlannedStep, Words
from artkit.chain.steps import Chain, Step, Value
from artkit.errors import ChainError, ModelError, OptionError, excerpt, nearest
from artkit.images.formats import READABLE_SUFFIXES
from artkit.spec import Kind, MethodSpec, Port, parse_options
from artkit.spec.calls import is_word

if TYPE_CHECKING:
    from artkit.models.opening import ModelFile
    from artkit.plugins import Registry
    from artkit.spec import ModelHeader

MOST_WORDS = 4_000
"""Characters that a text port takes."""
MOST_WRITTEN = 17_000
"""Characters that they may have in the text of a chain, which has room for them; some are written as escapes."""

_FITS: dict[Kind, tuple[Kind, ...]] = {
    Kind.IMAGE: (Kind.IMAGE, Kind.LABELS, Kind.MASK),
    Kind.LABELS: (Kind.LABELS, Kind.IMAGE),
    Kind.MASK: (Kind.MASK,),
    Kind.TEXT: (Kind.TEXT,),
}
"""What each kind can feed. Labels are painted by themselves; whether an image is a label map shows when it is read."""


def plan_chain(chain: Chain, registry: Registry, *, has_input: bool, ports: Mapping[str, Any] | None = None) -> Plan:
    """Check a chain and return what will run.

    `ports` feeds every port of that name that nothing else feeds, by path or, from Python, by picture; a list of these
    feeds one that takes many. Words for text ports become part of the chain. Reads the headers of the models, never
    their tensors. Raises ChainError, OptionError or ModelError naming the step and what to type.
    """
    planner = _Planner(registry, dict(ports or {}))
    plan = planner.plan(chain, has_input)
    planner.check_all_ports_used()
    return plan


@dataclass
class _Planner:
    """One planning: the registry, the ports given from outside, and which of them found a place."""

    registry: Registry
    ports: dict[str, Any]
    used: set[str] = field(default_factory=set)
    taken: dict[str, str] = field(default_factory=dict)

    def plan(self, chain: Chain, has_input: bool) -> Plan:
        """Plan one chain; nested ones come back here."""
        chain, steps = self._told(chain), list[PlannedStep]()
        for step in chain:
            fed = steps[-1].output if steps else Kind.IMAGE if has_input else None
            steps.append(self._plan_step(len(steps), step, fed, has_input))
        return Plan(chain, _carrying(steps) if has_input else tuple(steps), has_input, self.registry)

    def _plan_step(self, index: int, step: Step, fed: Kind | None, has_input: bool) -> PlannedStep:
        spec = self.registry.method(step.method)
        given = dict(step.options)
        _check_names(spec, given)
        seed = _seed(spec, given.pop("seed", None))
        varies = given.pop("vary", None)
        file = self._model(spec, given.pop("model", None))
        words = _words(spec, given)
        nested = {port.name: given.pop(port.name) for port in spec.inputs if port.name in given.keys() - words}
        options = parse_options(spec.options, {name: _plain(value) for name, value in given.items()}, spec.name)
        bindings = self._bind(index, spec, nested, fed, has_input, words)
        varied = _varied(spec, varies, bindings)
        origin, carried = self.registry.origin(spec.name), fed or Kind.IMAGE
        planned = PlannedStep(index, step, spec, options, file, bindings, seed, varied, carried, origin)
        self._check_kinds(planned, fed)
        return planned

    def _told(self, chain: Chain) -> Chain:
        """Return a chain, those nested in it too, whose text ports hold the words that are given from outside."""
        return Chain([self._told_step(step) for step in chain])

    def _told_step(self, step: Step) -> Step:
        spec = self.registry.method(step.method)
        options = dict(step.options)
        for port in spec.inputs:
            value = options.get(port.name)
            if isinstance(value, Chain):
                options[port.name] = self._told(value)
            elif port.kind is Kind.TEXT and value is None and port.name in self.ports:
                options[port.name] = _words_for(spec, port.name, self.ports[port.name])
                self.used.add(port.name)
        return replace(step, options=options)

    # -- models -------------------------------------------------------------------------------------------------

    def _model(self, spec: MethodSpec, name: Value) -> ModelFile | None:
        if not spec.has_models:
            if name is not None:
                raise OptionError(f"{spec.name} has no models to choose from: leave out model={name}.")
            return None
        if name is not None and (isinstance(name, bool) or not isinstance(name, str | int)):
            raise OptionError(f"{spec.name}(model=...): write a model's name or, in quotes, its path.")
        from artkit.models.opening import open_file
        from artkit.models.store import find_model

        path = find_model(spec.name, None if name is None else str(name), self.registry, spec.default_model)
        file = open_file(path, spec.name, self.registry)
        _check_header(spec, path, file.header)
        return file

    # -- ports --------------------------------------------------------------------------------------------------

    def _bind(
        self, index: int, spec: MethodSpec, nested: dict[str, Value], fed: Kind | None, has_input: bool, words: set[str]
    ) -> dict[str, Binding]:
        bindings: dict[str, Binding] = {}
        main = spec.inputs[0].name if spec.inputs else None
        if fed is not None:
            if main is None:
                raise ChainError(_no_room(index, spec))
            bindings[main] = "previous"
        for name, value in nested.items():
            if name in bindings:
                given = f"[{value}]" if isinstance(value, Chain) else excerpt(repr(value))
                raise ChainError(
                    f"The port '{name}' of {spec.name} is fed twice: by what comes before, and by {given}."
                )
            bindings[name] = self._nested(spec, name, value)
        for port in spec.inputs:
            if port.name in self.ports and port.name in words:
                self.taken[port.name] = spec.name
            elif port.name in self.ports:
                self._bind_outside(spec, port, bindings)
            if port.kind is Kind.TEXT and port.name not in bindings:
                bindings[port.name] = Words()
            if port.feeds_itself and has_input and port.name not in bindings:
                bindings[port.name] = "before" if port.previous else "original"
                _check_first(index, spec, port)
            if port.required and port.name not in bindings:
                raise ChainError(self._missing(index, spec, port))
        return bindings

    def _nested(self, spec: MethodSpec, name: str, value: Value) -> Binding:
        """Return what a step's text feeds a port with: a chain, words, the path of a picture, or a list of paths."""
        port = spec.port(name)
        if port is not None and port.kind is Kind.TEXT:
            return Words(_words_for(spec, name, value))
        if isinstance(value, Chain):
            return self.plan(value, has_input=False)
        if port is not None and (port.many or isinstance(value, tuple)):
            return tuple(self._nested_file(spec, name, one) for one in _several(spec, port, value))
        return self._nested_file(spec, name, value)

    def _nested_file(self, spec: MethodSpec, name: str, value: Value) -> Path:
        if isinstance(value, str):
            if Path(value).is_file():
                return Path(value)
            if Path(value).suffix.lower() in READABLE_SUFFIXES:
                raise ChainError(f"{spec.name}({name}={value}): there is no file {value}.")
        raise ChainError(
            f"'{name}' is a port of {spec.name}: feed it with -i {name}=PATH, {name}='PATH', or {name}=[STEP,...]."
        )

    def _bind_outside(self, spec: MethodSpec, port: Port, bindings: dict[str, Binding]) -> None:
        source = self.ports[port.name]
        if port.name in bindings:
            self.taken[port.name] = spec.name
            return
        if port.many or isinstance(source, list | tuple):
            bindings[port.name] = tuple(_outside(port, one) for one in _several(spec, port, source))
        else:
            bindings[port.name] = _outside(port, source)
        self.used.add(port.name)

    def _missing(self, index: int, spec: MethodSpec, port: Port) -> str:
        if index == 0 and port is spec.inputs[0]:
            sources = sorted(method.name for method in self.registry.methods.values() if method.is_source)
            known = f" ({', '.join(sources)})" if sources else ""
            return f"{spec.name} needs a picture: give one, or start the chain with a method that makes its own{known}."
        return (
            f"{spec.name} needs its port '{port.name}' ({port.kind}): "
            f"add -i {port.name}=PATH, or write {spec.name}({port.name}=[STEP,...])."
        )

    def check_all_ports_used(self) -> None:
        """Raise ChainError for a port given from outside that no step took."""
        for name in self.ports:
            if name in self.used:
                continue
            if name in self.taken:
                raise ChainError(f"The port '{name}' of {self.taken[name]} is fed already: leave out -i {name}=...")
            owners = [spec.name for spec in self.registry.methods.values() if spec.port(name)]
            if owners:
                raise ChainError(f"No step of the chain has a port '{name}'; {', '.join(sorted(owners))} would have.")
            known = {port.name for spec in self.registry.methods.values() for port in spec.inputs}
            raise ChainError(f"No method has a port '{name}'.{nearest(name, known)}")

    # -- kinds --------------------------------------------------------------------------------------------------

    def _check_kinds(self, planned: PlannedStep, fed: Kind | None) -> None:
        for port, binding in planned.bindings.items():
            wanted = planned.port_kind(port)
            if isinstance(binding, Plan):
                given, giver = binding.output, f"[{binding.chain}]"
            elif isinstance(binding, str) and binding in ("original", "before"):
                given, giver = Kind.IMAGE, "the input"
            elif isinstance(binding, str) and fed is not None:
                given, giver = fed, "the step before it" if planned.index else "the input"
            else:
                continue
            if wanted not in _FITS[given]:
                name = planned.spec.name
                message = f"{name} takes {wanted} in its port '{port}', but {giver} gives {given}."
                raise ChainError(message + self._converters(given, wanted))

    def _converters(self, given: Kind, wanted: Kind) -> str:
        names = [
            spec.name
            for spec in self.registry.methods.values()
            if spec.output == wanted and spec.inputs and spec.inputs[0].kind in _FITS[given]
        ]
        return f" Put {' or '.join(sorted(names))} between them." if names else ""


def _check_first(index: int, spec: MethodSpec, port: Port) -> None:
    """Raise ChainError where a step compares what another made with a picture before as it came in."""
    if index and port.previous and not port.original:
        raise ChainError(
            f"{spec.name} looks at the picture before as it came in, so it comes first in a chain: run what precedes "
            f"it on its own, with -o FOLDER/, and {spec.name} on that folder."
        )


def _words_for(spec: MethodSpec, name: str, given: Any) -> str:
    """Return the words for a text port; raise ChainError for anything else, and for more than a chain can remember."""
    if not isinstance(given, str):
        raise ChainError(f"The port '{name}' of {spec.name} takes words: {spec.name}({name}='...') or -i {name}='...'.")
    if len(given) > MOST_WORDS:
        raise ChainError(
            f"The port '{name}' of {spec.name} takes {MOST_WORDS} characters at most; {len(given)} are given."
        )
    if (written := len(repr(given))) > MOST_WRITTEN:
        raise ChainError(
            f"The port '{name}' of {spec.name} takes what is written in {MOST_WRITTEN} characters at most; these take "
            f"{written}, since what cannot be printed is written as escapes."
        )
    return given


def _several(spec: MethodSpec, port: Port, given: Any) -> tuple[Any, ...]:
    """Return the pictures given to a port as a tuple; raise ChainError where it does not take as many."""
    several = tuple(given) if isinstance(given, list | tuple) else (given,)
    if not port.many:
        raise ChainError(f"The port '{port.name}' of {spec.name} takes one picture, not a list ({len(several)} given).")
    if not 1 <= len(several) <= port.most:
        given = f"{len(several)} are given" if several else "none is given"
        raise ChainError(f"The port '{port.name}' of {spec.name} takes 1 to {port.most} pictures, and {given}.")
    return several


def _outside(port: Port, source: Any) -> Any:
    """Return a picture from outside, a file as its path, which must be there."""
    if not isinstance(source, str | Path):
        return source
    path = Path(source)
    if not path.is_file():
        problem = "is a folder, not a file" if path.is_dir() else "does not exist"
        raise ChainError(f"-i {port.name}={path}: {path} {problem}.")
    return path


def _check_names(spec: MethodSpec, given: dict[str, Value]) -> None:
    known = {info.name for info in msgspec.structs.fields(spec.options)} | {port.name for port in spec.inputs}
    known |= {"seed", "vary"} | ({"model"} if spec.has_models else set())
    for name in given:
        if name not in known and name != "model":
            raise OptionError(f"{spec.name} has no option '{name}'.{nearest(name, known)}")


def _carrying(steps: list[PlannedStep]) -> tuple[PlannedStep, ...]:
    """Let the input travel as labels from the start where the first step that looks at it takes labels."""
    first = list(takewhile(lambda planned: planned.carries, steps))
    taker = next(iter(steps[len(first) :]), None)
    if taker and taker.port_kind(taker.spec.inputs[0].name) is Kind.LABELS:
        first = [replace(planned, carried=Kind.LABELS) for planned in first]
    return (*first, *steps[len(first) :])


def _words(spec: MethodSpec, given: dict[str, Value]) -> set[str]:
    """Return the names that are both a port's and an option's and are given as a plain word, which sets the option."""
    both = {port.name for port in spec.inputs} & {info.name for info in msgspec.structs.fields(spec.options)}
    return {name for name in both & given.keys() if is_word(given[name])}


def _seed(spec: MethodSpec, value: Value) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OptionError(f"{spec.name}(seed={value}): a seed is a whole number from 0 up.")
    return value


def _varied(spec: MethodSpec, value: Value, bindings: dict[str, Binding]) -> tuple[str, ...]:
    """Return the ports that `vary=` names, one or a list of them; each must be fed by a nested chain."""
    names = _plain(value) or ()
    names = tuple(names) if isinstance(names, list | tuple) else (names,)
    for name in names:
        if not isinstance(bindings.get(name), Plan):
            chained = [port for port, binding in bindings.items() if isinstance(binding, Plan)]
            example = f"vary={chained[0]}" if chained else "style=[can],vary=style"
            raise OptionError(
                f"{spec.name}(vary={name}): only a port that a chain feeds can vary, as in {spec.name}({example})."
            )
    return names


def _plain(value: Value) -> Any:
    """Return a value as options hold it: bare words in brackets, which read as steps, are a list of words here."""
    if isinstance(value, Chain) and not any(step.options for step in value):
        return [step.method for step in value]
    return value


def _check_header(spec: MethodSpec, path: Path, header: ModelHeader) -> None:
    if header.method != spec.name:
        raise ModelError(f"{path} is a model of {header.method}: write {header.method}(model=...), not {spec.name}.")


def _no_room(index: int, spec: MethodSpec) -> str:
    if index == 0:
        return f"{spec.name} makes its pictures from nothing and takes no input: leave the input out."
    return f"{spec.name} takes nothing in, so it can only start a chain; here it is step {index + 1}."
