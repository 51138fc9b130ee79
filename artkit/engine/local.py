"""Chains and models as Python functions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from artkit.chain.planning import plan_chain
from artkit.chain.steps import Chain, Step
from artkit.engine.inputs import read_input
from artkit.engine.runner import Runner
from artkit.images import Picture
from artkit.models.opening import open_header
from artkit.models.store import find_listed
from artkit.plugins import current_registry


def run_chain(
    chain: Chain,
    picture: Any = None,
    *,
    seed: int = 0,
    size: tuple[int, int] | None = None,
    device: str = "auto",
    precision: str = "auto",
    facts: Mapping[str, str] | None = None,
    **ports: Any,
) -> Picture:
    """Run a chain on one picture; see Chain.__call__."""
    source = None if picture is None else read_input(picture)
    plan = plan_chain(chain, current_registry(), has_input=source is not None, ports=ports)
    runner = Runner(plan, device=device, precision=precision)
    return runner.run(source, seed=seed, size=size, facts=facts)[-1].picture


def load(model: str | Path, **options: Any) -> Chain:
    """Return a chain of one step that runs `model`: a model file, or the name of a stored model.

        paint = artkit.load("pix2pix/landscape", condition="dusk")
        paint("map.png").save("art.png")

    Raises ModelError when there is no such model, or when several methods have one of that name.
    """
    path = Path(model)
    if path.suffix:
        return Chain([Step(open_header(path, None, current_registry()).method, {"model": str(path), **options})])
    stored = find_listed(str(model), current_registry())
    return Chain([Step(stored.method, {"model": stored.name, **options})])
