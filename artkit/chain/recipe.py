"""Recipes: a chain with its seed, size and ports as a TOML file, or inside a PNG that artkit wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec

from artkit.chain.steps import Chain, Step
from artkit.errors import ChainError, nearest

MAX_BYTES = 1 << 20
"""Size of a recipe file; larger ones are refused unread."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True)
class Recipe:
    """A chain and what it is run with; None where the recipe does not say. `size` is (width, height) in pixels."""

    chain: Chain
    seed: int | None = None
    size: tuple[int, int] | None = None
    count: int | None = None
    ports: dict[str, Path] = field(default_factory=dict)

    def to_toml(self) -> str:
        """Return the recipe as TOML text that `read_recipe` reads back."""
        lines = [f"chain = {_quote(str(self.chain))}"]
        if self.seed is not None:
            lines.append(f"seed = {self.seed}")
        if self.size is not None:
            lines.append(f"size = [{self.size[0]}, {self.size[1]}]")
        if self.count is not None:
            lines.append(f"count = {self.count}")
        if self.ports:
            lines += ["", "[ports]", *(f"{name} = {_quote(str(path))}" for name, path in self.ports.items())]
        return "\n".join(lines) + "\n"


_PositiveInt = Annotated[int, msgspec.Meta(ge=1)]


class _Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a recipe and their types."""

    chain: str | None = None
    steps: list[dict[str, Any]] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    size: tuple[_PositiveInt, _PositiveInt] | None = None
    count: _PositiveInt | None = None
    ports: dict[str, str] = {}


def read_recipe(path: str | Path) -> Recipe:
    """Read a TOML recipe, or the recipe inside a PNG written by artkit.

    The paths under `[ports]` are relative to the TOML file. Raises ChainError naming the file and what to change.
    """
    path = Path(path)
    data = _read_bytes(path)
    if data.startswith(_PNG_SIGNATURE):
        return _recipe(_remembered(path), str(path), Path())
    fields = _parse_toml(data, path)
    for name in fields:
        if name not in _Fields.__struct_fields__:
            raise ChainError(f"{path}: a recipe has no '{name}'.{nearest(name, _Fields.__struct_fields__)}")
    return _recipe(fields, str(path), path.parent)


def _read_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ChainError(f"The recipe {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_BYTES and not data.startswith(_PNG_SIGNATURE):
        raise ChainError(f"The recipe {path} is larger than {MAX_BYTES} bytes.")
    return data


def _remembered(path: Path) -> Mapping[str, Any]:
    from artkit.images.provenance import read_provenance

    found = read_provenance(path)
    if found is None:
        raise ChainError(f"{path} carries no recipe: only PNGs that artkit wrote do.")
    return {name: value for name, value in found.items() if value is not None}


def _parse_toml(data: bytes, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ChainError(f"{path} is neither a TOML recipe nor a PNG written by artkit.") from None
    except (ValueError, RecursionError) as error:
        raise ChainError(f"The recipe {path} is not valid TOML: {str(error) or 'nested too deeply'}.") from None


def _recipe(data: Mapping[str, Any], where: str, folder: Path) -> Recipe:
    try:
        fields = msgspec.convert(data, _Fields)
    except msgspec.ValidationError as error:
        raise ChainError(f"{where}: {str(error)[0].lower()}{str(error)[1:]}.") from None
    if (fields.chain is None) == (fields.steps is None):
        raise ChainError(f'{where}: a recipe has one of: chain = "semgan,pix2pix", or [[steps]] tables.')
    ports = {name: folder / path for name, path in fields.ports.items()}
    try:
        steps = [_step(table) for table in fields.steps or ()]
        chain = Chain(steps if fields.chain is None else fields.chain)
    except ChainError as error:
        raise ChainError(f"{where}: {error}") from None
    return Recipe(chain, fields.seed, fields.size, fields.count, ports)


def _step(table: Mapping[str, Any]) -> Step:
    """Build a step from a table: `method`, and its options; a list of such tables is a chain inside a port."""
    if not isinstance(table.get("method"), str):
        raise ChainError('each step names its method: method = "pix2pix".')
    options = {name: _option(value) for name, value in table.items() if name != "method"}
    return Step(table["method"], options)


def _option(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return Chain([_step(table) for table in value])
    return value


def _quote(text: str) -> str:
    """Return a TOML basic string: JSON's escapes, and DEL, which JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
