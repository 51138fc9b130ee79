"""`artkit run --recipe art.png --check`: what is other here than where a recipe was made, before it runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from artkit import __version__
from artkit.chain import Chain, Step
from artkit.cli.output import echo, log, print_json
from artkit.errors import ArtkitError, UsageError, excerpt

if TYPE_CHECKING:
    from artkit.chain import Recipe
    from artkit.cli.request import Request
    from artkit.plugins import Registry

MISSING = "missing"


@dataclass(frozen=True)
class Difference:
    """One thing that is other: what it is, there and here."""

    what: str
    there: str
    here: str

    def __str__(self) -> str:
        return f"{self.what}: {excerpt(self.there)} there, {excerpt(self.here)} here"


def compare(typed: Mapping[str, Any], registry: Registry) -> int:
    """Print what differs, and what keeps the recipe from running; return 0 where nothing does, else 1.

    `typed` is what `artkit run` was asked. Raises UsageError without a recipe, ChainError for what is none.
    """
    from artkit.chain import read_recipe
    from artkit.cli.request import make_request
    from artkit.images import read_provenance

    if typed.get("recipe") is None:
        raise UsageError("--check compares with what a recipe says: add --recipe FILE.")
    recipe = read_recipe(typed["recipe"])
    found = [*_plugins(recipe, registry), *_models(recipe, registry)]
    found += _surroundings(read_provenance(typed["recipe"]) or {}, typed)
    obstacle = None
    try:
        _plan(make_request(typed), registry)
    except ArtkitError as error:
        obstacle = str(error)
    if typed["as_json"]:
        print_json({"differences": [asdict(one) for one in found], "obstacle": obstacle})
    else:
        _print(found, obstacle, silent=not (recipe.plugins or recipe.models))
    return 1 if found or obstacle else 0


def _print(found: list[Difference], obstacle: str | None, *, silent: bool) -> None:
    for one in found:
        echo(str(one))
    if obstacle:
        log(f"it would not run: {obstacle}")
    if silent:
        log("the recipe does not say with what it was made.")
    elif found:
        log("what it makes here may be another picture.")
    elif not obstacle:
        log("nothing is other here.")


def _plan(request: Request, registry: Registry) -> None:
    """Raise ArtkitError for what keeps a request from running."""
    from artkit.chain import plan_chain
    from artkit.cli.request import check_files

    check_files(plan_chain(request.chain, registry, has_input=bool(request.inputs), ports=request.ports), request)


def _plugins(recipe: Recipe, registry: Registry) -> Iterator[Difference]:
    here = {info.name: info.version if info.error is None else "broken" for info in registry.plugins}
    for name, version in recipe.plugins.items():
        if here.get(name, MISSING) != version:
            yield Difference(f"plugin {name}", version or "no version", here.get(name, MISSING) or "no version")


def _models(recipe: Recipe, registry: Registry) -> Iterator[Difference]:
    """Compare the models by their hashes; those that steps name by a path are where the chain says."""
    from artkit.models import find_model, model_hash, user_model_path

    paths = dict(_model_paths(recipe.chain))
    for known, digest in recipe.models.items():
        method, _, name = known.partition("/")
        try:
            if known not in paths:
                user_model_path(method, name)  # no path: the names in a record may be a stranger's
            here = model_hash(find_model(method, paths.get(known, name), registry, None))
        except ArtkitError:
            here = MISSING
        if here != digest:
            yield Difference(f"model {known}", digest, here)


def _model_paths(chain: Chain) -> Iterator[tuple[str, str]]:
    """Yield what each step's model is called in records, `method/name`, and how the step, or a nested one, names it."""
    for step in chain:
        if isinstance(model := step.options.get("model"), str):
            yield f"{step.method}/{Path(model).stem}", model
        for value in step.options.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, Step):
                    yield from _model_paths(Chain([one]))
                elif isinstance(one, Chain):
                    yield from _model_paths(one)


def _surroundings(record: Mapping[str, Any], typed: Mapping[str, Any]) -> Iterator[Difference]:
    """Compare artkit itself, torch, the device and the precision, which a picture's record holds."""
    if not record:
        return
    import torch

    from artkit.engine.devices import pick_device, pick_precision

    device = pick_device(typed["device"])
    here = {"version": __version__, "torch": str(torch.__version__), "device": str(device)}
    here["precision"] = pick_precision(typed["precision"], device)
    for name, value in here.items():
        if (there := record.get(name)) != value:
            yield Difference("artkit" if name == "version" else name, str(there or "not said"), value)
