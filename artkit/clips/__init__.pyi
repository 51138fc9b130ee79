"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .animation import open_animation as open_animation
from .animation_writing import write_animation as write_animation
from .clip import Clip as Clip, ClipFrame as ClipFrame, StillClip as StillClip
from .formats import (
    ANIMATION_SUFFIXES as ANIMATION_SUFFIXES,
    CLIP_SUFFIXES as CLIP_SUFFIXES,
    MOVIE_SUFFIXES as MOVIE_SUFFIXES,
    WRITABLE_MOVIE_SUFFIXES as WRITABLE_MOVIE_SUFFIXES,
)
from .movie import Movie as Movie, open_movie as open_movie
from .movie_writing import look_of as look_of, pack_piece as pack_piece, write_movie as write_movie
from .pyav import need_pyav as need_pyav
from .sound import check_sound as check_sound
