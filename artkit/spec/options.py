"""Typed options: one declaration that the command line, recipes, Python and the docs derive from."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from artkit.errors import OptionError, nearest


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a method's options: typed fields with defaults, `option(...)` for ranges and descriptions.

    Write `class MyOptions(Options, frozen=True)`.
    """


@dataclass(frozen=True)
class OptionInfo:
    """One option as the docs and `artkit methods NAME` show it.

    `condition` is what its word is about, if named so; `sentence`: see `option`.
    """

    name: str
    type: str
    default: Any
    summary: str
    condition: str | None = None
    sentence: bool = False


def describe_options(options: type[Options]) -> list[OptionInfo]:
    """List the options of a declaration, in order, with type, default and summary."""
    hints = get_type_hints(options, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(options):
        hint = hints[field.name]
        metas = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
        summary = " ".join(meta.description for meta in metas if meta.description)
        extra = next((meta.extra for meta in metas if meta.extra), {})
        rows.append(
            OptionInfo(
                field.name,
                _type_name(hint),
                field.default,
                summary,
                condition=extra.get("condition"),
                sentence=extra.get("sentence", False),
            )
        )
    return rows


_PLAIN_TYPES: dict[Any, str] = {bool: "true or false", int: "whole number", float: "number", str: "text"}


def _type_name(hint: Any) -> str:
    """Return a type and its range in words: `number 0 to 1`, `draft, normal or best`, `2 whole numbers`."""
    if get_origin(hint) is Annotated:
        base, *metadata = get_args(hint)
        return " ".join(
            [_type_name(base), *(_range(meta) for meta in metadata if isinstance(meta, msgspec.Meta))]
        ).strip()
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(hint) if part is not NoneType)
    if get_origin(hint) is Literal:
        return _alternatives(get_args(hint))
    if get_origin(hint) is tuple:
        item, *others = get_args(hint)
        count = "list" if others == [Ellipsis] else f"list of {1 + len(others)}"
        return f"{count}: {_type_name(item)}"
    return _PLAIN_TYPES[hint] if hint in _PLAIN_TYPES else str(getattr(hint, "__name__", hint))


def _alternatives(words: tuple[Any, ...]) -> str:
    *first, last = map(str, words)
    return f"{', '.join(first)} or {last}" if first else last


def _range(meta: msgspec.Meta) -> str:
    if meta.ge is not None and meta.le is not None:
        return f"{meta.ge} to {meta.le}"
    bounds = {"from": meta.ge, "above": meta.gt, "up to": meta.le, "below": meta.lt}
    return " and ".join(f"{word} {bound}" for word, bound in bounds.items() if bound is not None)


def parse_options(options: type[Options], values: dict[str, Any], owner: str) -> Options:
    """Validate `values` against a declaration; text values are converted (`"0.5"` to `0.5`).

    Raises OptionError naming `owner` (a method or dataset), the option, and the nearest known name.
    """
    known = {field.name for field in msgspec.structs.fields(options)}
    for name in values:
        if name not in known:
            raise OptionError(f"{owner} has no option '{name}'.{nearest(name, known)}")
    try:
        return msgspec.convert(values, options, strict=False)
    except msgspec.ValidationError as error:
        path = str(error).partition(" - at `$.")[2]
        name = path.rstrip("`").split(".")[0].split("[")[0]
        raise OptionError(
            _complaint(options, name, values.get(name), owner) if name else f"{owner}: {error}."
        ) from None


def _complaint(options: type[Options], name: str, value: Any, owner: str) -> str:
    """Say which value will not do, and which would."""
    hint = get_type_hints(options, include_extras=True)[name]
    if words := _words(hint):
        return f"{owner}({name}={value!r}) is unknown.{nearest(str(value), words)}"
    return f"{owner}({name}={value!r}): expected {_type_name(hint)}."


def _words(hint: Any) -> list[str]:
    """Return the words that a type allows: those of its `Literal`, alone or beside None."""
    if get_origin(hint) is Literal:
        return [word for word in get_args(hint) if isinstance(word, str)]
    return [word for part in get_args(hint) for word in _words(part)]


def option(summary: str, *, condition: str | None = None, sentence: bool = False, **limits: Any) -> msgspec.Meta:
    """Shorthand for `msgspec.Meta(description=summary, ge=..., le=...)` inside `Annotated[...]`.

    `condition`: the model's condition that the option is a word of, where it has another name. `sentence`: the text is
    words in a natural language, and never names a file, whatever stands in it.
    """
    extra = {name: value for name, value in (("condition", condition), ("sentence", sentence)) if value}
    return msgspec.Meta(description=summary, extra=extra or None, **limits)
