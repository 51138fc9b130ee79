"""Options as forms: what a method's declaration says of each, in the words of JSON."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from artkit.spec import MethodSpec, describe_options
from artkit.studio.answers import OptionForm

Type = Literal["integer", "number", "boolean", "choice", "text", "list"]
_PLAIN: dict[Any, Type] = {bool: "boolean", int: "integer", float: "number", str: "text"}


def option_forms(spec: MethodSpec) -> list[OptionForm]:
    """Return a method's options, in order, as forms show them."""
    hints = get_type_hints(spec.options, include_extras=True)
    return [
        OptionForm(
            name=info.name,
            default=msgspec.to_builtins(info.default),
            words=info.type,
            summary=info.summary,
            condition=info.condition,
            **_typed(hints[info.name]),
        )
        for info in describe_options(spec.options)
    ]


def _typed(hint: Any) -> dict[str, Any]:
    """Return type, range and choices of a type hint; what can be one thing or another is text."""
    bounds, parts, nullable = _parts(hint)
    choices = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    kind: Type = "text"
    if choices and len(parts) == 1:
        kind = "choice"
    elif len(parts) == 1:
        kind = "list" if get_origin(parts[0]) in (tuple, list) else _PLAIN.get(parts[0], "text")
    low = next((limit for meta in bounds for limit in (meta.ge, meta.gt) if limit is not None), None)
    high = next((limit for meta in bounds for limit in (meta.le, meta.lt) if limit is not None), None)
    return {
        "type": kind,
        "minimum": low,
        "maximum": high,
        "choices": choices or None,
        "nullable": nullable,
    }


def _parts(hint: Any) -> tuple[list[msgspec.Meta], list[Any], bool]:
    """Return what bounds a type, the types it may be, without None, and whether it may be None."""
    if get_origin(hint) is Annotated:
        inner, *metadata = get_args(hint)
        bounds, parts, nullable = _parts(inner)
        return [*(meta for meta in metadata if isinstance(meta, msgspec.Meta)), *bounds], parts, nullable
    if get_origin(hint) not in (Union, UnionType):
        return [], [] if hint is NoneType else [hint], hint is NoneType
    found = [_parts(part) for part in get_args(hint)]
    bounds = [meta for metas, _, _ in found for meta in metas]
    return bounds, [part for _, parts, _ in found for part in parts], any(nullable for _, _, nullable in found)
