"""spandrel's architectures as a method of artkit: networks that enlarge pictures or restore them, by their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from artkit import Kind, MethodSpec, Options, Port, hookimpl

if TYPE_CHECKING:
    from artkit import ModelHeader
    from artkit.spec import Checkpoint
    from torch import Tensor


SPEC = MethodSpec(
    name="spandrel",
    group="enlarge",
    summary="Enlarge or restore a picture with a network of any architecture that spandrel knows.",
    inputs=(Port("image", Kind.IMAGE, "a picture"),),
    output=Kind.IMAGE,
    options=Options,
    translator="artkit_spandrel.translator:Spandrel",
)


@hookimpl
def register_methods() -> list[MethodSpec]:
    """Register spandrel; its models are files that people bring."""
    return [SPEC]


@hookimpl
def import_checkpoint(checkpoint: Checkpoint, method: str | None) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Take single files whose tensors spandrel recognises."""
    if method not in (None, SPEC.name) or len(checkpoint.files) != 1:
        return None
    from artkit_spandrel.importing import import_file

    return import_file(checkpoint.files[0], asked=method == SPEC.name)
