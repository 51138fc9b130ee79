"""The header of a model made from one recognised generator: what goes in, what comes out, which sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from artkit.errors import ModelError
from artkit.spec import ForeignFile, Hints, Kind, ModelHeader, Recognised

if TYPE_CHECKING:
    from artkit.nn import GeneratorArguments

SHOWN = (1, 3)  # channels of pictures: grey, colour


def generator_header(method: str, file: ForeignFile, hints: Hints) -> ModelHeader:
    """Return the header of a model of `method` whose generator is the recognised network in `file`.

    The network takes colour pictures (3 channels), grey ones (1), or label maps one class a channel, which
    `hints.classes` must name; it gives colour or grey ones. The header's `arguments` hold its own as `generator`.
    Raises ModelError for other channels.
    """
    generator = file.recognised
    assert generator is not None
    arguments, classes = recognised_arguments(generator), hints.classes
    labelled = classes is not None and arguments.in_channels == len(classes) and len(classes) not in SHOWN
    if not labelled and arguments.in_channels not in SHOWN:
        raise ModelError(_unnamed_classes(file, arguments.in_channels, hints))
    if arguments.out_channels not in SHOWN:
        raise ModelError(
            f"{file.path} is {generator.words}: it gives {arguments.out_channels} channels; a picture has 1 or 3."
        )
    rule = arguments.size_rule
    return ModelHeader(
        method=method,
        architecture=arguments.architecture,
        arguments={"generator": arguments.record()},
        inputs={"image": Kind.LABELS if labelled else Kind.IMAGE},
        output=Kind.IMAGE,
        classes=classes,
        size_multiple=rule.multiple,
        size_minimum=rule.minimum,
    )


def recognised_arguments(network: Recognised) -> GeneratorArguments:
    """Return a recognised generator's typed arguments. Raises ModelError for sizes out of all bounds."""
    from artkit.nn import GeneratorArguments

    tag = network.network.partition("_")[0]
    try:
        arguments: GeneratorArguments = msgspec.convert({"network": tag, **network.arguments}, GeneratorArguments)
        return arguments
    except msgspec.ValidationError as error:
        raise ModelError(f"{network.words} is no network that artkit builds: {error}.") from None


def _unnamed_classes(file: ForeignFile, channels: int, hints: Hints) -> str:
    named = f"; --classes names {len(hints.classes)}" if hints.classes else ""
    return (
        f"{file.path} takes {channels} channels, so label maps of {channels} classes, one a channel{named}: "
        f"artkit models import {file.path} --classes classes.txt, with {channels} lines `index name R G B`."
    )
