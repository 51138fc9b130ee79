"""Run a planned chain on this machine: models loaded once, pictures through them one after another."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any, overload

import torch

from artkit import __version__
from artkit.chain.arguments import check_facts, check_seed
from artkit.chain.plan import Plan, PlannedStep, Words
from artkit.chain.steps import Size
from artkit.engine.blame import blame_plugin
from artkit.engine.devices import PRECISIONS, pick_device, pick_precision
from artkit.engine.inputs import Input
from artkit.engine.loading import Loaded, load_step
from artkit.engine.memory import memory_limit
from artkit.engine.provenance import Provenance
from artkit.engine.step import Fed, StepRun, Watcher, compute_batch, place, resize
from artkit.engine.work import DREAM_SIZE, StepResult, Work, extent_of, own_seed, settle
from artkit.errors import ChainError
from artkit.files import digest_of
from artkit.images import Picture, convert, read_picture
from artkit.models.store import packaged_classes
from artkit.motion import Motion
from artkit.nn.tiling import MOST_ALIVE, PART
from artkit.seeds import mix_seeds
from artkit.spec import ClassSet, Kind, Port, StepEvent

MOST_AT_ONCE = 16
"""How many pictures a GPU computes at once, at most: more of them gain next to nothing."""


class Runner:
    """A plan made ready: device and precision chosen, weights loaded on first use and kept.

    Where it is `interruptible`, Ctrl-C ends a step that has something to show, and the steps after it go on from that;
    else, and a second time, it is a KeyboardInterrupt as ever. And where it is `bookmarked`, which it then is unless
    told otherwise, steps that bookmark where they are go on from there when the same run is started again.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        device: str = "auto",
        precision: str = "auto",
        interruptible: bool = False,
        bookmarked: bool | None = None,
    ) -> None:
        self.plan, self.interruptible = plan, interruptible
        self.bookmarked = interruptible if bookmarked is None else bookmarked
        self.device = pick_device(device)
        self.precision = pick_precision(precision, self.device)
        self._loaded: list[Loaded] = []
        self._nested = {
            (planned.index, port): Runner(binding, device=device, precision=precision)
            for planned in plan.steps
            for port, binding in planned.bindings.items()
            if isinstance(binding, Plan)
        }
        self._pictures: dict[tuple[int, str], list[Picture]] = {}
        self._made: dict[tuple[int, str], tuple[int, list[StepResult]]] = {}

    def load(self) -> None:
        """Load all weights, once."""
        if not self._loaded:
            self._loaded = [
                load_step(planned, self.plan.registry, self.device, self._precision(planned))
                for planned in self.plan.steps
            ]
            for nested in self._nested.values():
                nested.load()

    @property
    def models(self) -> dict[str, str]:
        """The hash of every model that was loaded, nested chains' too, by `method/name`."""
        self.load()
        hashes = {
            f"{planned.spec.name}/{planned.model.stem}": loaded.digest
            for planned, loaded in zip(self.plan.steps, self._loaded, strict=True)
            if planned.model is not None and loaded.digest is not None
        }
        return hashes | {name: digest for runner in self._nested.values() for name, digest in runner.models.items()}

    def run(
        self,
        source: Input | Picture | None = None,
        *,
        before: Sequence[Input | Picture] = (),
        seed: int = 0,
        size: Size | None = None,
        facts: Mapping[str, str] | None = None,
        on_step: Callable[[StepEvent], None] | None = None,
        on_progress: Watcher | None = None,
    ) -> list[StepResult]:
        """Run the chain on one picture, or on none; return what every step made, the result last, with provenance.

        `before` are the pictures before it, the nearest first, for chains that look back. `size` is (width, height),
        or the longest side: an input is resized to it first, a source makes it. `facts` are things known about the
        picture, by name. The same call gives the same picture. Raises ArtkitError.
        """
        (made,) = self.compute(
            [source], [seed], before=[before], size=size, facts=facts, on_step=on_step, on_progress=on_progress
        )
        return settle(made)

    def compute(
        self,
        sources: Sequence[Input | Picture | None],
        seeds: Sequence[int],
        *,
        before: Sequence[Sequence[Input | Picture]] = (),
        motions: Sequence[Motion | None] = (),
        size: Size | None = None,
        facts: Mapping[str, str] | None = None,
        on_step: Callable[[StepEvent], None] | None = None,
        on_progress: Watcher | None = None,
    ) -> list[list[StepResult]]:
        """Run the chain on several pictures at once; return what `run` returns of each, but left on the device.

        They are to be given to `settle`. Steps compute those of one size as one batch (see `compute_batch`); `facts`
        hold for all; `motions` are what is known of each as frames of a clip. Only one picture alone can be watched,
        or stopped before it is done. Raises ArtkitError.
        """
        self.load()
        told = check_facts(facts)
        rows = before or [()] * len(sources)
        given = zip(sources, seeds, rows, strict=True)
        works = [self._begin(source, check_seed(seed), size, row) for source, seed, row in given]
        for work, motion in zip(works, motions, strict=False):
            work.motion = motion
        for planned, loaded in zip(self.plan.steps, self._loaded, strict=True):
            self._step(planned, loaded, works, told, on_progress, on_step)
        return [self._finish(work) for work in works]

    def batch_limit(self, pixels: int) -> int:
        """Return how many pictures of so many pixels `compute` takes at once: one on a CPU, which gains nothing."""
        self.load()
        own = [loaded.translator.batch for loaded in self._loaded]
        usual = min(MOST_AT_ONCE, int(memory_limit(self.device) * PART / (pixels * MOST_ALIVE))) if self.on_gpu else 1
        return max(1, min(usual if limit is None else limit for limit in own))

    @property
    def on_gpu(self) -> bool:
        """Whether networks run on a CUDA device, which computes many pictures at once faster than one by one."""
        return self.device.type == "cuda"

    def _begin(
        self, source: Input | Picture | None, seed: int, size: Size | None, before: Sequence[Input | Picture]
    ) -> Work:
        if source is None and self.plan.has_input:
            raise ChainError(f"the chain {self.plan.chain} needs a picture.")
        given = _as_input(source)
        extent = None if size is None else extent_of(size, given.picture if given else None)
        if given is None:
            return Work(None, seed, extent)
        own = own_seed(given.picture) if any(planned.varies for planned in self.plan.steps) else 0
        row = [_as_input(one) for one in before[: self.plan.look_back]]
        picture, *earlier = (self._entering(one.picture, extent) for one in (given, *row))
        return Work(given, seed, extent, own, picture, picture, row, earlier)

    def _entering(self, picture: Picture, extent: tuple[int, int] | None) -> Picture:
        """Return a picture on the device, in the size of the run."""
        placed = place(picture, self.device)
        return placed if extent is None else self._resized(placed, extent)

    def _step(
        self,
        planned: PlannedStep,
        loaded: Loaded,
        works: list[Work],
        facts: Mapping[str, str],
        on_progress: Watcher | None,
        on_step: Callable[[StepEvent], None] | None,
    ) -> None:
        """Take every picture one step further."""
        seeds = [mix_seeds(work.number(planned), planned.index) for work in works]
        for mixed in seeds:
            self.plan.registry.call("before_step", step=StepEvent(planned.index, planned.spec.name, mixed))
        start, began = time.perf_counter(), self._mark()
        nested = [self._run_nested(planned, mixed, work.own) for work, mixed in zip(works, seeds, strict=True)]
        runs = [self._prepare(planned, loaded, *pair, facts) for pair in zip(works, nested, strict=True)]
        if len(runs) == 1:
            made = [runs[0].compute(on_progress, interruptible=self.interruptible, bookmarked=self.bookmarked)]
        else:
            made = [(picture, 1.0) for picture in compute_batch(runs)]
        seconds, ended = (time.perf_counter() - start) / len(works), self._mark()
        clock = (began, ended) if began and ended else None
        for work, mixed, fed, (picture, share) in zip(works, seeds, nested, made, strict=True):
            event = StepEvent(planned.index, planned.spec.name, mixed, seconds)
            self.plan.registry.call("after_step", step=event)
            if on_step:
                on_step(event)
            with loaded.lock, blame_plugin(planned.spec.name, planned.plugin):
                report = loaded.translator.report(picture.tensor)[0]
            work.picture = picture
            result = StepResult(
                planned.index, planned.spec.name, picture, seconds, report, fed, share, len(works), clock
            )
            work.results.append(result)

    def _mark(self) -> torch.cuda.Event | None:
        """Let a GPU note the time when it comes to this point of its work."""
        if not self.on_gpu:
            return None
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _prepare(
        self,
        planned: PlannedStep,
        loaded: Loaded,
        work: Work,
        nested: Mapping[str, list[StepResult]],
        facts: Mapping[str, str],
    ) -> StepRun:
        fed = {port.name: self._feed(planned, port, work, nested, facts) for port in planned.spec.inputs}
        dream, dtype = (work.extent or DREAM_SIZE)[::-1], PRECISIONS[self._precision(planned)]
        return StepRun(planned, loaded, fed, work.number(planned), dream, facts, self.device, dtype, work.motion)

    def _finish(self, work: Work) -> list[StepResult]:
        """Return the results of a picture, the last with its provenance."""
        *before, last = work.results
        share = min(result.share for result in work.results)
        record = self._provenance(work, share).as_record()
        return [*before, replace(last, picture=replace(last.picture, provenance=record))]

    @cached_property
    def port_hashes(self) -> list[str | None]:
        """The hashes of the files that feed ports, in the order of the chain."""
        return [digest_of(file) for file in self.plan.files()]

    def _provenance(self, work: Work, share: float) -> Provenance:
        given = work.given
        before = () if given and given.frame else work.given_before  # the frames of a clip have one name and hash
        return Provenance(
            version=__version__,
            chain=str(self.plan.chain),
            seed=work.seed,
            size=work.extent,
            ports=self.plan.outside_files(),
            port_hashes=self.port_hashes,
            models=self.models,
            plugins=self.plan.plugins(),
            torch=str(torch.__version__),
            device=str(self.device),
            precision=self.precision,
            input=given.name if given else None,
            input_hash=given.digest if given else None,
            frame=given.frame if given else None,
            before=[one.name for one in before],
            before_hashes=[one.digest for one in before],
            stopped_at=round(share, 3) if share < 1 else None,
        )

    def _resized(self, source: Picture, size: tuple[int, int]) -> Picture:
        """Resize an input; as labels where the first step takes labels, so that no colour is mixed."""
        first = self.plan.steps[0]
        if first.spec.inputs and first.port_kind(first.spec.inputs[0].name) is Kind.LABELS:
            source = convert(source, Kind.LABELS, self._classes(first), self._known_classes())
        return resize(source, size)

    def _feed(
        self,
        planned: PlannedStep,
        port: Port,
        work: Work,
        nested: Mapping[str, list[StepResult]],
        facts: Mapping[str, str],
    ) -> Fed:
        if port.name not in planned.bindings:
            return None
        binding, kind = planned.bindings[port.name], planned.port_kind(port.name)
        if isinstance(binding, Words):
            return _tell(planned, port, binding, facts)
        if isinstance(binding, str):
            found = [work.bound(binding, port)]
        elif port.name in nested:
            found = [nested[port.name][-1].picture]
        else:
            found = list(self._read(planned.index, port.name, binding))
        fed = [picture and self._as_kind(picture, planned, port, kind) for picture in found]
        return [picture for picture in fed if picture] if port.many else fed[0]

    def _as_kind(self, picture: Picture, planned: PlannedStep, port: Port, kind: Kind) -> Picture:
        if port.kind is Kind.PICTURE and kind is not Kind.LABELS:
            return picture
        return convert(picture, kind, self._classes(planned), self._known_classes())

    def _read(self, index: int, port: str, binding: Any) -> list[Picture]:
        """Return what feeds a port from outside, one picture or as many as it takes, read once."""
        if (index, port) not in self._pictures:
            sources = binding if isinstance(binding, tuple) else (binding,)
            self._pictures[index, port] = [place(read_picture(source), self.device) for source in sources]
        return self._pictures[index, port]

    def _run_nested(self, planned: PlannedStep, seed: int, own: int) -> dict[str, list[StepResult]]:
        """Run the chains that feed a step's ports, or take what they made last, where the seed they run with stays.

        `seed` is the step's, `own` that of the input picture, which is mixed in for ports that vary.
        """
        made = {}
        for (index, port), runner in self._nested.items():
            if index != planned.index:
                continue
            number = mix_seeds(seed, own) if port in planned.varies and own else seed
            number = 0 if runner.plan.is_settled else number
            if self._made.get((index, port), (None,))[0] != number:
                self._made[index, port] = number, runner.compute([None], [number])[0]
            made[port] = self._made[index, port][1]
        return made

    def _precision(self, planned: PlannedStep) -> str:
        """Return the arithmetic of a step: a step without weights keeps every bit of its pictures."""
        return self.precision if planned.model else "fp32"

    def _classes(self, planned: PlannedStep) -> ClassSet | None:
        """Return the classes a step reads label maps in; one that carries any picture reads for the step after it."""
        reader = next((step for step in self.plan.steps[planned.index :] if not step.carries), planned)
        return reader.header.classes if reader.header else None

    @cached_property
    def carried_classes(self) -> list[ClassSet]:
        """The class sets of label maps that go through the chain as such, where all its steps carry any picture.

        They are those of the packaged models. Other chains say by their ports whether they take labels.
        """
        if not all(planned.carries for planned in self.plan.steps):
            return []
        return packaged_classes(self.plan.registry)

    def _known_classes(self) -> list[ClassSet]:
        known = [loaded.translator.class_set for loaded in self._loaded]
        return list({classes.name: classes for classes in known if classes}.values())


def _tell(planned: PlannedStep, port: Port, words: Words, facts: Mapping[str, str]) -> str | None:
    """Return the words for a text port: those of the chain, else what is known of the picture by that name."""
    text = facts.get(port.name, facts.get("caption")) if words.text is None else words.text
    if text is None and port.required:
        raise ChainError(
            f"{planned.spec.name} needs words for its port '{port.name}': add -i {port.name}='...', or write "
            f"{planned.spec.name}({port.name}='...')."
        )
    return text


@overload
def _as_input(source: Input | Picture) -> Input: ...
@overload
def _as_input(source: Input | Picture | None) -> Input | None: ...
def _as_input(source: Input | Picture | None) -> Input | None:
    return Input(source) if isinstance(source, Picture) else source
