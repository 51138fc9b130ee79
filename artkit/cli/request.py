"""What a run was asked for: the chain and its settings, from flags and a recipe, where flags win."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.chain import Chain


@dataclass(frozen=True)
class Flags:
    """What was typed after `artkit run`, as click parsed it."""

    inputs: tuple[str, ...]
    chain: str | None
    recipe: Path | None
    output: str | None
    ports: tuple[tuple[str, str], ...]
    count: int | None
    seed: int | None
    size: tuple[int, int] | None
    device: str
    precision: str
    keep_steps: Path | None
    strip: Path | None
    show: bool
    overwrite: bool
    dry_run: bool
    as_json: bool


@dataclass(frozen=True)
class Request:
    """Inputs, a chain, the first seed, the wanted (width, height), how many pictures per input, and files for ports.

    `models` holds the hashes of the models that made the picture which serves as the recipe, by `method/name`.
    """

    inputs: tuple[str, ...]
    chain: Chain
    seed: int
    size: tuple[int, int] | None
    count: int
    ports: dict[str, Path]
    models: dict[str, str]


def make_request(
    inputs: tuple[str, ...],
    chain: str | None,
    recipe: Path | None,
    *,
    seed: int | None,
    size: tuple[int, int] | None,
    count: int | None,
    ports: dict[str, str],
) -> Request:
    """Combine what was typed with a recipe (a TOML file, or a picture that artkit wrote, which knows its input).

    Raises UsageError when there is neither chain nor recipe, or the picture's input is gone.
    """
    from artkit.chain import Chain, Recipe, read_recipe

    base = read_recipe(recipe) if recipe else None
    if chain is not None:
        base = replace(base or Recipe(Chain(chain)), chain=Chain(chain))
    if base is None:
        raise UsageError("say what to do: --chain TEXT or --recipe FILE. `artkit methods` lists what a chain can do.")
    if recipe and not inputs and chain is None:
        inputs = _remembered_input(recipe)
    return Request(
        inputs=inputs,
        chain=base.chain,
        seed=_first(seed, base.seed, 0),
        size=size or base.size,
        count=_first(count, base.count, 1),
        ports=base.ports | {name: Path(path) for name, path in ports.items()},
        models=_remembered_models(recipe) if recipe and chain is None else {},
    )


def _remembered_input(recipe: Path) -> tuple[str, ...]:
    """Return the input of the picture `recipe`, here or beside the picture; nothing for a dream."""
    from artkit.images.provenance import read_provenance

    record = read_provenance(recipe) or {}
    text = record.get("input")
    if not isinstance(text, str):
        return ()
    places = [Path(text), recipe.parent / Path(text).name]
    found = next((path for path in places if path.exists() and not path.samefile(recipe)), None)
    if found is None:
        raise UsageError(
            f"{recipe} was made from {text}, which is not there; give it: artkit run INPUT --recipe {recipe}"
        )
    return (str(found),)


def _remembered_models(recipe: Path) -> dict[str, str]:
    from artkit.images.provenance import read_provenance

    models = (read_provenance(recipe) or {}).get("models")
    return {str(name): str(digest) for name, digest in models.items()} if isinstance(models, dict) else {}


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
