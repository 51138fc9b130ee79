"""Distances and scores, each with a stated protocol; names load on first use.

Every metric takes two lists of pictures, outputs first and targets second, and returns one float. A list may be a
tensor: float N3HW (or one 3HW) in [0, 1] for images, integer NHW (or one HW) for label maps.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
