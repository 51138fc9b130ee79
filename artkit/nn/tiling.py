"""How far convolutions see."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import torch
from torch import Tensor, UntypedStorage
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from artkit.errors import ImageError


def reach(*layers: tuple[int, float]) -> int:
    """Return the reach in input pixels of convolutions in a row, each (kernel side, resolution relative to input)."""
    return math.ceil(sum((side // 2) / resolution for side, resolution in layers))


class _Meter(TorchDispatchMode):
    """Adds up the bytes of the tensors that operations make, for as long as they live."""

    def __init__(self) -> None:
        super().__init__()
        self.alive = self.peak = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        made = func(*args, **(kwargs or {}))
        given = {id(leaf.untyped_storage()) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor) and id(leaf.untyped_storage()) not in given:
                self._count(leaf.untyped_storage())
        return made

    def _count(self, storage: UntypedStorage) -> None:
        size = storage.nbytes()
        self.alive += size
        self.peak = max(self.peak, self.alive)
        weakref.finalize(storage, self._drop, size)

    def _drop(self, size: int) -> None:
        self.alive -= size


def peak_bytes(compute: Callable[[], Any]) -> int:
    """Return the most bytes that tensors made by `compute()` take at the same time; its inputs do not count."""
    with _Meter() as meter:
        compute()
    return meter.peak


SMALLEST = 64
"""Side of the smallest tiles that memory steps down to, in pixels of the map that is cut."""
MOST_ALIVE = 4 * 4096
"""Bytes a pixel: no part of a network is known to keep as much, so many pictures need no measuring."""
PART, TILE = 1 / 2, 1 / 16  # shares of the memory: what is computed as a whole may take, and what a tile may take

Part = Callable[..., Tensor]


@dataclass
class Limits:
    """How much memory a step may take, in bytes, the side of tiles where somebody set it, and whether one asked."""

    memory: float = math.inf
    side: int | None = None
    asked: bool = False


@dataclass(frozen=True)
class Span:
    """Pixels `start` to `stop` of a side, and `before` to `after` around them that computing them takes."""

    start: int
    stop: int
    before: int
    after: int

    def seen(self, scale: float) -> slice:
        """Return what is cut out of a map of `scale` times the resolution."""
        return slice(round(self.before * scale), round(self.after * scale))

    def place(self, scale: float) -> slice:
        """Return where the tile's own pixels lie in a map of `scale` times the resolution."""
        return slice(round(self.start * scale), round(self.stop * scale))

    def own(self, length: int) -> slice:
        """Return where they lie in what has become of the cut, now `length` long."""
        scale = length / (self.after - self.before)
        return slice(round((self.start - self.before) * scale), round((self.stop - self.before) * scale))


@dataclass
class Tile:
    """A tile at work; `known` are the sums over the whole picture that its network has asked for so far, in order."""

    rows: Span
    columns: Span
    known: list[Tensor]
    asked: int = field(default=0)

    def cut(self, image: Tensor, scale: float) -> Tensor:
        """Return what the tile sees of an N C H W of `scale` times the resolution of the map that is cut."""
        return image[..., self.rows.seen(scale), self.columns.seen(scale)]

    def own(self, made: Tensor) -> Tensor:
        """Return the tile's own pixels of what has become of its cut."""
        return made[..., self.rows.own(made.shape[-2]), self.columns.own(made.shape[-1])]

    def sum(self, statistic: Callable[..., Tensor], maps: tuple[Tensor, ...]) -> Tensor:
        """Return the next sum that is known; where none is, stop the tile with its own share of it."""
        if self.asked == len(self.known):
            raise _Share(statistic(*map(self.own, maps)))
        self.asked += 1
        return self.known[self.asked - 1]


class _Share(BaseException):
    """A tile's share of a sum that has to be known before any tile can go on."""

    def __init__(self, sums: Tensor) -> None:
        super().__init__()
        self.sums = sums


_limits: ContextVar[Limits | None] = ContextVar("limits", default=None)
_tile: ContextVar[Tile | None] = ContextVar("tile", default=None)


