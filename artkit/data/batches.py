"""Pictures at the size they are trained at: the shortest side brought to a number of pixels as they are loaded."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from statistics import median

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit.data.dataset import Column, Dataset, Sample
from artkit.seeds import mix_seeds
from artkit.spec import Kind

LARGE = 4  # times the crop: beyond it, a crop shows little of what a picture shows
MARGIN = 286 / 256  # load size to crop, as in pix2pix (Isola et al. 2017, section 6.2)


def advise_load(sizes: Collection[tuple[int, int]], crop: int) -> str:
    """Say what to set where pictures of these widths and heights are much larger than crops; nothing where they fit."""
    typical = round(median(map(min, sizes))) if sizes else 0
    if typical < LARGE * crop:
        return ""
    return (
        f"pictures are {typical} px on their shortest side and crops {crop}: --set load_size={round(MARGIN * crop)} "
        "makes crops show most of a picture instead of details, and reads photos faster"
    )


def resize_sample(sample: Sample, side: int) -> Sample:
    """Resize the pictures of one sample, all to one size whose shortest side is `side`; words stay as they are.

    Pictures, uint8 3HW, are averaged down or interpolated up; label maps, uint8 HW, take the nearest pixel.
    """
    pictures = [value for value in sample.values() if isinstance(value, Tensor)]
    if not pictures:
        return sample
    largest = max(pictures, key=lambda value: value.shape[-1] * value.shape[-2])  # a draft is a rounded likeness
    size = fit_size(largest.shape[-2], largest.shape[-1], side)
    return {name: _resize(value, size) if isinstance(value, Tensor) else value for name, value in sample.items()}


def fit_size(height: int, width: int, side: int) -> tuple[int, int]:
    """Return height and width of the same shape whose shortest side is `side`."""
    scale = side / min(height, width)
    return max(side, round(height * scale)), max(side, round(width * scale))


def _resize(value: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(value.shape[-2:]) == size:
        return value
    if value.dim() == 2:
        return F.interpolate(value[None, None].float(), size, mode="nearest-exact")[0, 0].to(value.dtype)
    resized = F.interpolate(value[None].float(), size, mode="bicubic", antialias=True)[0]
    return resized.round().clamp(0, 255).to(torch.uint8)


Prepare = Callable[[Sample], Sample]
Batch = dict[str, Tensor | list[str]]
WHOLE_LIMIT = 1024  # px: whole pictures are for previews, which need to be seen, not printed


class Batches:
    """Draw batches of `size` samples, cropped to `crop` px, for one dataset.

    `crop=None` keeps whole pictures; where they differ in size, or exceed `WHOLE_LIMIT` px, their middle.

    Every sample of an epoch comes once, in an order drawn from `seed`; crops and flips are drawn from seed, step and
    place in the batch, and shared by all columns of a sample. `prepare` may add columns to a sample before it is
    cropped; what it returns is kept in memory, up to `cache_bytes`, images and labels as bytes, other numbers as half
    floats.

    With `unpaired`, and always for an unpaired dataset, every column is a domain of its own: its order, crops and
    flips are drawn for it alone, and `prepare` sees samples of one column.

    With `balance`, a text column, each of its values is drawn equally often, whatever the number of its samples; those
    come once each before any comes again.

    `load` resizes the pictures of a sample, all to one size, so that their shortest side has so many pixels; 0 leaves
    them as they are.

    `share` names the places of each batch to make, for one of several processes that share it; all when left out.

    `focus` names classes: half of the crops of what shows one of them in its label map are drawn around a place of it.

    `jitter` varies the colours of what is learned from, by up to that share: of the first column, or of each domain;
    the target of a pair keeps its colours.
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
        unpaired: bool = False,
        balance: str | None = None,
        load: int = 0,
        jitter: float = 0.0,
        focus: Sequence[str] = (),
        share: Sequence[int] | None = None,
        cache_bytes: int = 6 << 30,
    ) -> None:
        self.dataset, self.names, self.size, self.crop, self.seed = dataset, tuple(names), size, crop, seed
        self.mirror, self.prepare, self.jitter = mirror and dataset.mirrors, prepare, jitter
        self.load, self.places = load, range(size) if share is None else share
        self._domains = [(name,) for name in self.names] if unpaired or dataset.unpaired else [self.names]
        self._groups = group_by(dataset, balance) if balance else []
        self._orders = [Shuffle(dataset.count(domain[0]), self._seed(i)) for i, domain in enumerate(self._domains)]
        self._focus = {name: found for name in self.names if (found := find_classes(dataset.column(name), focus))}
        self._turns = Shuffle(len(self._groups), seed)
        self._within = [Shuffle(len(group), mix_seeds(seed, i, 1)) for i, group in enumerate(self._groups)]
        self._cache: dict[tuple[int, int], Sample] = {}
        self._room = cache_bytes

    def at(self, step: int) -> Batch:
        """Return batch `step`: images float N3HW in [0, 1], labels int64 NHW, fields float NCHW, text as lists."""
        return self._make(step, threading.Event())

    def stream(self, first: int, last: int, ahead: int = 2) -> Generator[Batch, None, None]:
        """Yield batches `first` to `last` - 1, made in a thread `ahead` of their use.

        Closed, it waits until the thread has ended, with the picture at hand: Python ends threads that are left as it
        exits, and one that computes in torch at that moment takes the process down with it.
        """
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
                    if not put(self._make(step, closed)):
                        return
            except BaseException as error:
                put(error)

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        try:
            for _ in range(first, last):
                item = ready.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            closed.set()
            thread.join()

    def _make(self, step: int, closed: threading.Event) -> Batch:
        """Make batch `step`; what comes of it once `closed` is set is of no use."""
        batch: Batch = {}
        for domain in range(len(self._domains)):
            samples = [self._draw(domain, step, place) for place in self.places if not closed.is_set()]
            if closed.is_set():
                break
            batch |= {name: _stack([sample[name] for sample in samples]) for name in samples[0]}
        return batch

    def _draw(self, domain: int, step: int, place: int) -> Sample:
        number = step * self.size + place
        index = self._draw_balanced(number) if self._groups else self._orders[domain].draw(number)
        return self._augment(self._sample(domain, index), mix_seeds(self._seed(domain), step, place), domain)

    def _seed(self, domain: int) -> int:
        return mix_seeds(self.seed, domain) if domain else self.seed

    def _draw_balanced(self, number: int) -> int:
        """Return draw `number`: every group has its turn, in an order of its own each round, and deals its samples."""
        group = self._turns.draw(number)
        return self._groups[group][self._within[group].draw(number // len(self._groups))]

    def _sample(self, domain: int, index: int) -> Sample:
        if (domain, index) in self._cache:
            return self._cache[domain, index]
        sample = self.dataset.load(index, self._domains[domain])
        sample = resize_sample(sample, self.load) if self.load else sample
        sample = {name: _compact(value) for name, value in (self.prepare(sample) if self.prepare else sample).items()}
        cost = sum(value.nbytes for value in sample.values() if isinstance(value, Tensor))
        if cost <= self._room:
            self._room -= cost
            self._cache[domain, index] = sample
        return sample

    def _augment(self, sample: Sample, seed: int, domain: int) -> Sample:
        generator = torch.Generator().manual_seed(seed)
        tops, flip = torch.rand(2, generator=generator).tolist(), bool(torch.rand((), generator=generator) < 0.5)
        if self._focus and self.crop is not None:
            tops = self._aim(sample, generator) or tops
        cut = {
            name: _crop(value, self.crop, tops, self.mirror and flip) if isinstance(value, Tensor) else value
            for name, value in sample.items()
        }
        seen = self._domains[domain][0]
        if self.jitter and self.dataset.column(seen).kind is Kind.IMAGE and isinstance(cut.get(seen), Tensor):
            cut[seen] = jitter_colours(cut[seen], self.jitter, generator)  # type: ignore[arg-type]
        return cut

    def _aim(self, sample: Sample, generator: torch.Generator) -> list[float]:
        """Return where to crop, 0 to 1 down and across, so that classes in focus are seen; nothing half of the time.

        What is aimed at lies anywhere in the middle half of the crop, or nearer to its border at the picture's.
        """
        found = [name for name in self._focus if name in sample]
        if self.crop is None or not found or torch.rand((), generator=generator) < 0.5:
            return []
        labels = sample[found[0]]
        assert isinstance(labels, Tensor)
        places = torch.isin(labels, labels.new_tensor(self._focus[found[0]])).nonzero()
        if not len(places):
            return []
        place = places[int(torch.randint(len(places), (), generator=generator))]
        corner = place - self.crop * (0.25 + 0.5 * torch.rand(2, generator=generator))
        room = torch.tensor(labels.shape) - self.crop
        return (corner / room.clamp_min(1)).clamp(0, 1).tolist()


class Shuffle:
    """Draws `count` things: all come once, in an order drawn anew, before any comes again.

    The order of the round at hand is remembered: a draw takes no time that grows with their number.
    """

    def __init__(self, count: int, seed: int) -> None:
        self.count, self.seed = count, seed
        self._round: tuple[int, Tensor] = (-1, torch.empty(0))

    def draw(self, number: int) -> int:
        """Return draw `number`."""
        epoch, position = divmod(number, self.count)
        drawn, order = self._round
        if drawn != epoch:
            order = torch.randperm(self.count, generator=torch.Generator().manual_seed(mix_seeds(self.seed, epoch)))
            self._round = epoch, order
        return int(order[position])


def find_classes(column: Column, names: Sequence[str]) -> list[int]:
    """Return the numbers of the classes of a column that have one of these names; none where it holds no label maps."""
    classes = column.classes.names if column.classes else ()
    return [index for index, name in enumerate(classes) if name in names]


def group_by(dataset: Dataset, name: str) -> list[list[int]]:
    """Return the samples' numbers by their value of a text column, in the order of the values."""
    groups: dict[str, list[int]] = {}
    for index in range(len(dataset)):
        groups.setdefault(str(dataset.load(index, [name])[name]), []).append(index)
    return [groups[value] for value in sorted(groups)]


def _crop(value: Tensor, crop: int | None, tops: Sequence[float], flip: bool) -> Tensor:
    if crop is not None:
        if min(value.shape[-2:]) < crop:
            value = _grow(value, crop)
        top, left = (round(top * (side - crop)) for top, side in zip(tops, value.shape[-2:], strict=True))
        value = value[..., top : top + crop, left : left + crop]
    return value.flip(-1) if flip else value


def jitter_colours(image: Tensor, amount: float, generator: torch.Generator) -> Tensor:
    """Vary brightness, contrast and saturation of a picture, uint8 3HW, each by a factor 1 - amount to 1 + amount."""
    brightness, contrast, saturation = (1 + amount * (2 * torch.rand(3, generator=generator) - 1)).tolist()
    x = image.float() * brightness
    x = (x - x.mean()) * contrast + x.mean()
    grey = x.mean(0, keepdim=True)
    return (grey + saturation * (x - grey)).round().clamp(0, 255).to(image.dtype)


def _grow(value: Tensor, side: int) -> Tensor:
    """Repeat the last row and column of a picture smaller than the crop."""
    down, right = (max(0, side - extent) for extent in value.shape[-2:])
    planes = value.reshape(-1, *value.shape[-2:]).float()
    return (
        F.pad(planes[None], (0, right, 0, down), mode="replicate")[0]
        .to(value.dtype)
        .reshape(*value.shape[:-2], value.shape[-2] + down, value.shape[-1] + right)
    )


def _cut_alike(values: Sequence[Tensor]) -> list[Tensor]:
    """Cut the middle of each picture, of the size that all of them have; crops are alike already."""
    height, width = (min(WHOLE_LIMIT, *sides) for sides in zip(*(value.shape[-2:] for value in values), strict=True))
    return [_middle(value, height, width) for value in values]


def _middle(value: Tensor, height: int, width: int) -> Tensor:
    top, left = (value.shape[-2] - height) // 2, (value.shape[-1] - width) // 2
    return value[..., top : top + height, left : left + width]


def _compact(value: Tensor | str) -> Tensor | str:
    if isinstance(value, Tensor) and value.is_floating_point():
        return value.half()
    return value.to(torch.uint8) if isinstance(value, Tensor) else value


def _stack(values: Sequence[Tensor | str]) -> Tensor | list[str]:
    if isinstance(values[0], str):
        return [str(value) for value in values]
    stacked = torch.stack(_cut_alike([value for value in values if isinstance(value, Tensor)]))
    if stacked.is_floating_point():
        return stacked.float()
    return stacked.float() / 255 if stacked.dim() == 4 else stacked.long()
