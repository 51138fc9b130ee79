"""Kinds, ports and size rules: what travels through a method, and in which sizes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What travels through a port.

    `image`: float tensor N3HW, sRGB-encoded, [0, 1]. `labels`: integer tensor NHW with its class set.
    `mask`: float tensor N1HW in [0, 1]. `text`: a string. `picture`: an image, labels or a mask, as it comes; for
    steps that move pixels and change none. Their output is what came in, and alpha goes through them as a mask.
    """

    IMAGE = "image"
    LABELS = "labels"
    MASK = "mask"
    TEXT = "text"
    PICTURE = "picture"


class Need(StrEnum):
    """What a method's training needs of a data set.

    `pictures`: pictures, at least. `pairs`: a picture or label map, and the picture that belongs to it. `labels`: label
    maps. `labelled`: label maps, and the picture of each. `domains`: two columns of pictures, partners or not.
    `classes`: pictures with a text column of few values, a style say. `captions`: pictures with words. `frames`:
    pictures and the ones that follow.
    """

    PICTURES = "pictures"
    PAIRS = "pairs"
    LABELS = "labels"
    LABELLED = "labelled"
    DOMAINS = "domains"
    CLASSES = "classes"
    CAPTIONS = "captions"
    FRAMES = "frames"


@dataclass(frozen=True)
class Port:
    """A named input of a step. The first port of a method is its main one: the previous step feeds it.

    `original`: the chain's own input feeds it when nothing else does. `any_size`: its picture keeps its size; those of
    other ports are resized to the main port's. `many`: it takes several pictures, from one to `most`, and the
    translator gets a list of them, in the order given. `alpha_of`: the mask is the alpha channel of what feeds that
    port, when nothing else feeds it.

    `previous`: so many pictures back in the folder or clip, the chain's input as it came in. At the start, where there
    are fewer, an optional port stays unfed, and a required one gets the first picture there is: as if the clip had
    stood still before. The method comes first in a chain, where its main port gets the chain's input too; with
    `original` as well it may stand anywhere.

    A port of kind TEXT gets words: `-i words='a lake'`, `say(words='a lake')`, else what is known of the picture by the
    port's name, or its caption. The translator gets a tuple of strings, one a picture.

    An option may have the name of an optional port: `nst(style=glass)` sets the option, a picture feeds the port.
    """

    name: str
    kind: Kind
    summary: str = ""
    required: bool = True
    original: bool = False
    any_size: bool = False
    alpha_of: str = ""
    many: bool = False
    most: int = 16
    previous: int = 0

    @property
    def feeds_itself(self) -> bool:
        """True when the chain's input, or one before it, feeds the port when nothing else does."""
        return self.original or self.previous > 0


@dataclass(frozen=True)
class SizeRule:
    """Sizes a network takes, in pixels: sides that are multiples of `multiple` and at least `minimum`.

    `margin` pixels of mirrored picture are put around it and cut off again, for networks that are unsure at borders.
    """

    multiple: int = 1
    minimum: int = 1
    margin: int = 0

    def padded(self, side: int) -> int:
        """Return the smallest allowed side that holds `side` pixels and a margin at both ends."""
        side = max(side + 2 * self.margin, self.minimum)
        return -(-side // self.multiple) * self.multiple


class Tiling(StrEnum):
    """Whether large pictures are computed in tiles.

    `none`: the picture is computed as a whole. `exact`: in tiles where memory is short, with the result of the whole.
    """

    NONE = "none"
    EXACT = "exact"
