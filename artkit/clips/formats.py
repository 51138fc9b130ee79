"""Which suffixes clips have; torch-free."""

from __future__ import annotations

ANIMATION_SUFFIXES = frozenset({".gif", ".png", ".apng", ".webp"})
"""Files that may hold one picture or many; artkit reads and writes both."""
WRITABLE_MOVIE_SUFFIXES = frozenset({".mp4", ".mov", ".mkv"})
MOVIE_SUFFIXES = WRITABLE_MOVIE_SUFFIXES | {
    *(".m4v", ".webm", ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".3gp", ".ogv", ".flv", ".wmv", ".asf")
}
"""Movie files, which take the extra `video`."""
CLIP_SUFFIXES = frozenset({".gif", ".apng"}) | WRITABLE_MOVIE_SUFFIXES
"""Files that a run of many pictures makes one clip of without being told: nobody keeps stills in them."""
