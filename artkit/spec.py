"""What a method says about itself: import-light, frozen, the one source of CLI, recipes, Python and docs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from artkit.errors import OptionError, nearest

API_VERSION = 1


class Kind(StrEnum):
    """What travels through a port.

    `image`: float tensor N3HW, sRGB-encoded, [0, 1]. `labels`: integer tensor NHW with its class set.
    `mask`: float tensor N1HW in [0, 1]. `text`: a string. `picture`: an image, labels or a mask, as it comes; for
    steps that move pixels and change none. Their output is what came in, and alpha goes through them as a mask.
    """

    IMAGE = "image"
    LABELS = "labels"
    MASK = "mask"
    TEXT = "text"
    PICTURE = "picture"


class Need(StrEnum):
    """What a method's training needs of a data set.

    `pictures`: pictures, at least. `pairs`: a picture or label map, and the picture that belongs to it. `labels`: label
    maps. `domains`: two columns of pictures, partners or not. `classes`: pictures with a text column of few values, a
    style say. `captions`: pictures with words. `frames`: pictures and the ones that follow.
    """

    PICTURES = "pictures"
    PAIRS = "pairs"
    LABELS = "labels"
    DOMAINS = "domains"
    CLASSES = "classes"
    CAPTIONS = "captions"
    FRAMES = "frames"


@dataclass(frozen=True)
class Port:
    """A named input of a step. The first port of a method is its main one: the previous step feeds it.

    `original`: the chain's own input feeds it when nothing else does. `any_size`: its picture keeps its size; those of
    other ports are resized to the main port's.

    An option may have the name of an optional port: `nst(style=glass)` sets the option, a picture feeds the port.
    """

    name: str
    kind: Kind
    summary: str = ""
    required: bool = True
    original: bool = False
    any_size: bool = False


@dataclass(frozen=True)
class SizeRule:
    """Sizes a network takes, in pixels: sides that are multiples of `multiple` and at least `minimum`.

    `margin` pixels of mirrored picture are put around it and cut off again, for networks that are unsure at borders.
    """

    multiple: int = 1
    minimum: int = 1
    margin: int = 0

    def padded(self, side: int) -> int:
        """Return the smallest allowed side that holds `side` pixels and a margin at both ends."""
        side = max(side + 2 * self.margin, self.minimum)
        return -(-side // self.multiple) * self.multiple


class Tiling(StrEnum):
    """Whether large pictures are computed in tiles.

    `none`: the picture is computed as a whole. `exact`: in tiles where memory is short, with the result of the whole.
    """

    NONE = "none"
    EXACT = "exact"


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a method's options: typed fields with defaults, `option(...)` for ranges and descriptions.

    Write `class MyOptions(Options, frozen=True)`.
    """


@dataclass(frozen=True)
class MethodSpec:
    """A method as its plugin registers it.

    `translator` and `trainer` are `"package.module:Class"` strings, imported on first use. `inputs` are in order, the
    main port first; a method whose ports are all optional may start a chain. `default_model` names the registered
    model used when a step says no `model=`; a method with `default_model=None` and `needs_model=False` has no weights.
    `tiling` promises what its networks do, see `artkit.nn.in_tiles`. `trains_on` says what data will do for
    training, any one of several; `artkit data check` asks it.
    """

    name: str
    summary: str
    inputs: tuple[Port, ...]
    output: Kind
    translator: str
    options: type[Options] = Options
    trainer: str | None = None
    training_options: type[Options] = Options
    trains_on: tuple[Need, ...] = (Need.PICTURES,)
    needs_model: bool = True
    default_model: str | None = None
    size: SizeRule = SizeRule()
    tiling: Tiling = Tiling.NONE
    api: int = API_VERSION

    @property
    def has_models(self) -> bool:
        """True when a step may say `model=`: the method cannot do without, or has one to begin with."""
        return self.needs_model or self.default_model is not None

    @property
    def is_source(self) -> bool:
        """True when the method can start a chain: it runs with no input at all."""
        return not any(port.required for port in self.inputs)

    def port(self, name: str) -> Port | None:
        """Return the port called `name`, if there is one."""
        return next((port for port in self.inputs if port.name == name), None)


@dataclass(frozen=True)
class ModelSpec:
    """A model that a plugin offers, packaged or to be pulled.

    `file` is `"package:relative/path.safetensors"` for weights inside a plugin's package. A model with a `url` instead
    is in the catalogue: `artkit models pull NAME` downloads it, be it a model file of artkit's or a checkpoint that
    some method's `import_checkpoint` reads. `size` is about what the download weighs, in bytes: far more than that is
    not fetched. `sha256` is the download's, in hex digits, where it is known. `trained_on` says with which data it
    was made, and which way round.
    """

    name: str
    method: str
    summary: str
    file: str | None = None
    url: str | None = None
    sha256: str | None = None
    licence: str = ""
    source: str = ""
    size: int | None = None
    trained_on: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset that a plugin makes, or a layout of folders that it recognises.

    `factory` is `"package.module:function"`, called as `factory(options, split)` for a Dataset made as it is asked for.
    `writer`, where there is one, is called as `writer(directory, options, jobs, progress)` and writes it to a folder;
    `progress()` is to be called after each sample. `layout`, called as `layout(place)` with the `artkit.data.Place` of
    a folder's pictures, returns an `artkit.data.Table` when it knows that layout, else None; it is asked before core's.
    """

    name: str
    summary: str
    factory: str | None = None
    writer: str | None = None
    options: type[Options] = Options
    layout: str | None = None


@dataclass(frozen=True)
class MetricSpec:
    """A score with a stated protocol.

    `function` is `"package.module:function"`, called as `function(outputs, targets)`; `better` is `"lower"` or
    `"higher"`; `kind` is what it compares.
    """

    name: str
    summary: str
    function: str
    better: str = "lower"
    kind: Kind = Kind.IMAGE


@dataclass(frozen=True)
class OptionInfo:
    """One option as the docs and `artkit methods NAME` show it."""

    name: str
    type: str
    default: Any
    summary: str


def describe_options(options: type[Options]) -> list[OptionInfo]:
    """List the options of a declaration, in order, with type, default and summary."""
    hints = get_type_hints(options, include_extras=True)
    rows = []
    for field in msgspec.structs.fields(options):
        hint = hints[field.name]
        summary = " ".join(
            meta.description
            for meta in getattr(hint, "__metadata__", ())
            if isinstance(meta, msgspec.Meta) and meta.description
        )
        rows.append(OptionInfo(field.name, _type_name(hint), field.default, summary))
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


def option(summary: str, **limits: Any) -> msgspec.Meta:
    """Shorthand for `msgspec.Meta(description=summary, ge=..., le=...)` inside `Annotated[...]`."""
    return msgspec.Meta(description=summary, **limits)


__all__ = [
    "API_VERSION",
    "Annotated",
    "DatasetSpec",
    "Kind",
    "MethodSpec",
    "MetricSpec",
    "ModelSpec",
    "Need",
    "OptionInfo",
    "Options",
    "Port",
    "SizeRule",
    "Tiling",
    "describe_options",
    "option",
    "parse_options",
]
