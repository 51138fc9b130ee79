"""The recipe file: a chain with its seed, size and ports as TOML, or inside a PNG that artkit wrote; as plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from artkit.errors import ChainError, nearest
from artkit.files import open_regular
from artkit.seeds import MAX_COUNT
from artkit.spec.calls import Call, parse_calls

MAX_BYTES = 1 << 20
"""Size of a recipe file; larger ones are refused unread."""

_MAX_NAME = 1_000
"""Characters of a file's name inside a PNG."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PositiveInt = Annotated[int, msgspec.Meta(ge=1)]


class RecipeFields(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a recipe and their types; `size` is (width, height) in pixels.

    `models` and `plugins` say with what it was made: hashes by `method/name`, versions by name.
    """

    chain: str | None = None
    steps: list[dict[str, Any]] | None = None
    seed: Annotated[int, msgspec.Meta(ge=0)] | None = None
    size: tuple[_PositiveInt, _PositiveInt] | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=MAX_COUNT)] | None = None
    steady: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    ports: dict[str, str | list[str]] = {}
    models: dict[str, str] = {}
    plugins: dict[str, str] = {}


def read_recipe_file(path: str | Path) -> RecipeFields:
    """Read a TOML recipe, or the recipe inside a PNG written by artkit. Raises ChainError naming the file.

    Paths of ports come back as they are to be opened: relative to the file. A PNG may name files in its own folder
    only (see `find_beside`).
    """
    path = Path(path)
    data = _read_bytes(path)
    if data.startswith(_PNG_SIGNATURE):
        fields = _convert(_remembered(path), path)
        _check_texts(path, fields.steps if fields.chain is None else _values_in(fields.chain))
        ports = _placed(fields.ports, lambda port: find_beside(path, port))
        return msgspec.structs.replace(fields, ports=ports)
    found = _parse_toml(data, path)
    for name in found:
        if name not in RecipeFields.__struct_fields__:
            raise ChainError(f"{path}: a recipe has no '{name}'.{nearest(name, RecipeFields.__struct_fields__)}")
    fields = _convert(found, path)
    ports = _placed(fields.ports, lambda port: path.parent / port)
    return msgspec.structs.replace(fields, ports=ports)


def _placed(ports: Mapping[str, str | list[str]], place: Callable[[str], Path]) -> dict[str, str | list[str]]:
    """Return the files of ports as `place` finds them; a port that takes many pictures has a list."""
    return {
        name: [str(place(one)) for one in given] if isinstance(given, list) else str(place(given))
        for name, given in ports.items()
    }


def find_beside(picture: Path, name: str) -> Path:
    """Return the path of the file that the record inside `picture` names: in its folder, or below.

    The record of a picture may be a stranger's, and is not to have other files of this machine read. Raises ChainError
    for a name that leads elsewhere.
    """
    if len(name) > _MAX_NAME:
        raise ChainError(f"{picture} names a file with a name of {len(name)} characters, which no file has.")
    _check_name(picture, name)
    return picture.parent / name


def _check_name(picture: Path, name: str) -> None:
    if name.startswith(("/", "\\", "~")) or Path(name).is_absolute() or ".." in re.split(r"[/\\]", name):
        raise ChainError(
            f"{picture} names the file {name}, which is outside the picture's folder: artkit reads no other files on a "
            "picture's word. Say yourself what to do: artkit run INPUT --chain TEXT -i PORT=PATH."
        )


def _values_in(chain: str) -> list[Any]:
    """Return what the options of a chain's text are set to; nothing of a text that is no chain, which shows later."""
    try:
        calls = parse_calls(chain)
    except ChainError:
        return []
    return [call.options for call in calls]


def _check_texts(picture: Path, value: Any) -> None:
    """Check every text in options as the name of a file, which a port's or a model's would be."""
    if isinstance(value, str):
        _check_name(picture, value)
    elif isinstance(value, Call):
        _check_texts(picture, value.options)
    elif isinstance(value, Mapping):
        _check_texts(picture, list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            _check_texts(picture, item)


def dump_toml(fields: RecipeFields) -> str:
    """Return a recipe as TOML text that `read_recipe_file` reads back; what is None is left out."""
    lines = [f"chain = {_quote(fields.chain or '')}"]
    lines += [f"{name} = {value}" for name in ("seed", "count") if (value := getattr(fields, name)) is not None]
    if fields.size is not None:
        lines.append(f"size = [{fields.size[0]}, {fields.size[1]}]")
    if fields.ports:
        lines += ["", "[ports]", *(f"{name} = {_listed(paths)}" for name, paths in fields.ports.items())]
    for table in ("models", "plugins"):
        if told := getattr(fields, table):
            lines += ["", f"[{table}]", *(f"{_quote(name)} = {_quote(value)}" for name, value in told.items())]
    return "\n".join(lines) + "\n"


def _read_bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ChainError(f"The recipe {path} cannot be read: {error.strerror}.") from None
    except ValueError:  # a NUL in the name
        raise ChainError(f"The recipe {str(path)!r} cannot be read: that is no file name.") from None
    if len(data) > MAX_BYTES and not data.startswith(_PNG_SIGNATURE):
        raise ChainError(f"The recipe {path} is larger than {MAX_BYTES} bytes.")
    return data


def _remembered(path: Path) -> Mapping[str, Any]:
    from artkit.images.provenance import read_provenance

    found = read_provenance(path)
    if found is None:
        raise ChainError(f"{path} carries no recipe: only PNGs that artkit wrote do.")
    told = {name: _texts(found.get(name)) for name in ("models", "plugins")}
    return {name: value for name, value in found.items() if value is not None} | told


def _texts(value: Any) -> dict[str, str]:
    """Return what is text in a table that a picture's record should be, and nothing of another thing."""
    return {name: text for name, text in value.items() if isinstance(text, str)} if isinstance(value, dict) else {}


def _parse_toml(data: bytes, path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(data.decode())
    except UnicodeDecodeError:
        raise ChainError(f"{path} is neither a TOML recipe nor a PNG written by artkit.") from None
    except (ValueError, RecursionError) as error:
        raise ChainError(f"The recipe {path} is not valid TOML: {str(error) or 'nested too deeply'}.") from None


def _convert(data: Mapping[str, Any], path: Path) -> RecipeFields:
    try:
        return msgspec.convert(data, RecipeFields)
    except msgspec.ValidationError as error:
        raise ChainError(f"{path}: {str(error)[0].lower()}{str(error)[1:]}.") from None


def _listed(paths: str | list[str]) -> str:
    return _quote(paths) if isinstance(paths, str) else f"[{', '.join(map(_quote, paths))}]"


def _quote(text: str) -> str:
    """Return a TOML basic string: JSON's escapes, and DEL, which JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
