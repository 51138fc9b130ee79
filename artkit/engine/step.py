"""One step of a plan, computed: what feeds it becomes tensors, its output a picture, a plugin's failure one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from typing import cast

import torch
from torch import Tensor

from artkit import __version__
from artkit.chain.plan import PlannedStep
from artkit.engine.blame import blame_plugin
from artkit.engine.bookmarks import FileBookmark, fingerprint
from artkit.engine.loading import Loaded
from artkit.engine.memory import memory_limit
from artkit.images import Picture, resize_image, resize_labels
from artkit.motion import Motion, Ride
from artkit.nn import is_out_of_memory
from artkit.seeds import mix_seeds
from artkit.spec import Kind, Port
from artkit.translator import Bookmark, Interrupted, Sketch


@dataclass(frozen=True)
class ProgressEvent:
    """How far a step that takes long has come: `share` of its work is done, and `sketch()` is its picture by now."""

    index: int
    method: str
    share: float
    sketch: Callable[[], Picture] | None = None


Fed = Picture | list[Picture] | str | None
Inputs = Mapping[str, Tensor | list[Tensor] | tuple[str, ...] | None]
Watcher = Callable[[ProgressEvent], None]


@dataclass(frozen=True)
class StepRun:
    """A step, loaded and fed; `number` is its seed before it is mixed with its place, `dream` the size of the run.

    `motion` is what is known of a frame of a clip.
    """

    planned: PlannedStep
    loaded: Loaded
    fed: Mapping[str, Fed]
    number: int
    dream: tuple[int, int]
    facts: Mapping[str, str]
    device: torch.device
    dtype: torch.dtype
    motion: Motion | None = None

    def compute(
        self, watcher: Watcher | None = None, *, interruptible: bool = False, bookmarked: bool = False
    ) -> tuple[Picture, float]:
        """Return the step's picture, and 1; where `interruptible`, after Ctrl-C, its sketch and how far it had come.

        Where it is `bookmarked`, the step goes on where an earlier run was killed, or stopped in this way. A step that
        carries any picture carries its alpha channel too, as the mask it is.
        """
        spec, main, ports = self.planned.spec, self._main, self._ports()
        with self.loaded.lock, blame_plugin(spec.name, self.planned.plugin):
            try:
                output, alpha, share = self._run(ports, watcher, bookmarked), None, 1.0
            except Interrupted as early:
                if not interruptible:
                    raise
                output, alpha, share = early.output, None, early.share
            if self.planned.carries and main is not None and main.alpha is not None:
                alpha = self._run({**ports, spec.inputs[0].name: main.alpha}, watcher, bookmarked)
        return self._picture(output, alpha), share

    def _ports(self) -> Inputs:
        return {port.name: _tensor(self._given(port), port, self._size) for port in self.planned.spec.inputs}

    def _given(self, port: Port) -> Fed:
        """Return what feeds a port: where nothing else does, the alpha channel of another's that it asks for."""
        given, other = self.fed[port.name], self.fed.get(port.alpha_of)
        if given is None and isinstance(other, Picture) and other.alpha is not None:
            return Picture(other.alpha, kind=Kind.MASK, stem=other.stem)
        return given

    @property
    def _main(self) -> Picture | None:
        main = next(iter(self.fed.values()), None)
        return main if isinstance(main, Picture) else None

    @property
    def _size(self) -> tuple[int, int]:
        return self._main.size if self._main else self.loaded.translator.dream_size(*self.dream)

    def _ride(self) -> Ride | None:
        """Return how strokes move, by anchors of the size of this step."""
        if self.motion is None:
            return None
        anchors = (
            replace(anchor, picture=resize_image(anchor.picture[None], self._size)[0]) for anchor in self.motion.anchors
        )
        return Ride(tuple(anchors), self.motion.share)

    def _run(self, ports: Inputs, watcher: Watcher | None, bookmarked: bool) -> Tensor:
        bookmark = FileBookmark(partial(self._fingerprint, ports)) if bookmarked else Bookmark()
        try:
            output = self.loaded.translator.run(
                ports,
                seeds=(mix_seeds(self.number, self.planned.index),),
                numbers=(self.number,),
                facts=(self.facts,),
                size=self._size,
                device=self.device,
                dtype=self.dtype,
                progress=partial(self._tell, watcher),
                memory=memory_limit(self.device),
                bookmark=bookmark,
                rides=(self._ride(),),
            )
        except Exception:  # and not Ctrl-C, after which the same command may come again
            bookmark.remove()
            raise
        bookmark.remove()
        return output

    def _tell(self, watcher: Watcher | None, share: float, sketch: Sketch | None) -> None:
        if watcher:
            drawn = None if sketch is None else lambda: self._picture(sketch())
            watcher(ProgressEvent(self.planned.index, self.planned.spec.name, share, drawn))

    def _fingerprint(self, ports: Inputs) -> str:
        """Return the name of all that the step's output depends on."""
        planned = self.planned
        what = (__version__, planned.spec.name, planned.options, self.loaded.digest, self.number, planned.index)
        how = (self._size, str(self.device), str(self.dtype), sorted(self.facts.items()))
        named = sorted(ports.items(), key=itemgetter(0))
        fed = (part for name, value in named for part in (name, *(value if isinstance(value, list) else (value,))))
        return f"{planned.spec.name}-{fingerprint((*what, *how, *fed))}"

    def _picture(self, output: Tensor, alpha: Tensor | None = None) -> Picture:
        planned, main, classes = self.planned, self._main, self.loaded.translator.class_set
        if main is not None:
            kind = main.kind if planned.carries else planned.output
            return main.with_tensor(output, kind=kind, classes=classes, alpha=alpha)
        named = classes if planned.output is Kind.LABELS else None
        return Picture(output, kind=planned.output, classes=named, stem=planned.spec.name)


