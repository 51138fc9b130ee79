"""What a run was asked for: the chain and its settings, from flags and a recipe, where flags win."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.chain import Chain


@dataclass(frozen=True)
class Request:
    """A chain, the first seed, the wanted (width, height), how many pictures per input, and files for ports."""

    chain: Chain
    seed: int
    size: tuple[int, int] | None
    count: int
    ports: dict[str, Path]


def make_request(
    chain: str | None,
    recipe: Path | None,
    *,
    seed: int | None,
    size: tuple[int, int] | None,
    count: int | None,
    ports: dict[str, str],
) -> Request:
    """Combine flags with a recipe (a TOML file, or a picture that artkit wrote).

    Raises UsageError when there is neither chain nor recipe, or a port's file is not there.
    """
    from artkit.chain import Chain, Recipe, read_recipe

    base = read_recipe(recipe) if recipe else None
    if chain is not None:
        base = replace(base or Recipe(Chain(chain)), chain=Chain(chain))
    if base is None:
        raise UsageError("say what to do: --chain TEXT or --recipe FILE. `artkit methods` lists what a chain can do.")
    return Request(
        chain=base.chain,
        seed=_first(seed, base.seed, 0),
        size=size or base.size,
        count=_first(count, base.count, 1),
        ports=base.ports | {name: Path(path) for name, path in ports.items()},
    )


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
