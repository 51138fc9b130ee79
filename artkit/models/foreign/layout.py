"""What a layout is: which tensors a network of another project has, and what artkit calls them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from artkit.spec.checkpoint import Role

Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Arguments = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """One tensor: its name over there, its name in artkit's network, its shape. `optional` ones came later."""

    theirs: str
    ours: str
    shape: Shape
    optional: bool = False


class Layout(ABC):
    """A family of networks. `guess` reads a file's names and shapes; `entries` says what must be there."""

    role: Role

    @abstractmethod
    def guess(self, shapes: Shapes) -> Arguments:
        """Return the network's constructor arguments, as far as `shapes` (name to shape) tell; never raises."""

    @abstractmethod
    def entries(self, arguments: Mapping[str, Any]) -> Iterator[Entry]:
        """List the tensors of the network with these arguments, in the order of its layers."""

    @abstractmethod
    def network(self, arguments: Mapping[str, Any]) -> str:
        """Return the network's name in artkit: `resnet_9`, `unet_256`, `patch`."""

    @abstractmethod
    def owns(self, network: str, arguments: Mapping[str, Any]) -> bool:
        """Tell whether artkit's network, by its name and arguments, belongs to this family."""

    @abstractmethod
    def words(self, arguments: Mapping[str, Any]) -> str:
        """Describe the network in a few words."""


def convolution(theirs: str, ours: str, shape: Shape, bias: int | None) -> Iterator[Entry]:
    """List a convolution's tensors; `bias` is the number of its outputs, or None where it has no bias."""
    yield Entry(f"{theirs}.weight", f"{ours}.weight", shape)
    if bias is not None:
        yield Entry(f"{theirs}.bias", f"{ours}.bias", (bias,))


def normalisation(theirs: str, ours: str, norm: str, channels: int) -> Iterator[Entry]:
    """List a norm's tensors: five for batch norm, none for the others."""
    if norm != "batch":
        return
    for name in ("weight", "bias", "running_mean", "running_var"):
        yield Entry(f"{theirs}.{name}", f"{ours}.{name}", (channels,))
    # PyTorch counts batches since 0.4.1 (2018).
    yield Entry(f"{theirs}.num_batches_tracked", f"{ours}.num_batches_tracked", (), optional=True)


def side(shapes: Shapes, name: str, axis: int) -> int:
    """Return one side of a tensor's shape, or 1 where there is none."""
    shape = shapes.get(name, ())
    return shape[axis] if axis < len(shape) else 1


def norm_of(shapes: Shapes, convolution: str, norm: str) -> str:
    """Tell the norm: batch norm has weights, instance norm a bias in the convolution before it, no norm neither."""
    if f"{norm}.weight" in shapes:
        return "batch"
    return "instance" if f"{convolution}.bias" in shapes else "none"


def describe(arguments: Mapping[str, Any]) -> str:
    """Describe filters and norm, and the channels where they are not those of colour pictures."""
    norm, inside, outside = arguments["norm"], arguments["in_channels"], arguments.get("out_channels")
    words = f"{arguments['width']} filters, {'no norm' if norm == 'none' else f'{norm} norm'}"
    if outside is None:
        return f"{words}, seeing {inside} channels"
    return words if (inside, outside) == (3, 3) else f"{words}, {inside} to {outside} channels"
