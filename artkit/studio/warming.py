"""Getting msgspec ready before several threads use it.

It builds what it knows of a type when the type is first converted, and another thread that comes in the middle of that
follows a pointer to nothing: the process dies. So every type that threads share is converted once, in one thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import msgspec

from artkit.errors import ArtkitError
from artkit.plugins import Registry
from artkit.spec import parse_options
from artkit.studio.answers import ChainForm, DreamForm, Record
from artkit.studio.describing import describe_methods, describe_models


def warm_up(registry: Registry) -> None:
    """Convert each type that arrives, or that a chain is checked with, once: options, headers, forms."""
    describe_methods(registry)  # reads the headers of all models
    describe_models(registry)
    for owner, options in _options(registry):
        with suppress(ArtkitError):  # where an option has no default
            parse_options(options, {}, owner)
    for kind in (ChainForm, DreamForm, Record):
        with suppress(msgspec.ValidationError):
            msgspec.convert({}, kind)


def _options(registry: Registry) -> Iterator[tuple[str, Any]]:
    yield from ((spec.name, spec.options) for spec in registry.methods.values())
    yield from ((spec.name, spec.options) for spec in registry.datasets.values())
