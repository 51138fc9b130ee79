"""artkit turns pictures into other pictures: methods are plugins, plugins compose into chains.

    import artkit
    artkit.Chain("semgan,pix2pix,touchup")("semantic.png").save("art.png")

Names load on first use, so that `import artkit` is quick; `__init__.pyi` says where each lives.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import lazy_loader

__version__ = "0.1.0"

_find, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    """Load a public name on first use; `models` is a room and a function, so it is always the room, which is called."""
    return import_module("artkit.models") if name == "models" else _find(name)
