"""Batches as a pure function of seed and step: a run that resumes sees exactly what it would have seen."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.data.dataset import Dataset, Sample
from artkit.seeds import mix_seeds

Prepare = Callable[[Sample], Sample]
Batch = dict[str, Tensor | list[str]]


class Batches:
    """Draw batches of `size` samples, cropped to `crop` px (None keeps whole pictures), for one dataset.

    Every sample of an epoch comes once, in an order drawn from `seed`; crops and flips are drawn from seed, step and
    place in the batch, and shared by all columns of a sample. `prepare` may add columns to a sample before it is
    cropped; what it returns is kept in memory, up to `cache_bytes`, images and labels as bytes, other numbers as half
    floats.
    """

    def __init__(
        self,
        dataset: Dataset,
        names: Sequence[str],
        *,
        size: int,
        crop: int | None,
        seed: int,
        mirror: bool = False,
        prepare: Prepare | None = None,
        cache_bytes: int = 6 << 30,
    ) -> None:
        self.dataset, self.names, self.size, self.crop, self.seed = dataset, tuple(names), size, crop, seed
        self.mirror, self.prepare = mirror and dataset.mirrors, prepare
        self._cache: dict[int, Sample] = {}
        self._room = cache_bytes

    def at(self, step: int) -> Batch:
        """Return batch `step`: images float N3HW in [0, 1], labels int64 NHW, fields float NCHW, text as lists."""
        samples = [self._augment(self._sample(self._index(step, place)), step, place) for place in range(self.size)]
        return {name: _stack([sample[name] for sample in samples]) for name in samples[0]}

    def stream(self, first: int, last: int, ahead: int = 2) -> Iterator[Batch]:
        """Yield batches `first` to `last` - 1, made in a thread `ahead` of their use."""
        ready: queue.Queue[Batch | BaseException] = queue.Queue(ahead)
        closed = threading.Event()

        def put(item: Batch | BaseException) -> bool:
            while not closed.is_set():
                try:
                    ready.put(item, timeout=0.1)
                    return True
                except queue.Full:
                    continue
            return False

        def work() -> None:
            try:
                for step in range(first, last):
                    if not put(self.at(step)):
                        return
            except BaseException as error:
                put(error)

        threading.Thread(target=work, daemon=True).start()
        try:
            for _ in range(first, last):
                item = ready.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            closed.set()

    def _index(self, step: int, place: int) -> int:
        epoch, position = divmod(step * self.size + place, len(self.dataset))
        generator = torch.Generator().manual_seed(mix_seeds(self.seed, epoch))
        return int(torch.randperm(len(self.dataset), generator=generator)[position])

    def _sample(self, index: int) -> Sample:
        if index in self._cache:
            return self._cache[index]
        sample = self.dataset.load(index, self.names)
        sample = {name: _compact(value) for name, value in (self.prepare(sample) if self.prepare else sample).items()}
        cost = sum(value.nbytes for value in sample.values() if isinstance(value, Tensor))
        if cost <= self._room:
            self._room -= cost
            self._cache[index] = sample
        return sample

    def _augment(self, sample: Sample, step: int, place: int) -> Sample:
        generator = torch.Generator().manual_seed(mix_seeds(self.seed, step, place))
        tops, flip = torch.rand(2, generator=generator).tolist(), bool(torch.rand((), generator=generator) < 0.5)
        return {
            name: _crop(value, self.crop, tops, self.mirror and flip) if isinstance(value, Tensor) else value
            for name, value in sample.items()
        }


def _crop(value: Tensor, crop: int | None, tops: Sequence[float], flip: bool) -> Tensor:
    if crop is not None:
        if min(value.shape[-2:]) < crop:
            value = _grow(value, crop)
        top, left = (round(top * (side - crop)) for top, side in zip(tops, value.shape[-2:], strict=True))
        value = value[..., top : top + crop, left : left + crop]
    return value.flip(-1) if flip else value


def _grow(value: Tensor, side: int) -> Tensor:
    """Repeat the last row and column of a picture smaller than the crop."""
    down, right = (max(0, side - extent) for extent in value.shape[-2:])
    planes = value.reshape(-1, *value.shape[-2:]).float()
    return (
        F.pad(planes[None], (0, right, 0, down), mode="replicate")[0]
        .to(value.dtype)
        .reshape(*value.shape[:-2], value.shape[-2] + down, value.shape[-1] + right)
    )


def _compact(value: Tensor | str) -> Tensor | str:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.half()
    return value.to(torch.uint8) if isinstance(value, Tensor) else value


def _stack(values: Sequence[Tensor | str]) -> Tensor | list[str]:
    if isinstance(values[0], str):
        return [str(value) for value in values]
    stacked = torch.stack([value for value in values if isinstance(value, Tensor)])
    if stacked.is_floating_point():
        return stacked.float()
    return stacked.float() / 255 if stacked.dim() == 4 else stacked.long()
