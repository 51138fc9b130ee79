"""Building the network of a model file, within what the file holds: a header may ask for more than there is memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

from artkit.errors import ModelError

SLACK = 2  # times the file's: networks may be built and thrown away, and norms replaced
SPARE = 1_000  # parameters, and modules, that nobody minds
SPARE_NUMBERS = 1 << 20
MODULES = 8  # for each parameter: activations, sequences and blocks


@contextmanager
def within(shapes: Mapping[str, tuple[int, ...]], path: str | os.PathLike[str]) -> Iterator[None]:
    """Refuse to build much more in the block than the model file at `path`, with tensors of these shapes, can fill.

    Whatever its header says, a network that has more parameters, or more numbers in them, can never be loaded from the
    file; here it is given up before its memory is touched, at the first parameter too many. Raises ModelError.
    """
    from torch.nn.modules import module as registry

    parameters, numbers = SLACK * len(shapes) + SPARE, SLACK * sum(map(prod, shapes.values())) + SPARE_NUMBERS
    limits = {"parameters": parameters, "numbers": numbers, "modules": MODULES * parameters}
    seen, builder = dict.fromkeys(limits, 0), threading.get_ident()

    def count(**more: int) -> None:
        if threading.get_ident() != builder:  # the hooks are the process's, and others build too
            return
        for what, number in more.items():
            seen[what] += number
            if seen[what] > limits[what]:
                raise ModelError(
                    f"{path} does not fit the network its header describes: that has more than {limits[what]} {what}, "
                    f"and the file holds {len(shapes)} tensors."
                )

    def parameter(owner: Any, name: str, value: Any) -> None:
        if value is not None:
            count(parameters=1, numbers=0 if value.is_meta else value.numel())

    def module(owner: Any, name: str, value: Any) -> None:
        count(modules=1)

    handles = [
        registry.register_module_parameter_registration_hook(parameter),
        registry.register_module_module_registration_hook(module),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
