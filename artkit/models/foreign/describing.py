"""The header of a model made from one recognised generator: what goes in, what comes out, which sizes."""

from __future__ import annotations

from typing import Any

from artkit.errors import ModelError
from artkit.spec import ForeignFile, Hints, Kind, ModelHeader

SHOWN = (1, 3)  # channels of pictures: grey, colour


def generator_header(method: str, file: ForeignFile, hints: Hints) -> ModelHeader:
    """Return the header of a model of `method` whose generator is the recognised network in `file`.

    The network takes colour pictures (3 channels), grey ones (1), or label maps one class a channel, which
    `hints.classes` must name; it gives colour or grey ones. Raises ModelError for other channels.
    """
    generator = file.recognised
    assert generator is not None
    arguments, classes = generator.arguments, hints.classes
    labelled = classes is not None and arguments["in_channels"] == len(classes) and len(classes) not in SHOWN
    if not labelled and arguments["in_channels"] not in SHOWN:
        raise ModelError(_without_classes(file, arguments, hints))
    if arguments["out_channels"] not in SHOWN:
        raise ModelError(
            f"{file.path} is {generator.words}: it gives {arguments['out_channels']} channels; a picture has 1 or 3."
        )
    multiple = _multiple(generator.network)
    return ModelHeader(
        method=method,
        architecture=generator.network,
        arguments=arguments,
        inputs={"image": Kind.LABELS if labelled else Kind.IMAGE},
        output=Kind.IMAGE,
        classes=classes,
        size_multiple=multiple,
        size_minimum=max(multiple, 8),
    )


def _multiple(network: str) -> int:
    """Return what sides must be multiples of: two halvings in a ResNet, down to one pixel in a U-Net."""
    family, _, number = network.partition("_")
    return 4 if family == "resnet" else int(number)


def _without_classes(file: ForeignFile, arguments: dict[str, Any], hints: Hints) -> str:
    channels = arguments["in_channels"]
    named = f"; --classes names {len(hints.classes)}" if hints.classes else ""
    return (
        f"{file.path} takes {channels} channels, so label maps of {channels} classes, one a channel{named}: "
        f"artkit models import {file.path} --classes classes.txt, with {channels} lines `index name R G B`."
    )
