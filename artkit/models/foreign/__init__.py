"""Checkpoints of pytorch-CycleGAN-and-pix2pix and CUT: read safely, recognised, imported, and written back.

Names load on first use, so that a plugin's hook costs no torch.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
