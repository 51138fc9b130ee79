"""Recipes: a chain with what it is run with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from artkit.chain.recipe_file import RecipeFields, dump_toml, read_recipe_file
from artkit.chain.steps import Chain, chain_of


@dataclass(frozen=True)
class Recipe:
    """A chain and what it is run with; None where the recipe does not say. `size` is (width, height) in pixels.

    `steady`, 0 to 1, is for clips.
    `ports` are files by port; a port that takes many has a list of them. `models` and `plugins` say with what it was
    made: hashes of models by `method/name`, versions of plugins by name.
    """

    chain: Chain
    seed: int | None = None
    size: tuple[int, int] | None = None
    count: int | None = None
    ports: dict[str, Path | list[Path]] = field(default_factory=dict)
    steady: float | None = None
    models: dict[str, str] = field(default_factory=dict)
    plugins: dict[str, str] = field(default_factory=dict)

    def to_toml(self) -> str:
        """Return the recipe as TOML text that `read_recipe` reads back."""
        ports = {
            name: [str(one) for one in given] if isinstance(given, list) else str(given)
            for name, given in self.ports.items()
        }
        return dump_toml(
            RecipeFields(
                chain=str(self.chain),
                seed=self.seed,
                size=self.size,
                count=self.count,
                steady=self.steady,
                ports=ports,
                models=self.models,
                plugins=self.plugins,
            )
        )


def read_recipe(path: str | Path) -> Recipe:
    """Read a TOML recipe, or the recipe inside a PNG written by artkit.

    Paths of ports are relative to the file; a PNG may name files in its folder only. Raises ChainError naming the file
    and what to change.
    """
    fields = read_recipe_file(path)
    ports = {
        name: [Path(one) for one in given] if isinstance(given, list) else Path(given)
        for name, given in fields.ports.items()
    }
    chosen = (fields.seed, fields.size, fields.count, ports, fields.steady)
    return Recipe(chain_of(fields, path), *chosen, fields.models, fields.plugins)
