"""One step of a plan, computed: what feeds it becomes tensors, its output a picture, a plugin's failure one line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import torch
from torch import Tensor

from artkit import __version__
from artkit.chain.plan import PlannedStep
from artkit.engine.blame import blame_plugin
from artkit.engine.bookmarks import FileBookmark, fingerprint
from artkit.engine.loading import Loaded
from artkit.engine.memory import memory_limit
from artkit.images import Picture, resize_image, resize_labels
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


Inputs = Mapping[str, Tensor | tuple[str, ...] | None]
Watcher = Callable[[ProgressEvent], None]


@dataclass(frozen=True)
class StepRun:
    """A step, loaded and fed; `number` is its seed before it is mixed with its place, `dream` the size of the run."""

    planned: PlannedStep
    loaded: Loaded
    fed: Mapping[str, Picture | str | None]
    number: int
    dream: tuple[int, int]
    facts: Mapping[str, str]
    device: torch.device
    dtype: torch.dtype

    def compute(self, watcher: Watcher | None = None, *, interruptible: bool = False) -> tuple[Picture, float]:
        """Return the step's picture, and 1; where `interruptible`, after Ctrl-C, its sketch and how far it had come.

        Then the step also goes on where an earlier run was killed, or stopped in this way. A step that carries any
        picture carries its alpha channel too, as the mask it is.
        """
        spec, main = self.planned.spec, self._main
        ports = {name: _tensor(picture, spec.port(name), self._size) for name, picture in self.fed.items()}
        with self.loaded.lock, blame_plugin(spec.name, self.planned.plugin):
            try:
                output, alpha, share = self._run(ports, watcher, interruptible), None, 1.0
            except Interrupted as early:
                if not interruptible:
                    raise
                output, alpha, share = early.output, None, early.share
            if self.planned.carries and main is not None and main.alpha is not None:
                alpha = self._run(ports | {spec.inputs[0].name: main.alpha}, watcher, interruptible)
        return self._picture(output, alpha), share

    @property
    def _main(self) -> Picture | None:
        main = next(iter(self.fed.values()), None)
        return main if isinstance(main, Picture) else None

    @property
    def _size(self) -> tuple[int, int]:
        return self._main.size if self._main else self.loaded.translator.dream_size(*self.dream)

    def _run(self, ports: Inputs, watcher: Watcher | None, interruptible: bool) -> Tensor:
        bookmark = FileBookmark(partial(self._fingerprint, ports)) if interruptible else Bookmark()
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
        fed = (part for item in sorted(ports.items(), key=itemgetter(0)) for part in item)
        return f"{planned.spec.name}-{fingerprint((*what, *how, *fed))}"

    def _picture(self, output: Tensor, alpha: Tensor | None = None) -> Picture:
        planned, main, classes = self.planned, self._main, self.loaded.translator.class_set
        if main is not None:
            kind = main.kind if planned.carries else planned.output
            return main.with_tensor(output, kind=kind, classes=classes, alpha=alpha)
        named = classes if planned.output is Kind.LABELS else None
        return Picture(output, kind=planned.output, classes=named, stem=planned.spec.name)


def resize(picture: Picture, size: tuple[int, int]) -> Picture:
    """Resize to (width, height): labels by nearest neighbour, anything else by an antialiased filter."""
    extent = (size[1], size[0])
    if picture.size == extent:
        return picture
    change = resize_labels if picture.kind is Kind.LABELS else resize_image
    return picture.with_tensor(change(picture.tensor, extent))


def _tensor(fed: Picture | str | None, port: Port | None, size: tuple[int, int]) -> Tensor | tuple[str, ...] | None:
    """Return what a translator gets through a port: a picture's tensor, resized to `size` unless any will do."""
    if not isinstance(fed, Picture):
        return fed if fed is None else (fed,)
    return fed.tensor if port and port.any_size else resize(fed, size[::-1]).tensor
