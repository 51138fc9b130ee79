"""Stopping work between any two operations on tensors, so that steps need not report how far they have come."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch.overrides import TorchFunctionMode


class Stoppable(TorchFunctionMode):
    """Calls `heed` before every operation of torch in this thread; what it raises ends the work there.

    A step is ended as by Ctrl-C, which may come anywhere. It changes no bit of a result and takes microseconds an
    operation. One operation, and what computes outside torch, goes on to its end.
    """

    def __init__(self, heed: Callable[[], None]) -> None:
        super().__init__()
        self._heed = heed

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Compute an operation, unless the work ends here."""
        self._heed()
        return func(*args, **(kwargs or {}))
