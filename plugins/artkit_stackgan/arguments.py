"""What the header of a stackgan model records: its words, and its networks' arguments."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from artkit import SizeRule
from artkit.nn import Blocks, Channels, Filters, NetworkArguments, Width
from artkit_stackgan import Side
from artkit_stackgan.networks import TIMES, WIDEST, Colours, LayoutGenerator, Painter, Reader, TextEncoder
from artkit_stackgan.words import Vocabulary

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class StackganArguments(NetworkArguments, frozen=True, kw_only=True, tag="stages"):
    """The words a model knows, and the arguments of its five networks."""

    words: Annotated[tuple[Word, ...], msgspec.Meta(min_length=1, max_length=5000)]
    classes: Channels
    sketch: Side = 64
    latent: Annotated[int, msgspec.Meta(ge=1, le=1024)] = 64
    embedding: Width = 48
    width: Filters = 16
    painter_width: Filters = 32
    blocks: Blocks = 3
    detail: tuple[Width, Width] = (24, 16)

    @property
    def weights(self) -> int:
        """Count the components of layouts, and the widest convolutions."""
        components = self.latent * self.classes * self.sketch**2 // 4
        return components + 9 * (WIDEST * self.width) ** 2 + 18 * self.blocks * self.painter_width**2

    @property
    def size_rule(self) -> SizeRule:
        """Stage II sees cells of so many pixels."""
        return SizeRule(multiple=TIMES, minimum=TIMES)

    @property
    def vocabulary(self) -> Vocabulary:
        """The words, which sentences are taken apart into."""
        return Vocabulary(self.words)

    def build_all(self) -> dict[str, Any]:
        """Make the networks, by the names that a model file has for them."""
        words = len(self.words)
        return {
            "text": TextEncoder(words, self.latent, self.embedding),
            "generator": LayoutGenerator(self.latent, self.classes, self.sketch, self.width),
            "colours": Colours(self.classes, words),
            "painter": Painter(self.classes, words, self.painter_width, self.blocks, self.detail),
            "reader": Reader(words),
        }
