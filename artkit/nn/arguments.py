"""Typed arguments of networks: what a model's header records, checked before anything is built. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import msgspec

from artkit.errors import ModelError
from artkit.spec import ModelHeader, Options, SizeRule

if TYPE_CHECKING:
    from torch import nn

Channels = Annotated[int, msgspec.Meta(ge=1, le=1024)]
"""Channels of a network's input or output."""
Filters = Annotated[int, msgspec.Meta(ge=1, le=1024)]
"""Filters of a level: what a network's width counts."""
Blocks = Annotated[int, msgspec.Meta(ge=1, le=64)]
"""Residual blocks of a trunk."""


class Arguments(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model's header records in `arguments`: fields with types and ranges, none besides.

    Write `class MyArguments(Arguments, frozen=True, kw_only=True)`. Give every number a range: a header may come from
    anybody, and what passes here is built.
    """

    def record(self) -> dict[str, Any]:
        """Return the fields as a header's `arguments` hold them."""
        recorded: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self))
        return recorded


class NetworkArguments(Arguments, frozen=True, kw_only=True, tag_field="network"):
    """The arguments of one network; a `tag` tells networks apart where a header may hold either."""

    @property
    def architecture(self) -> str:
        """The network's name, as a header's `architecture` has it."""
        return str(self.__struct_config__.tag)

    @property
    def size_rule(self) -> SizeRule:
        """The sizes of pictures that the network takes."""
        return SizeRule()

    def build(self) -> nn.Module:
        """Make the network, with weights drawn at random."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """Return the fields by name, as the network's constructor takes them."""
        return msgspec.structs.asdict(self)


A = TypeVar("A", bound=Arguments)


def read_arguments(header: ModelHeader, kind: type[A]) -> A:
    """Return the arguments that a model's header records, as `kind`.

    Raises ModelError that says which one is wrong, and of which model.
    """
    try:
        return msgspec.convert(header.arguments, kind)
    except msgspec.ValidationError as error:
        name = f" '{header.name}'" if header.name else ""
        raise ModelError(
            f"the header of this {header.method} model{name} describes no networks that artkit builds ({error}): "
            "export it, or pull it, again."
        ) from None


def options_of_arguments(arguments: NetworkArguments, options: type[Options]) -> dict[str, Any]:
    """Return the training options that bear the names of a network's arguments, for a run that starts from a model.

    Its architecture is the option `network`.
    """
    known = {field.name for field in msgspec.structs.fields(options)}
    given = {"network": arguments.architecture, **arguments.values()}
    return {name: value for name, value in given.items() if name in known}