def compute_batch(runs: Sequence[StepRun]) -> list[Picture]:
    """Return the pictures of one step that is run on several, at once where they are of one size and memory allows."""
    first = runs[0]
    ports = _stacked([run._ports() for run in runs])
    apart = first.planned.carries or first.loaded.translator.finds_size
    if ports is None or apart or len({run._size for run in runs}) > 1:
        return [run.compute()[0] for run in runs]
    spec, translator = first.planned.spec, first.loaded.translator
    with first.loaded.lock, blame_plugin(spec.name, first.planned.plugin):
        try:
            output = translator.run(
                ports,
                seeds=tuple(mix_seeds(run.number, run.planned.index) for run in runs),
                numbers=tuple(run.number for run in runs),
                facts=tuple(run.facts for run in runs),
                size=first._size,
                device=first.device,
                dtype=first.dtype,
                memory=memory_limit(first.device),
                rides=tuple(run._ride() for run in runs),
            )
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            output = None
    if output is None:
        return [run.compute()[0] for run in runs]
    return [run._picture(part) for run, part in zip(runs, output.split(1), strict=True)]


def _stacked(several: Sequence[Inputs]) -> Inputs | None:
    """Return the ports of several pictures as those of one batch; None where they do not fit together."""
    stacked: dict[str, Tensor | list[Tensor] | tuple[str, ...] | None] = {}
    for name, value in several[0].items():
        values = [ports[name] for ports in several]
        if isinstance(value, Tensor):
            if any(not isinstance(other, Tensor) or other.shape != value.shape for other in values):
                return None
            stacked[name] = torch.cat(cast(list[Tensor], values))
        elif isinstance(value, list):
            shapes = {tuple(one.shape for one in cast(list[Tensor], other)) for other in values}
            if len(shapes) > 1:
                return None
            stacked[name] = [torch.cat(parts) for parts in zip(*cast(list[list[Tensor]], values), strict=True)]
        elif value is None:
            if any(other is not None for other in values):
                return None
            stacked[name] = None
        else:
            stacked[name] = tuple(text for texts in values for text in cast(tuple[str, ...], texts))
    return stacked


def place(picture: Picture, device: torch.device) -> Picture:
    """Return a picture on a device, where its tensors are not there yet."""
    tensor = picture.tensor.to(device, non_blocking=picture.tensor.is_pinned())
    if tensor is picture.tensor:
        return picture
    return replace(picture, tensor=tensor, alpha=None if picture.alpha is None else picture.alpha.to(device))


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize to (width, height): labels by nearest neighbour, anything else by an antialiased filter."""
    extent = (size[1], size[0])
    if picture.size == extent:
        return picture
    change = resize_labels if picture.kind is Kind.LABELS else resize_image
    return picture.with_tensor(change(picture.tensor, extent))


def _tensor(fed: Fed, port: Port, size: tuple[int, int]) -> Tensor | list[Tensor] | tuple[str, ...] | None:
    """Return what a translator gets through a port: a picture's tensor, resized to `size` unless any will do."""
    if isinstance(fed, list):
        return [cast(Tensor, _tensor(one, port, size)) for one in fed]
    if not isinstance(fed, Picture):
        return fed if fed is None else (fed,)
    return fed.tensor if port.any_size else resize(fed, size[::-1]).tensor
