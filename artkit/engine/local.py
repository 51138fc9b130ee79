"""Chains and models as Python functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypedDict, Unpack

import numpy as np
from torch import Tensor

from artkit.chain.arguments import check_steady
from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain, Size, Step
from artkit.engine.inputs import read_input
from artkit.engine.job import Job, look_back
from artkit.engine.runner import Runner
from artkit.engine.steady import Steadier
from artkit.engine.stream import run_jobs
from artkit.engine.work import StepResult
from artkit.errors import ImageError, ModelError, UsageError, nearest
from artkit.images import Picture
from artkit.models.opening import open_header
from artkit.models.store import find_listed
from artkit.plugins import Registry, current_registry


class How(TypedDict):
    """How a chain is run, as `Chain.__call__` describes it."""

    seed: int
    size: Size | None
    device: str
    precision: str
    facts: Mapping[str, str] | None


def run_chain(chain: Chain, picture: Any, ports: Mapping[str, Any], **how: Unpack[How]) -> Picture | list[Picture]:
    """Run a chain on one picture, on a list of them or on a batch; see `Chain.__call__`."""
    if isinstance(picture, list | tuple):
        return list(stream_chain(chain, picture, ports, **how))
    if isinstance(picture, np.ndarray | Tensor) and picture.ndim == 4 and len(picture) > 1:
        return list(stream_chain(chain, iter(picture), ports, **how))
    return _run(chain, picture, ports, how)[-1].picture


def run_steps(chain: Chain, picture: Any, ports: Mapping[str, Any], **how: Unpack[How]) -> dict[str, Picture]:
    """Run a chain on one picture and return what every step made, by name; see `Chain.steps`."""
    seen: Counter[str] = Counter()
    made = {}
    for result in _run(chain, picture, ports, how):
        seen[result.method] += 1
        number = seen[result.method]
        made[result.method if number == 1 else f"{result.method}-{number}"] = result.picture
    return made


def stream_chain(
    chain: Chain, pictures: Iterable[Any], ports: Mapping[str, Any], *, steady: float = 0.0, **how: Unpack[How]
) -> Iterator[Picture]:
    """Run a chain on many pictures, one result after the other; see `Chain.stream`."""
    try:
        sources = iter(pictures)
    except TypeError:
        sources = None
    if sources is None or isinstance(pictures, str | bytes):
        raise ImageError("many pictures are wanted: give a list of paths, arrays or pictures.")
    runner = _runner(chain, ports, how, has_input=True)
    amount = runner.plan.steadied(check_steady(steady))
    jobs = (Job(one, None, how["seed"], _name(one)) for one in sources)
    return _pictures(runner, look_back(jobs, runner.plan.look_back), how, Steadier(amount) if amount else None)


def load(model: str | Path, **options: Any) -> Chain:
    """Return a chain of one step that runs `model`.

        paint = artkit.load("pix2pix/landscape", condition="dusk")
        paint("map.png").save("art.png")

    `model` is a model file, the name of a stored model (`artkit.models()` lists them), or a method's, for its default
    model. Raises ModelError when there is no such model, or when several methods have one of that name.
    """
    if not isinstance(model, str | Path):
        raise ModelError(f"a model is a name, such as 'pix2pix/landscape', or a path, not {type(model).__name__}.")
    registry, path = current_registry(), Path(model)
    if path.suffix:
        return Chain([Step(open_header(path, None, registry).method, {"model": str(path), **options})])
    if str(model) in registry.methods:
        return Chain([Step(str(model), options)])
    stored = find_listed(str(model), registry)
    return Chain([Step(stored.method, {"model": stored.name, **options})])


def _run(chain: Chain, picture: Any, ports: Mapping[str, Any], how: How) -> list[StepResult]:
    runner = _runner(chain, ports, how, has_input=picture is not None)
    source = None if picture is None else read_input(picture, runner.carried_classes)
    return runner.run(source, seed=how["seed"], size=how["size"], facts=how["facts"])


def _runner(chain: Chain, ports: Mapping[str, Any], how: How, *, has_input: bool) -> Runner:
    registry = current_registry()
    _check_names(chain, ports, registry)
    plan = plan_chain(chain, registry, has_input=has_input, ports=ports)
    return Runner(plan, device=how["device"], precision=how["precision"])


def _check_names(chain: Chain, ports: Mapping[str, Any], registry: Registry) -> None:
    """Refuse a keyword that is neither how a chain is run nor a port of one of its steps."""
    known = _ports(chain, registry)
    for name in ports:
        if name not in known:
            settings = list(How.__annotations__)
            ways = f"it takes {', '.join(settings)}" + (f", and the ports {', '.join(known)}" if known else "")
            raise UsageError(f"{chain} takes no '{name}': {ways}.{_close(name, [*settings, *known])}")


def _close(name: str, known: list[str]) -> str:
    return nearest(name, known) if get_close_matches(name, known, n=1, cutoff=0.5) else ""


def _ports(chain: Chain, registry: Registry) -> list[str]:
    """Return the names of the ports that can be fed from outside: all but the first step's main one."""
    found: dict[str, None] = {}
    for step in chain:
        found |= dict.fromkeys(port.name for port in registry.method(step.method).inputs)
        for value in step.options.values():
            if isinstance(value, Chain):
                found |= dict.fromkeys(_ports(value, registry))
    return list(found)


def _pictures(runner: Runner, jobs: Iterator[Job], how: How, steadier: Steadier | None) -> Iterator[Picture]:
    for result in run_jobs(runner, jobs, size=how["size"], facts=how["facts"], steadier=steadier):
        if result.error is not None:
            raise result.error
        yield result.picture


def _name(picture: Any) -> Path:
    return Path(Path(picture).name) if isinstance(picture, str | Path) else Path("picture.png")
