"""The model file and the store; names load on first use, so that reading a header costs no torch."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from artkit.models.store import StoredModel

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


class _Room(ModuleType):
    """This module, which is also the function `artkit.models()`: Python gives both the same name."""

    def __call__(self, method: str | None = None) -> dict[str, StoredModel]:
        from artkit.models.listing import models

        return models(method)


sys.modules[__name__].__class__ = _Room
