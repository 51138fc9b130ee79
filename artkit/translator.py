"""The translator contract, enforced around every plugin's code."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, TypeAlias, cast

import torch
from torch import Tensor, nn

from artkit.errors import ImageError, PluginError
from artkit.images.decoding import max_pixels
from artkit.motion import Ride
from artkit.nn.layout import inference_format
from artkit.nn.portable import Portable
from artkit.nn.reflection import reflect_index
from artkit.nn.tiling import limit_memory
from artkit.seeds import mix_seeds
from artkit.spec import ClassSet, Kind, MethodSpec, ModelHeader, Options, SizeRule

Sketch: TypeAlias = Callable[[], Tensor]
"""What a step would return if it had to end now."""


class Bookmark:
    """Where a step that takes long goes on, should its run be killed; this one forgets.

    A state is tables and lists of tensors, numbers and words: all that the rest of the work depends on.
    """

    def read(self) -> dict[str, Any] | None:
        """Return the state that an earlier run of the same step, inputs, options and seed left, or None."""
        return None

    def write(self, state: Callable[[], dict[str, Any]]) -> None:
        """Keep what `state` returns in place of the last; not each time, where keeping takes longer than working."""

    def remove(self) -> None:
        """Forget the state: the step is done, or has failed. Core does this."""


def _unseen(share: float, sketch: Sketch | None = None) -> None:
    """Let progress pass that nobody watches."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while a step worked that had a sketch: `output` is that, as good as finished, `share` how far it came."""

    def __init__(self, output: Tensor, share: float) -> None:
        super().__init__()
        self.output, self.share = output, share


@dataclass(frozen=True)
class Context:
    """What a translator may know of a call besides its ports.

    `seeds`: one for each picture of the batch. `height`, `width`: of the tensors it sees and returns, in pixels.
    `facts`: for each picture, text known about it (a caption, the time of day), by name. `device`, `dtype`: where and
    in what to compute. `numbers`: the seeds as the user counts them (`-n 3 --seed 7`: 7, 8, 9), before each step mixed
    seeds of its own from them.
    `progress`: to be called now and then, by methods that take long, with the share that is done and, where there is
    something to see, a function that returns the output as it is by now. That is what Ctrl-C leaves of the step.
    `bookmark`: where such methods note where they are, so that the same call goes on from there, to the same bits.
    `rides`: for each picture, how strokes move with the things in a clip, for `artkit.nn.WorkingResolution.draw`.
    """

    seeds: tuple[int, ...]
    height: int
    width: int
    facts: tuple[Mapping[str, str], ...] = ()
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    dtype: torch.dtype = torch.float32
    progress: Callable[..., None] = _unseen
    numbers: tuple[int, ...] = ()
    bookmark: Bookmark = field(default_factory=Bookmark)
    rides: tuple[Ride | None, ...] = ()

    def draw(self, make: Callable[[int], Tensor]) -> Tensor:
        """Stack `make(seed)` over the batch, on the right device: noise that no other picture of the batch changes."""
        return torch.stack([make(seed).to(self.device, self.dtype) for seed in self.seeds])

    def normal(self, *shape: int) -> Tensor:
        """Draw N(0, 1) noise of N x `shape`, each picture's from its own seed."""
        return self.draw(lambda seed: torch.randn(shape, generator=torch.Generator().manual_seed(seed)))

    def fact(self, index: int, name: str) -> str | None:
        """Return what is known as `name` about picture `index` of the batch."""
        return self.facts[index].get(name) if index < len(self.facts) else None


