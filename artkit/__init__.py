"""artkit turns pictures into other pictures: methods are plugins, plugins compose into chains.

    import artkit
    artkit.Chain("semgan,pix2pix,touchup")("semantic.png").save("art.png")

Names load on first use, so that `import artkit` is quick; `__init__.pyi` says where each lives.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
