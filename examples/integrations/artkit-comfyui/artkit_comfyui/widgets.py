"""Widgets of ComfyUI for the options of a method, and the values that come back from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from artkit import MethodSpec

Widget = tuple[Any, dict[str, Any]]
LARGEST = 2**31 - 1  # where an option has no end: widgets of numbers need one
NUMBERS = {int: "INT", float: "FLOAT"}


def widgets(spec: MethodSpec) -> dict[str, Widget]:
    """Return the widgets of a method's options, by name, in order."""
    return {name: _widget(hint, default) for name, hint, default in _options(spec)}


def values(spec: MethodSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that widgets were set to, without those left as they are: the method knows its defaults."""
    found = {}
    for name, hint, default in _options(spec):
        value = given.get(name, default)
        if isinstance(value, str) and _as_text(default) == value:
            continue
        if isinstance(value, str) and get_origin(_plain(hint)[0]) is tuple:
            value = [part.strip() for part in value.split(",") if part.strip()]
        if value != default:
            found[name] = value
    return found


def _options(spec: MethodSpec) -> Iterator[tuple[str, Any, Any]]:
    hints = get_type_hints(spec.options, include_extras=True)
    for field in msgspec.structs.fields(spec.options):
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        yield field.name, hints[field.name], default


def _widget(hint: Any, default: Any) -> Widget:
    """Return a widget's type and settings; text for what may be left out, or is a list or a chain."""
    kind, limits, nullable = _plain(hint)
    told = {"tooltip": limits.pop("summary", "")}
    if not nullable and get_origin(kind) is Literal:
        return list(get_args(kind)), {"default": default, **told}
    if not nullable and kind is bool:
        return "BOOLEAN", {"default": default, **told}
    if not nullable and kind in NUMBERS:
        step = {"step": 1 if kind is int else 0.01}
        return NUMBERS[kind], {"default": default, "min": -LARGEST, "max": LARGEST, **limits, **step, **told}
    return "STRING", {"default": _as_text(default), **told}


def _as_text(value: Any) -> str:
    """Return a default as text shows it: nothing for none, parts with commas between."""
    if value is None:
        return ""
    return ", ".join(map(str, value)) if isinstance(value, tuple | list) else str(value)


def _plain(hint: Any) -> tuple[Any, dict[str, Any], bool]:
    """Return a type without its annotations, its limits and summary, and whether it may be None."""
    limits: dict[str, Any] = {}
    nullable = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *metas = get_args(hint)
            for meta in metas:
                limits |= _limits(meta)
        elif get_origin(hint) in (Union, UnionType):
            parts = [part for part in get_args(hint) if part is not type(None)]
            if len(parts) > 1 or len(parts) == len(get_args(hint)):
                return str, limits, True
            (hint,), nullable = parts, True
        else:
            return hint, limits, nullable


def _limits(meta: Any) -> dict[str, Any]:
    if not isinstance(meta, msgspec.Meta):
        return {}
    low, high = (one if one is not None else other for one, other in ((meta.ge, meta.gt), (meta.le, meta.lt)))
    found = {"min": low, "max": high, "summary": meta.description}
    return {name: value for name, value in found.items() if value is not None}