def in_tiles(part: Part, *maps: Tensor, halo: int | None, multiple: int = 1) -> Tensor:
    """Return `part(*maps)`, in tiles where it would take more memory than the step may.

    `maps` are N C H W, the first with the fewest pixels, the others 1, 2, ... times as large; the output's size is in
    any fixed proportion to them. An output pixel depends on no input more than `halo` pixels of the first map away, but
    for what `whole_sum` and artkit's norms see; `halo=None` says that it sees everything. Tiles begin at multiples of
    `multiple` pixels. The result is that of the whole, up to the order of sums. Raises ImageError where the whole is
    needed and more than there is.
    """
    limits = _limits.get()
    if limits is None:
        return part(*maps)
    limits.asked = True
    side = _choose_side(limits, part, maps, halo, multiple)
    while True:
        try:
            with untiled():
                return part(*maps) if side is None else _compute_tiled(part, maps, side, halo or 0, multiple)
        except Exception as error:
            tried = side or max(maps[0].shape[-2:])
            side = _aligned(max(tried // 2, SMALLEST), multiple)
            if halo is None or side >= tried or not is_out_of_memory(error):
                raise


def whole_sum(statistic: Callable[..., Tensor], *maps: Tensor) -> Tensor:
    """Return `statistic(*maps)` of the whole picture, whichever tile of it is being computed.

    `statistic` must be a sum over pixels: that of two halves of a picture adds up to that of the whole. Outside of
    `in_tiles` it is summed over tiles where memory is short. It gets float64, and its result stays that: in float32 the
    order of so many terms shows, and the label maps of two ways to cut a picture would differ.
    """
    tile, limits = _tile.get(), _limits.get()

    def exact(*parts: Tensor) -> Tensor:
        return statistic(*map(_widened, parts))

    if tile is not None:
        return tile.sum(exact, maps)
    side = _choose_side(limits, exact, maps, 0, 1) if limits else None
    if side is None:
        return exact(*maps)
    tiles = _tiles(maps[0].shape[-2:], side, 0, [])
    with untiled():
        return torch.stack([exact(*_cut(tile, maps)) for tile in tiles]).sum(0)


def _widened(image: Tensor) -> Tensor:
    """Return a map in float64, on the CPU where its device has none; whole numbers stay."""
    if not image.is_floating_point():
        return image
    return image.to("cpu" if image.device.type == "mps" else image.device, torch.float64)


def is_tile() -> bool:
    """Tell whether what is being computed is a tile of something larger."""
    return _tile.get() is not None


@contextmanager
def limit_memory(memory: float | None) -> Iterator[None]:
    """Let networks inside the block take `memory` bytes; None changes nothing."""
    with _within(_limits.get() if memory is None else Limits(memory)):
        yield


@contextmanager
def fix_tiles(side: int) -> Iterator[Limits]:
    """Compute inside the block in tiles of `side` pixels, whatever the memory; 0 leaves it to the memory."""
    limits = Limits(side=side)
    with _within(limits if side else _limits.get()):
        yield limits


@contextmanager
def untiled() -> Iterator[None]:
    """Compute pictures inside the block as a whole."""
    with _within(None):
        yield


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, on any device."""
    told = ("can't allocate memory", "out of memory")
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or any(words in str(error) for words in told)


def _choose_side(limits: Limits, part: Part, maps: tuple[Tensor, ...], halo: int | None, multiple: int) -> int | None:
    """Return the side of the tiles, or None for the whole."""
    height, width = maps[0].shape[-2:]
    pixels = len(maps[0]) * height * width
    if height % multiple or width % multiple:
        return None
    if limits.side is not None and halo is not None:
        return _aligned(limits.side, multiple) if limits.side < max(height, width) else None
    if pixels * MOST_ALIVE <= limits.memory * PART:
        return None
    alive = _measure(part, maps, _aligned(SMALLEST, multiple))
    if halo is None:
        check_memory(pixels * alive, limits.memory, maps[0], multiple)
        return None
    if pixels * alive + sum(image.nbytes for image in maps) <= limits.memory * PART:
        return None
    side = math.isqrt(int(limits.memory * TILE / alive / len(maps[0]))) - 2 * halo
    return _aligned(max(side, 2 * halo, SMALLEST), multiple)


def _measure(part: Part, maps: tuple[Tensor, ...], side: int) -> float:
    """Return how many bytes are alive at most for each pixel of the first map, measured on a corner of it."""
    height, width = (min(length, side) for length in maps[0].shape[-2:])
    corner = Tile(Span(0, height, 0, height), Span(0, width, 0, width), [])
    with untiled():
        return peak_bytes(lambda: part(*_cut(corner, maps))) / (len(maps[0]) * height * width)


def check_memory(needed: float, memory: float, image: Tensor, multiple: int) -> None:
    """Raise ImageError when `needed` bytes are more than there are, naming the size that would fit."""
    if needed <= memory:
        return
    height, width = (int(side * math.sqrt(memory / needed)) // multiple * multiple for side in image.shape[-2:])
    raise ImageError(
        f"this network sees the whole picture at once, and {image.shape[-1]}x{image.shape[-2]} pixels take about "
        f"{needed / 1e9:.1f} GB where {memory / 1e9:.1f} GB may be used: give --size {width}x{height}, "
        "or set ARTKIT_MEMORY higher."
    )


def _compute_tiled(part: Part, maps: tuple[Tensor, ...], side: int, halo: int, multiple: int) -> Tensor:
    """Go over the tiles once for every sum that the part asks for, and once more."""
    known: list[Tensor] = []
    while True:
        whole: Tensor | None = None
        sums: Tensor | None = None
        for tile in _tiles(maps[0].shape[-2:], side, _aligned(halo, multiple), known):
            try:
                made = _run_tile(part, maps, tile)
            except _Share as share:
                sums = share.sums if sums is None else sums + share.sums
                continue
            scale = made.shape[-2] / (tile.rows.after - tile.rows.before)
            if whole is None:
                size = [round(length * scale) for length in maps[0].shape[-2:]]
                whole = made.new_empty(0).resize_(*made.shape[:-2], *size, memory_format=torch.channels_last)
            whole[..., tile.rows.place(scale), tile.columns.place(scale)] = tile.own(made)
        if sums is None:
            assert whole is not None
            return whole
        known.append(sums)


def _run_tile(part: Part, maps: tuple[Tensor, ...], tile: Tile) -> Tensor:
    token = _tile.set(tile)
    try:
        return part(*_cut(tile, maps))
    finally:
        _tile.reset(token)


def _cut(tile: Tile, maps: tuple[Tensor, ...]) -> list[Tensor]:
    return [tile.cut(image, image.shape[-2] / maps[0].shape[-2]) for image in maps]


def _tiles(size: torch.Size, side: int, halo: int, known: list[Tensor]) -> Iterator[Tile]:
    for rows, columns in product(*(list(_spans(length, side, halo)) for length in size)):
        yield Tile(rows, columns, known)


def _spans(length: int, side: int, halo: int) -> Iterator[Span]:
    for start in range(0, length, side):
        stop = min(start + side, length)
        yield Span(start, stop, max(start - halo, 0), min(stop + halo, length))


def _aligned(length: int, multiple: int) -> int:
    return -(-length // multiple) * multiple


@contextmanager
def _within(limits: Limits | None) -> Iterator[None]:
    token = _limits.set(limits)
    try:
        yield
    finally:
        _limits.reset(token)
