"""Make a model of a file that spandrel recognises."""

from __future__ import annotations

from artkit import Kind, ModelError, ModelHeader
from artkit.spec import ForeignFile
from torch import Tensor

from artkit_spandrel import SPEC
from artkit_spandrel.networks import describe, recognise

PURPOSES = {"SR": "enlarges {} times", "FaceSR": "enlarges faces {} times", "Restoration": "restores pictures"}


def import_file(file: ForeignFile, *, asked: bool) -> tuple[ModelHeader, dict[str, Tensor]] | None:
    """Return header and tensors of a network; None for a file that is none, or, unless `asked` for, not usable here.

    Raises ModelError for a file that was to be spandrel's and is not.
    """
    try:
        found = recognise(file.tensors)
        if found is None:
            return None
        arguments = describe(found, file.tensors)
        if arguments.build().model.state_dict().keys() != found.model.state_dict().keys():
            raise ModelError(f"it is a {found.architecture.name} network whose form lies in its numbers")
    except ModelError as error:
        if not asked:
            return None
        raise ModelError(f"{file.path} is not for spandrel: {str(error).rstrip('.')}.") from None
    header = ModelHeader(
        method=SPEC.name,
        summary=f"a {found.architecture.name} network that {PURPOSES[found.purpose].format(found.scale)}",
        architecture=str(found.architecture.id),
        arguments=arguments.record(),
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        value_range=(0.0, 1.0),
        size_multiple=found.size_requirements.multiple_of,
        size_minimum=max(1, found.size_requirements.minimum),
    )
    return header, {f"network.{name}": tensor for name, tensor in found.model.state_dict().items()}
