"""The plan of a chain: every step with its method, options, model and what feeds its ports."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, Union

import msgspec

from artkit.chain.steps import Chain, Step
from artkit.errors import UsageError
from artkit.spec import Kind, MethodSpec, Options

if TYPE_CHECKING:
    from artkit.models.opening import ModelFile
    from artkit.plugins import Registry
    from artkit.spec import ModelHeader

STEADY = 0.5
"""How much the clips of chains that would flicker are steadied."""

Binding: TypeAlias = Union[Literal["previous", "original", "before"], Path, "Plan", "Words", tuple[Any, ...], Any]
"""What feeds a port: the previous step (for the first step: the chain's input), the chain's input, the input
of a picture before, a file, a nested plan, words, or, from Python, a picture in memory; one that takes many pictures: a
tuple of files and pictures, or a plan."""


@dataclass(frozen=True)
class Words:
    """What feeds a text port: `text`; where that is None, a picture's fact of the port's name, or its caption."""

    text: str | None = None

    def __str__(self) -> str:
        """Return the words, quoted, or what stands for them."""
        return "what is known" if self.text is None else repr(self.text)


@dataclass(frozen=True)
class PlannedStep:
    """A checked step.

    `index` counts from 0; `file` is its model's; `bindings` holds the ports that are fed; `seed` is its own, if set;
    `varies` names the ports whose nested chains run anew for each input picture; `carried` is what its main port gets
    where that takes any; `plugin` registered the method.
    """

    index: int
    step: Step
    spec: MethodSpec
    options: Options
    file: ModelFile | None
    bindings: dict[str, Binding]
    seed: int | None
    varies: tuple[str, ...] = ()
    carried: Kind = Kind.IMAGE
    plugin: str = ""

    @property
    def model(self) -> Path | None:
        """The model's file."""
        return self.file.path if self.file else None

    @property
    def header(self) -> ModelHeader | None:
        """What the model's file says about it."""
        return self.file.header if self.file else None

    @property
    def carries(self) -> bool:
        """True when the step gives what it gets: it moves the pixels of any picture."""
        return self.spec.output is Kind.PICTURE

    @property
    def output(self) -> Kind:
        """What the step gives: its model's word, else its method's."""
        if self.carries:
            return self.carried
        return self.header.output if self.header else self.spec.output

    def port_kind(self, port: str) -> Kind:
        """Return what a port takes: its model's word, else its method's. Raises KeyError for an unknown port."""
        found = self.spec.port(port)
        if found is None:
            raise KeyError(port)
        if found.kind is Kind.PICTURE:
            return self.carried
        return self.header.inputs.get(port, found.kind) if self.header else found.kind


@dataclass(frozen=True)
class Plan:
    """A chain that can run: nothing is left to look up but the weights themselves.

    `registry` holds the plugins that it was checked against, and whose hooks its run calls.
    """

    chain: Chain
    steps: tuple[PlannedStep, ...]
    has_input: bool
    registry: Registry = field(repr=False, compare=False)

    @property
    def output(self) -> Kind:
        """What the last step gives."""
        return self.steps[-1].output

    @property
    def is_settled(self) -> bool:
        """True when every step, nested ones too, has a seed of its own, so that no other seed changes the picture."""
        return all(planned.seed is not None for planned in self.steps)

    @property
    def keeps_places(self) -> bool:
        """True when things lie in the result, an image, where they lie in the input: no step moves pixels."""
        return self.has_input and self.output is Kind.IMAGE and not any(planned.carries for planned in self.steps)

    @property
    def flickers(self) -> bool:
        """True when frames of a clip would come out unsteady, and can be steadied."""
        return self.keeps_places and any(planned.spec.flickers for planned in self.steps)

    def steadied(self, amount: float | None) -> float:
        """Return how much a clip is steadied, 0 to 1: as asked for, else by `STEADY` where it would flicker.

        Raises UsageError where the result cannot be blended.
        """
        if amount is None:
            return STEADY if self.flickers else 0.0
        if amount and not self.keeps_places:
            raise UsageError(
                f"steady={amount:g} blends pictures along the motion of the clip, and {self.chain} gives label maps or "
                "moves pixels: run the steps that do so before it or after it, on their own."
            )
        return amount

    @property
    def look_back(self) -> int:
        """How many pictures before its input the chain looks at."""
        ports = (port for step in self.steps for port in step.spec.inputs if _is_before(step.bindings.get(port.name)))
        return max((port.previous for port in ports), default=0)

    def plugins(self) -> dict[str, str]:
        """Return the versions of the plugins that compute, nested chains' too, by name."""
        names = {step.plugin for plan in self.walk() for step in plan.steps}
        return {info.name: info.version for info in self.registry.plugins if info.name in names}

    def files(self) -> list[Path]:
        """Return the files that feed ports, nested chains' too."""
        found = (binding for plan in self.walk() for step in plan.steps for binding in step.bindings.values())
        return [one for binding in found for one in _parts(binding) if isinstance(one, Path)]

    def outside_files(self) -> dict[str, str | list[str]]:
        """Return the names of the files that feed ports from outside the chain's text, without their folders.

        A port that takes many pictures has a list of them, where all are files.
        """
        return {
            port: names if isinstance(binding, tuple) else names[0]
            for plan in self.walk()
            for planned in plan.steps
            for port, binding in planned.bindings.items()
            if port not in planned.step.options and (names := _names(binding))
        }

    def walk(self) -> Iterator[Plan]:
        """Yield the plan, and those of all chains nested in it."""
        yield self
        for planned in self.steps:
            for binding in planned.bindings.values():
                if isinstance(binding, Plan):
                    yield from binding.walk()

    def describe(self) -> list[str]:
        """Return the plan as a tree for people: one line a step, those of nested chains indented below the port."""
        width = max(len(planned.spec.name) for planned in self.steps)
        lines = []
        for planned in self.steps:
            lines.append(self._line(planned, width))
            for port, binding in planned.bindings.items():
                if isinstance(binding, Plan):
                    often = ", anew for each picture" if port in planned.varies else ""
                    lines += [f"   {port}{often}:", *(f"     {line}" for line in binding.describe())]
        return lines

    def _line(self, planned: PlannedStep, width: int) -> str:
        ports = [self._fed(planned, port, binding) for port, binding in planned.bindings.items()]
        parts = [f"{', '.join(ports) or 'noise'} -> {planned.output}"]
        if planned.model is not None:
            parts.append(f"model {planned.model}")
        if planned.seed is not None:
            parts.append(f"seed {planned.seed}")
        parts += [f"{name}={value}" for name, value in msgspec.structs.asdict(planned.options).items()]
        return f"{planned.index + 1}. {planned.spec.name:<{width}}  " + "  ".join(parts)

    def _fed(self, planned: PlannedStep, port: str, binding: Binding) -> str:
        if _is_before(binding):
            return f"{port}=the input {_back(planned, port)} before"
        if isinstance(binding, str):
            known = "the input" if binding == "original" or not planned.index else str(planned.port_kind(port))
            return known if binding == "previous" else f"{port}={known}"
        if isinstance(binding, Plan):
            return f"{port}=[{binding.chain}]"
        if isinstance(binding, Words):
            return f"{port}={binding}"
        return f"{port}={', '.join(map(_name, _parts(binding)))}"

    def as_json(self) -> dict[str, Any]:
        """Return the plan as plain data: `chain`, `output`, and `steps`."""
        return {"chain": str(self.chain), "output": str(self.output), "steps": list(map(_as_json, self.steps))}


def _as_json(planned: PlannedStep) -> dict[str, Any]:
    return {
        "index": planned.index,
        "method": planned.spec.name,
        "options": msgspec.to_builtins(planned.options),
        "model": None if planned.model is None else str(planned.model),
        "seed": planned.seed,
        "varies": list(planned.varies),
        "inputs": {port: _binding_json(planned, port, binding) for port, binding in planned.bindings.items()},
        "output": str(planned.output),
    }


def _binding_json(planned: PlannedStep, port: str, binding: Binding) -> dict[str, Any]:
    if _is_before(binding):
        return {"from": "before", "pictures": _back(planned, port)}
    if isinstance(binding, str):
        return {"from": "previous" if planned.index and binding == "previous" else "input"}
    if isinstance(binding, Plan):
        return {"from": "chain", **binding.as_json()}
    if isinstance(binding, Words):
        return {"from": "facts"} if binding.text is None else {"from": "text", "text": binding.text}
    if isinstance(binding, tuple):
        return {"from": "files", "paths": list(map(_name, binding))}
    return {"from": "file", "path": _name(binding)}


def _is_before(binding: Binding) -> bool:
    return isinstance(binding, str) and binding == "before"  # an array answers == for each of its numbers


def _back(planned: PlannedStep, port: str) -> int:
    """Return how many pictures back a port looks."""
    return next(one.previous for one in planned.spec.inputs if one.name == port)


def _name(binding: Binding) -> str:
    return str(binding) if isinstance(binding, Path) else f"<{type(binding).__name__}>"


def _names(binding: Binding) -> list[str]:
    """Return the names of the files that feed a port; none where not all are files."""
    parts = _parts(binding)
    return [one.name for one in parts if isinstance(one, Path)] if all(isinstance(one, Path) for one in parts) else []


def _parts(binding: Binding) -> tuple[Any, ...]:
    """Return the pictures that feed a port, one for most."""
    return binding if isinstance(binding, tuple) else (binding,)
