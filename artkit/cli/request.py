"""What a run was asked for: what was typed and a recipe in one record, where what was typed wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artkit.cli.parameters import collect_assignments
from artkit.errors import UsageError

if TYPE_CHECKING:
    from artkit.chain import Chain


@dataclass(frozen=True)
class Request:
    """All that `artkit run` is to do, resolved: `artkit run --help` says what each field is for.

    `size` is (width, height); `ports` are files by port. `models` holds the hashes of the models that made the picture
    which serves as the recipe, by `method/name`.
    """

    chain: Chain
    inputs: tuple[str, ...] = ()
    seed: int = 0
    size: tuple[int, int] | None = None
    count: int = 1
    ports: dict[str, Path] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    output: str | None = None
    device: str = "auto"
    precision: str = "auto"
    keep_steps: Path | None = None
    strip: Path | None = None
    show: bool = False
    overwrite: bool = False
    dry_run: bool = False
    as_json: bool = False


def make_request(typed: Mapping[str, Any]) -> Request:
    """Combine what was `typed` (fields of Request, `chain` as text, and `recipe`) with the recipe's file.

    A recipe is a TOML file, or a picture that artkit wrote, which knows its input. Raises UsageError when there is
    neither chain nor recipe, or the picture's input is gone.
    """
    given = {name: value for name, value in typed.items() if value is not None and value != ()}
    text, recipe = given.pop("chain", None), given.pop("recipe", None)
    if text is None and recipe is None:
        raise UsageError("say what to do: --chain TEXT or --recipe FILE. `artkit methods` lists what a chain can do.")
    known = _read(recipe, remember=text is None, needs_input="inputs" not in given) if recipe else {}
    if text is not None:
        from artkit.chain import Chain

        known["chain"] = Chain(text)
    ports = collect_assignments(given.pop("ports", ()), "-i")
    given["ports"] = known.pop("ports", {}) | {name: Path(path) for name, path in ports.items()}
    return Request(**{**known, **given})


def _read(path: Path, *, remember: bool, needs_input: bool) -> dict[str, Any]:
    """Return the fields that a recipe sets; where it is a picture to `remember`, its models and input too."""
    from artkit.chain import read_recipe

    recipe = read_recipe(path)
    known = {name: value for name, value in vars(recipe).items() if value is not None}
    if remember:
        from artkit.images import read_provenance

        record = read_provenance(path) or {}
        known["models"] = _models(record)
        if needs_input:
            known["inputs"] = _remembered_input(path, record)
    return known


def _remembered_input(recipe: Path, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the input of the picture `recipe`, as it was typed or beside the picture; nothing for a dream."""
    text = record.get("input")
    if not isinstance(text, str):
        return ()
    found = next((path for path in (Path(text), recipe.parent / Path(text).name) if path.exists()), None)
    if found is None:
        raise UsageError(
            f"{recipe} was made from {text}, which is not there; give it: artkit run INPUT --recipe {recipe}"
        )
    return (str(found),)


def _models(record: Mapping[str, Any]) -> dict[str, str]:
    models = record.get("models")
    return {str(name): str(digest) for name, digest in models.items()} if isinstance(models, dict) else {}
