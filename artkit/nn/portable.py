"""What a method says of its network so that other programs can run it: a graph, what goes in and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from artkit.nn.strokes import LAYERS, Layer
from artkit.spec import ClassSet


@dataclass(frozen=True)
class PortableField:
    """A tensor that goes into a graph or comes out of it.

    `kind`: `image`, `labels`, `strokes`, `noise`, `condition` or `words`. `axes`: the length of each axis, or the name
    of one of any length; `height` and `width` keep to the method's size rule. `meaning`: a sentence for people. `more`:
    what a program needs to fill it, as JSON.
    """

    name: str
    kind: str
    axes: tuple[str | int, ...]
    meaning: str
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Portable:
    """A network that other programs can run.

    `network` takes the tensors of `inputs` in order, for one picture, and returns `output`. `feed(context, **ports)`
    returns those tensors as the translator makes them of its ports. `finish(output, context)` makes of the output what
    the translator returns; the same tensor as a rule.
    """

    network: nn.Module
    inputs: tuple[PortableField, ...]
    output: PortableField
    feed: Callable[..., tuple[Tensor, ...]]
    finish: Callable[[Tensor, Any], Tensor] = lambda output, context: output

    def __post_init__(self) -> None:
        self.network.eval()  # else exporters would leave the networks in it as they found their frame: learning


IMAGE_FIELD = PortableField("image", "image", (1, 3, "height", "width"), "the picture: RGB, sRGB-encoded, from 0 to 1")
RESULT_FIELD = PortableField(
    "result", "image", (1, 3, "height", "width"), "the result: RGB, sRGB-encoded, from 0 to 1 once clipped"
)


def strokes_field(layers: tuple[Layer, ...] = LAYERS, *, centres: bool = False) -> PortableField:
    """Return the field of brush strokes that `artkit.nn.stroke_noise` lays, and what is needed to lay others."""
    count = len(layers)
    told = (
        f"brush strokes in {count} layers, large ones first: for each the value and the hue of the stroke on top, "
        "from -1 to 1, and the height of its paint, from -1 to 1; then cosine and sine of twice the angle along which "
        "strokes run, clockwise from the x axis"
    )
    if centres:
        told += "; then for each layer how many pixels down and right of a pixel the centre of its stroke lies"
    channels = 3 * count + 2 + 2 * count * centres
    more = {"layers": [asdict(layer) for layer in layers], "centres": centres}
    return PortableField("strokes", "strokes", (1, channels, "height", "width"), told, more)


def labels_field(classes: ClassSet) -> PortableField:
    """Return a label map that goes in, with the classes that its numbers mean."""
    return PortableField("labels", "labels", (1, "height", "width"), CLASS_OF_PIXEL, {"classes": _table(classes)})


def classes_field(classes: ClassSet) -> PortableField:
    """Return a label map that comes out."""
    return PortableField("result", "labels", (1, "height", "width"), CLASS_OF_PIXEL, {"classes": _table(classes)})


CLASS_OF_PIXEL = "the label map: the index of each pixel's class, as int64; the graph makes it one-hot"


def _table(classes: ClassSet) -> list[dict[str, Any]]:
    return [{"name": one.name, "colour": list(one.colour)} for one in classes.classes]


def class_planes(labels: Tensor, count: int) -> Tensor:
    """Return labels N H W one-hot, N `count` H W, in float32: compared, since graphs scatter in no uniform way."""
    known = torch.arange(count, device=labels.device)[:, None, None]
    return (labels.clamp(0, count - 1)[:, None] == known).float()


def height_planes(x: Tensor, margin: int) -> Tensor:
    """Return `artkit.nn.heights` of each picture of N C H W, whatever its size: a graph's sizes are not known."""
    rows = x.shape[-2]
    place = (torch.arange(rows, device=x.device) - margin + 0.5) / (rows - 2 * margin) * 2 - 1
    return place.clamp(-1, 1)[None, None, :, None].expand(x.shape[0], 1, rows, x.shape[-1])


def condition_field(known: Mapping[str, Sequence[str]], defaults: Mapping[str, str]) -> PortableField:
    """Return the words of a conditional network, one-hot in a row, and which of each kind stand where nothing is said.

    These are the first of their kind where `defaults` has none.
    """
    words = [word for group in known.values() for word in group]
    told = f"which words steer it, 1 for each that does: one of each of {', '.join(known)}"
    groups = {name: list(group) for name, group in known.items()}
    unsaid = {name: defaults.get(name, group[0]) for name, group in known.items()}
    return PortableField("condition", "condition", (1, len(words)), told, {"words": groups, "defaults": unsaid})
