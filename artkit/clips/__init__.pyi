"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .animation import open_animation as open_animation
from .animation_writing import write_animation as write_animation
from .clip import Clip as Clip, ClipFrame as ClipFrame, StillClip as StillClip
from .formats import ANIMATION_SUFFIXES as ANIMATION_SUFFIXES, CLIP_SUFFIXES as CLIP_SUFFIXES