class Translator(nn.Module):
    """A method ready to turn inputs into an output: its options, and its networks as submodules.

    A plugin writes `__init__` (build networks from the header, weights are loaded after it) and `translate`.
    Everything else is core's: `run` moves inputs to the device, pads them to the size rule and crops back, computes
    without gradients, protects the inputs, clamps, and refuses NaN and wrong shapes.
    """

    spec: ClassVar[MethodSpec]
    reusable: ClassVar[bool] = True
    """Whether one loaded for a chain may serve the next: not where it reads files besides its model."""
    keeps_float: ClassVar[bool] = False
    """Whether inputs come in float32 whatever the precision, to methods that add to their input."""
    finds_size: ClassVar[bool] = False
    """Whether the size of an output is found in the picture: `output_size` is then the most pixels it may have, there
    is no size rule, and pictures are computed one by one."""
    batch: int | None = None
    """How many pictures are computed at once, at most; None leaves it to the device. 1 for methods that take long and
    tell how far they have come."""

    translate: Callable[..., Tensor]
    """`translate(context, *, PORT, ...)` computes the output for a batch; every method writes its own.

    Image ports come as N3HW in [0, 1], labels as N H W int64, masks as N1HW, text as a tuple of strings; optional ports
    that nobody feeds as None; a port for many pictures as a list of such tensors, each of its own size where the port
    takes any; a `picture` port as whichever of the first three it is, labels as uint8 where they are
    bytes. Return the same layouts, of the `output_size` of `context.height` x `context.width`.
    """

    def __init_subclass__(cls, **how: Any) -> None:
        """Refuse a method that cannot translate."""
        super().__init_subclass__(**how)
        if not callable(getattr(cls, "translate", None)):
            raise TypeError(f"{cls.__name__} is a Translator without a method translate(context, **ports)")

    def __init__(self, options: Options, header: ModelHeader | None) -> None:
        super().__init__()
        self.options, self.header = options, header

    def report(self, output: Tensor) -> list[dict[str, Any]]:
        """Return what `--json` tells of each picture of a finished output besides its file: nothing, as a rule."""
        return [{} for _ in output]

    def portable(self) -> Portable | None:
        """Return its network for other programs to run; None where the method is not one network, as a rule."""
        return None

    def output_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the output's (height, width) for an input of that size; the same unless a method says otherwise.

        It may raise ImageError for a size that the options do not fit. A method with a size rule can only multiply:
        its padding is cut off in proportion.
        """
        return height, width

    def dream_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) of what a source makes from nothing in a run of that size; the same as a rule."""
        return height, width

    @property
    def class_set(self) -> ClassSet | None:
        """What the indices of its label maps mean: its model's classes, unless a method says otherwise."""
        return self.header.classes if self.header else None

    @property
    def size_rule(self) -> SizeRule:
        """The method's size rule, as its model's header tightens it; no header loosens it."""
        rule, header = self.spec.size, self.header
        if header is None:
            return rule
        return SizeRule(
            math.lcm(rule.multiple, header.size_multiple),
            max(rule.minimum, header.size_minimum),
            max(rule.margin, header.size_margin),
        )

    def run(
        self,
        ports: Mapping[str, Tensor | list[Tensor] | tuple[str, ...] | None],
        *,
        seeds: tuple[int, ...],
        size: tuple[int, int],
        facts: tuple[Mapping[str, str], ...] = (),
        device: torch.device | None = None,
        dtype: torch.dtype = torch.float32,
        progress: Callable[[float, Sketch | None], None] = _unseen,
        numbers: tuple[int, ...] = (),
        memory: float | None = None,
        bookmark: Bookmark | None = None,
        rides: tuple[Ride | None, ...] = (),
    ) -> Tensor:
        """Run the plugin's `translate` under the contract.

        `size` is (height, width) of the input. Networks that say where they may be cut (`artkit.nn.in_tiles`) are
        computed in tiles where they would take more than `memory` bytes. Returns float32 for images and masks, int64
        for labels (uint8 for those of a method that carries bytes), on the device, of the `output_size` of `size`;
        sketches that `progress` gets are finished likewise. Values that are no numbers are an error at once on a CPU;
        elsewhere, where asking would stop the work, such a picture is NaN all over. Raises PluginError when the plugin
        breaks the contract, Interrupted at Ctrl-C where there is a sketch.
        """
        device = device or torch.device("cpu")
        rule = self.size_rule
        height, width = (rule.padded(side) for side in size)
        due = self._due_shape(ports, len(seeds), self._allowed_size(height, width))
        watched = _Watched(progress, lambda output: self._finished(self._checked(output, due), size))
        kept = bookmark or Bookmark()
        placed = tuple(ride and self._place_ride(ride, size, (height, width), device, dtype) for ride in rides)
        context = Context(seeds, height, width, facts, device, dtype, watched, numbers or seeds, kept, placed)
        inputs = {name: self._place(name, value, (height, width), device, dtype) for name, value in ports.items()}
        with torch.inference_mode(), limit_memory(memory):
            try:
                output = self.translate(context, **inputs)
            except KeyboardInterrupt:
                if watched.sketch is None:
                    raise
                raise Interrupted(watched.sketch(), watched.share) from None
        del inputs  # the output may be as large again
        return watched.finish(output)

    def _allowed_size(self, height: int, width: int) -> tuple[int, int]:
        """Return the output's size; raise ImageError when it grew past the number of pixels that artkit reads."""
        tall, wide = self.output_size(height, width)
        if tall * wide > max(height * width, max_pixels()):
            raise ImageError(
                f"{self.spec.name} would make {wide}×{tall} pixels; the limit is {max_pixels()}. "
                "Ask for less, or set ARTKIT_MAX_PIXELS higher."
            )
        return tall, wide

    def _kind(self) -> Kind:
        """Return what it gives: its model's word, else its method's."""
        return self.header.output if self.header else self.spec.output

    def _due_shape(self, ports: Mapping[str, Any], count: int, size: tuple[int, int]) -> tuple[int, ...]:
        """Return the shape that the output must have: of its kind, or of what came in."""
        kind = self._kind()
        main = ports[self.spec.inputs[0].name] if kind is Kind.PICTURE else None
        layouts = {Kind.IMAGE: (count, 3), Kind.MASK: (count, 1), Kind.LABELS: (count,)}
        return (*(layouts[kind] if main is None else main.shape[:-2]), *size)

    def _place(self, name: str, value: Any, size: tuple[int, int], device: torch.device, dtype: torch.dtype) -> Any:
        """Copy a port's value to the device, with mirrored margin and padding; text and None pass."""
        if isinstance(value, list):
            return [self._place(name, one, size, device, dtype) for one in value]
        if not isinstance(value, Tensor):
            return value
        port, margin = self.spec.port(name), self.size_rule.margin
        if not (port and port.any_size) and (value.shape[-2:] != size or margin):
            rows, columns = (
                reflect_index(side, padded, margin) for side, padded in zip(value.shape[-2:], size, strict=True)
            )
            value = value[..., rows.to(value.device)[:, None], columns.to(value.device)]
        if not value.is_floating_point():  # a method that carries any picture carries label maps as they are stored
            stored = port is not None and port.kind is Kind.PICTURE
            return value.to(device, value.dtype if stored else torch.int64, copy=True)
        dtype = torch.float32 if self.keeps_float else dtype
        has_network = next(self.parameters(), None) is not None
        layout = inference_format(device) if has_network else torch.contiguous_format
        return value.to(device, dtype, copy=True, memory_format=layout)

    def _place_ride(
        self, ride: Ride, size: tuple[int, int], padded: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> Ride:
        """Return a ride whose anchors' pictures are as this method's main input, and come with the same margin."""
        name = self.spec.inputs[0].name
        anchors = (
            replace(anchor, picture=self._place(name, anchor.picture[None], padded, device, dtype)[0])
            for anchor in ride.anchors
        )
        return replace(ride, anchors=tuple(anchors), size=size, margin=self.size_rule.margin)

    def _checked(self, output: Any, due: tuple[int, ...]) -> Tensor:
        if not isinstance(output, Tensor) or not self._fits(tuple(output.shape), due):
            got = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
            raise PluginError(
                f"{self.spec.name} returned {got} where {self._kind()} of shape {due} was due: "
                "the plugin breaks the contract."
            )
        return output

    def _fits(self, shape: tuple[int, ...], due: tuple[int, ...]) -> bool:
        if self.finds_size and shape[:-2] == due[:-2]:
            return 0 < math.prod(shape[-2:]) <= math.prod(due[-2:])
        return shape == due

    def _finished(self, output: Tensor, size: tuple[int, int]) -> Tensor:
        """Cut padding and margin off, check for NaN and clamp."""
        margin = self.size_rule.margin
        height, width = output.shape[-2:] if self.finds_size else self.output_size(*size)
        top, left = self.output_size(margin, margin) if margin else (0, 0)
        output = output[..., top : top + height, left : left + width]
        if len(output.shape) == 3:
            dtype = output.dtype if self._kind() is Kind.PICTURE else torch.int64
            return output.to(dtype, copy=True)
        shape, equal_channels = output.shape, output.stride(1) == 0
        output = (output[:, :1] if equal_channels else output).to(torch.float32)
        if output.device.type != "cpu":
            return mark_unfinite(output).expand(shape)
        if not all(map(math.isfinite, output.aminmax())):  # NaN is both the least and the most
            raise PluginError(unfinite(self.spec.name))
        return output.clamp(0, 1).expand(shape)  # equal channels stay one in memory


class _Watched:
    """Passes progress on, with sketches that `finish` has gone over, and remembers the last."""

    def __init__(self, progress: Callable[[float, Sketch | None], None], finish: Callable[[Tensor], Tensor]) -> None:
        self.progress, self.finish = progress, finish
        self.share, self.sketch = 0.0, cast(Sketch | None, None)

    def __call__(self, share: float, sketch: Sketch | None = None) -> None:
        if sketch is not None:
            self.share, self.sketch = share, lambda: self.finish(sketch())
        self.progress(share, self.sketch)


def mark_unfinite(output: Tensor) -> Tensor:
    """Clamp N C H W to [0, 1]; a picture with values that are no numbers becomes NaN all over.

    Asks no device for a value, so that it can go on working.
    """
    spoilt = ~torch.isfinite(output).flatten(1).all(1)
    return output.clamp(0, 1).masked_fill_(spoilt[:, None, None, None], math.nan)


def unfinite(method: str) -> str:
    """Say that a method's output holds values that are no numbers."""
    return f"{method} produced NaN: try --precision fp32, or another model."


def step_seed(seed: int, index: int) -> int:
    """Return the seed of step `index` of a chain that runs under `seed`."""
    return mix_seeds(seed, index)
