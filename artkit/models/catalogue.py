"""The catalogue: models that plugins know of and that can be pulled. Nothing here touches the network."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from artkit.errors import ModelError, nearest
from artkit.spec import ModelSpec

if TYPE_CHECKING:
    from artkit.plugins import Registry


def list_entries(registry: Registry) -> list[ModelSpec]:
    """Return the models that can be pulled, at hand or not, by method and name."""
    return sorted((spec for spec in registry.models if spec.url), key=lambda spec: (spec.method, spec.name))


def entries_called(name: str, registry: Registry) -> list[ModelSpec]:
    """Return the entries that NAME or METHOD/NAME means: none, one, or those of several methods."""
    return [spec for spec in list_entries(registry) if name in (spec.name, f"{spec.method}/{spec.name}")]


def find_entry(name: str, registry: Registry) -> ModelSpec:
    """Return the catalogue's entry NAME or METHOD/NAME.

    Raises ModelError when there is none, with the nearest names, and when several methods have one of that name, with
    what to type.
    """
    found = entries_called(name, registry)
    if len(found) > 1:
        commands = " or ".join(f"`{pull_command(spec, registry)}`" for spec in found)
        raise ModelError(f"Several methods have a model '{name}'. Type {commands}.")
    if found:
        return found[0]
    if any(name in (spec.name, f"{spec.method}/{spec.name}") for spec in registry.models):
        raise ModelError(f"The model '{name}' comes with its plugin: there is nothing to pull.")
    known = {f"{spec.method}/{spec.name}" if "/" in name else spec.name for spec in list_entries(registry)}
    raise ModelError(f"There is no model '{name}' to pull.{nearest_model(name, known)}")


def pull_command(spec: ModelSpec, registry: Registry) -> str:
    """Return what to type to pull a model; the method is named where the name alone would not do."""
    alone = sum(other.name == spec.name for other in list_entries(registry)) == 1
    return f"artkit models pull {spec.name if alone else f'{spec.method}/{spec.name}'}"


def how_to_pull(spec: ModelSpec, registry: Registry) -> str:
    """Say of a model that is known but not here what one command brings it."""
    size = f" ({in_megabytes(spec.size)})" if spec.size else ""
    command = pull_command(spec, registry)
    return f"The model '{spec.name}' of {spec.method} is not here yet. To download it{size}: {command}"


def in_megabytes(size: int) -> str:
    """Write a number of bytes as people read it: `45.6 MB`, a MB being a million bytes."""
    return f"{size / 1e6:.1f} MB"


def nearest_model(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: the nearest names, or how to see all of them, which are many."""
    close = nearest(name, known)
    return close if "Did you mean" in close else " To see those there are: artkit models list --all"
