"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .classes import read_classes_file as read_classes_file, write_classes_file as write_classes_file
from .conversion import convert as convert
from .formats import (
    LABEL_SUFFIXES as LABEL_SUFFIXES,
    READABLE_SUFFIXES as READABLE_SUFFIXES,
    WRITABLE_SUFFIXES as WRITABLE_SUFFIXES,
)
from .labels import (
    match_exactly as match_exactly,
    match_palette as match_palette,
    nearest_palette as nearest_palette,
    one_hot as one_hot,
    paint_labels as paint_labels,
    resize_image as resize_image,
    resize_labels as resize_labels,
)
from .picture import Picture as Picture, encode_picture as encode_picture, write_picture as write_picture
from .provenance import read_provenance as read_provenance
from .reading import read_picture as read_picture
from .sheet import fold_rows as fold_rows, make_grid as make_grid, make_strip as make_strip
from .terminal import show as show
