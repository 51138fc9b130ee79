"""A cache of tensors that many pictures share, such as random fields of one size and seed."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import torch
from torch import Tensor


class TensorCache:
    """The tensors used last, by key, at most `limit` bytes of them; threads may share one.

    What it returns is the caller's own copy, made in the mode (inference or not) the caller is in: nothing that is done
    to it changes what is kept. Tensors over the limit are made each time.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Tensor] = OrderedDict()

    @property
    def size(self) -> int:
        """The bytes of what is kept."""
        with self._lock:
            return self._size()

    def get(self, key: Hashable, make: Callable[[], Tensor]) -> Tensor:
        """Return the tensor kept under `key`, or what `make` returns, which is kept from now on.

        `make` runs without gradients, and outside the lock: two threads that want the same tensor at the same moment
        both make it, and none waits for another's.
        """
        with self._lock:
            value = self._kept.get(key)
            if value is not None:
                self._kept.move_to_end(key)
        if value is None:
            with torch.inference_mode(False), torch.no_grad():  # so that it may serve in training, too
                value = make()
            if value.nbytes > self.limit:
                return value
            self._keep(key, value)
        return value.clone()

    def _keep(self, key: Hashable, value: Tensor) -> None:
        with self._lock:
            self._kept[key] = value
            while self._size() > self.limit:
                self._kept.popitem(last=False)

    def _size(self) -> int:
        return sum(value.nbytes for value in self._kept.values())
