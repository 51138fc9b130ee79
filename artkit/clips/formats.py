"""Which suffixes clips have; torch-free."""

from __future__ import annotations

ANIMATION_SUFFIXES = frozenset({".gif", ".png", ".apng", ".webp"})
"""Files that may hold one picture or many; artkit reads and writes both."""
CLIP_SUFFIXES = frozenset({".gif", ".apng"})
"""Files that a run of many pictures makes one clip of without being told: nobody keeps stills in them."""
