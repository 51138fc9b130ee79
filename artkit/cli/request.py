"""What a run was asked for: what was typed and a recipe in one record, where what was typed wins."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from artkit.cli.files import refuse_address
from artkit.cli.output import log
from artkit.cli.parameters import gather_assignments
from artkit.errors import ChainError, UsageError
from artkit.files import digest_of

if TYPE_CHECKING:
    from artkit.chain import Chain, Plan
    from artkit.cli.sharding import Shard


Fed: TypeAlias = str | Path | Sequence[str | Path]
"""What feeds a port from the command line: a file, words, or several files."""


@dataclass(frozen=True)
class Request:
    """All that `artkit run` is to do, resolved: `artkit run --help` says what each field is for.

    `size` is (width, height), or the longest side alone; `ports` are files or words by port, a list where several are
    given. `models` holds the hashes of the models that the recipe was made with, by `method/name`; `remembered` is that
    picture, where the chain is the one in its record, and `before` are the pictures before its input that it was made
    with.
    """

    chain: Chain
    inputs: tuple[str, ...] = ()
    before: tuple[Path, ...] = ()
    seed: int = 0
    size: tuple[int, int] | int | None = None
    count: int = 1
    fps: float | None = None
    steady: float | None = None
    ports: dict[str, Fed] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    remembered: Path | None = None
    output: str | None = None
    device: str = "auto"
    precision: str = "auto"
    keep_steps: Path | None = None
    strip: Path | None = None
    show: bool = False
    overwrite: bool = False
    skip_existing: bool = False
    shard: Shard | None = None
    dry_run: bool = False
    as_json: bool = False
    engine: str = "local"


def make_request(typed: Mapping[str, Any]) -> Request:
    """Combine what was `typed` (fields of Request, `chain` as text, and `recipe`) with the recipe's file.

    A recipe is a TOML file, or a picture that artkit wrote, which names the files it was made from; those beside it are
    read, and told of. Raises UsageError when there is neither chain nor recipe, or the picture's input is gone.
    """
    given = {name: value for name, value in typed.items() if value is not None and value != ()}
    text, recipe = given.pop("chain", None), given.pop("recipe", None)
    if text is None and recipe is None:
        raise UsageError("say what to do: --chain TEXT or --recipe FILE. `artkit methods` lists what a chain can do.")
    named, engine = given.pop("ports", ()), given.get("engine")
    for place in [*([] if engine == "ray" else _places(given)), *(place for _, place in named)]:
        refuse_address(place)
    if engine == "ray":
        given |= {name: _without_scheme(value) for name, value in given.items() if name in ("inputs", "output")}
    ports = _collect_ports(named)
    known = _read_recipe(recipe) if recipe else {}
    record = _record_in(recipe) if recipe else {}
    if record:
        for port in sorted(known["ports"].keys() - ports):
            log(f"{recipe} was made with {port}={', '.join(map(str, _each(known['ports'][port])))}: reading that.")
    if text is not None:
        from artkit.chain import Chain

        known |= {"chain": Chain(text), "models": {}}
    elif record:
        known |= {"remembered": recipe, "steady": known.get("steady", 0.0)}
        if "inputs" not in given:
            known["inputs"] = _find_input(recipe, record)
            known["before"] = _find_before(recipe, record)
    given["ports"] = known.pop("ports", {}) | ports
    return Request(**{**known, **given})


def check_files(plan: Plan, request: Request) -> None:
    """Tell which files the chain in a picture's record reads; raise ChainError for one outside the picture's folder."""
    if request.remembered is None:
        return
    folder = Path(os.path.abspath(request.remembered)).parent
    named = [Path(file) for given in request.ports.values() for file in _each(given)]
    for file in plan.files():
        if file in named:
            continue
        if not Path(os.path.abspath(file)).is_relative_to(folder):
            raise ChainError(
                f"the chain in {request.remembered} names the file {file}, which is outside the picture's folder: type "
                f"the chain yourself, --chain {shlex.quote(str(request.chain))}"
            )
        log(f"the chain in {request.remembered} names {file}: reading that.")


def _without_scheme(value: Any) -> Any:
    """Return paths, or one, of which `file://` is left out."""
    return value.removeprefix("file://") if isinstance(value, str) else tuple(map(_without_scheme, value))


def _places(given: Mapping[str, Any]) -> list[str]:
    return [*given.get("inputs", ()), given.get("output", "")]


def _collect_ports(pairs: Iterable[tuple[str, str]]) -> dict[str, Fed]:
    """Return the files of `-i PORT=PATH`, or the words, by port: a list where a port is named more than once."""
    return {port: given if len(given) > 1 else given[0] for port, given in gather_assignments(pairs).items()}


def _each(given: Fed) -> Sequence[str | Path]:
    return [given] if isinstance(given, str | Path) else given


def _read_recipe(path: Path) -> dict[str, Any]:
    """Return the fields that a recipe sets."""
    from artkit.chain import read_recipe

    fields = vars(read_recipe(path))
    return {name: value for name, value in fields.items() if value is not None and name != "plugins"}


def _record_in(recipe: Path) -> dict[str, Any]:
    """Return the record of a recipe that is a picture, else nothing."""
    from artkit.images import read_provenance

    return read_provenance(recipe) or {}


def _find_input(recipe: Path, record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the input of the picture `recipe`, which is looked for beside it; nothing for a dream."""
    name, frame = record.get("input"), record.get("frame")
    if not isinstance(name, str):
        return ()
    if isinstance(frame, int):
        raise UsageError(
            f"{recipe} is frame {frame} of {name}: run the clip again, artkit run {name} --recipe {recipe}"
        )
    return (str(_find(recipe, name, record.get("input_hash"), f"give it: artkit run INPUT --recipe {recipe}")),)


def _find_before(recipe: Path, record: Mapping[str, Any]) -> tuple[Path, ...]:
    """Return the pictures before the input that `recipe` was made with, which are looked for beside it."""
    names, digests = record.get("before"), record.get("before_hashes")
    if not (isinstance(names, list) and isinstance(digests, list) and len(names) == len(digests)):
        return ()
    hint = "run the folder again"
    return tuple(_find(recipe, str(name), digest, hint) for name, digest in zip(names, digests, strict=True))


def _find(recipe: Path, name: str, digest: Any, hint: str) -> Path:
    """Return a picture that `recipe` was made from, beside it and of the same bytes, else raise UsageError."""
    from artkit.chain.recipe_file import find_beside

    found = find_beside(recipe, name)
    if not os.path.isfile(found) or found.samefile(recipe):
        raise UsageError(f"{recipe} was made from {name}, which is not beside it; {hint}")
    if digest and digest != digest_of(found):
        raise UsageError(f"{recipe} was made from {name}, but {found} is another picture of that name; {hint}")
    log(f"{recipe} was made from {found}: reading that.")
    return found
