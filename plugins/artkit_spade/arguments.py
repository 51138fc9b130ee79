"""What the header of a spade model records: its networks' arguments; and what the networks are fed with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
import torch
from torch import Tensor, nn

from artkit import SizeRule
from artkit.nn import STROKE_CHANNELS, Arguments, Blocks, Channels, Filters, MomentsEncoder, NetworkArguments, NormKind
from artkit.nn.layout import lay_out
from artkit_spade.networks import ConcatenatedGenerator, TablesGenerator, WordEncoder
from artkit_spade.paper import STEPS, PaperEncoder, PaperGenerator

Code = Annotated[int, msgspec.Meta(ge=1, le=1024)]


class SmallArguments(NetworkArguments, frozen=True, kw_only=True):
    """The arguments that the small generators share, and of their MomentsEncoder."""

    classes: Channels
    noise: Literal["none", "strokes"] = "strokes"
    width: Filters = 64
    blocks: Blocks = 6
    detail: tuple[Filters, Filters] = (32, 24)
    code: Code = 48
    encoder_width: Annotated[int, msgspec.Meta(ge=1, le=256)] = 24

    @property
    def size_rule(self) -> SizeRule:
        """Blocks see 4 x 4 pixels as one; their zero padding shows as a rim about as wide as the margin."""
        return SizeRule(multiple=4, minimum=4, margin=16)

    @property
    def noise_channels(self) -> int:
        """Channels of z."""
        return STROKE_CHANNELS if self.noise == "strokes" else 0

    def build_encoder(self) -> MomentsEncoder:
        """Make the style encoder."""
        return MomentsEncoder(self.encoder_width, self.code)


class TablesArguments(SmallArguments, frozen=True, kw_only=True, tag="tables"):
    """The arguments of a TablesGenerator."""

    @property
    def weights(self) -> int:
        """Count the blocks and their tables."""
        return self.blocks * self.width * (18 * self.width + 4 * self.classes * self.code)

    def build(self) -> TablesGenerator:
        """Make the generator."""
        return TablesGenerator(self.classes, self.noise_channels, self.width, self.blocks, self.detail, self.code)


class ConcatenatedArguments(SmallArguments, frozen=True, kw_only=True, tag="concatenated"):
    """The arguments of a ConcatenatedGenerator."""

    norm: NormKind = "instance"

    @property
    def weights(self) -> int:
        """Count the blocks, and what lets map and code in."""
        return 18 * self.width * (self.blocks * self.width + 8 * (self.classes + self.code))

    def build(self) -> ConcatenatedGenerator:
        """Make the generator."""
        seen = self.classes + self.noise_channels + 1  # the map, strokes, heights
        return ConcatenatedGenerator(seen, self.code, self.width, self.blocks, self.detail, self.norm)


class PaperArguments(NetworkArguments, frozen=True, kw_only=True, tag="paper"):
    """The arguments of a PaperGenerator and its PaperEncoder; the paper's by default."""

    classes: Channels
    width: Filters = 64
    code: Code = 256
    encoder_width: Annotated[int, msgspec.Meta(ge=1, le=256)] = 64
    side: Literal[32, 64, 128, 256, 512, 1024] = 256
    norm: NormKind = "batch"

    @property
    def weights(self) -> int:
        """Count the first three blocks, of 16 `width` filters."""
        return 3 * 18 * (16 * self.width) ** 2

    @property
    def noise_channels(self) -> int:
        """There is no noise but the code."""
        return 0

    @property
    def size_rule(self) -> SizeRule:
        """Sides are doubled five times."""
        return SizeRule(multiple=2**STEPS, minimum=2**STEPS)

    def build(self) -> PaperGenerator:
        """Make the generator."""
        return PaperGenerator(self.classes, self.width, self.code, self.side, self.norm)

    def build_encoder(self) -> PaperEncoder:
        """Make the style encoder."""
        return PaperEncoder(self.encoder_width, self.code, self.side)


class SpadeArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a spade model records: its generator, and the words where nothing is asked or known."""

    generator: TablesArguments | ConcatenatedArguments | PaperArguments
    default_conditions: Annotated[Mapping[str, str], msgspec.Meta(max_length=64)] = msgspec.field(default_factory=dict)

    def build_words(self, words: int) -> nn.Module:
        """Make the network from so many words, one-hot, to a code; from none it is the mean code."""
        return WordEncoder(words, self.generator.code, fixed=isinstance(self.generator, SmallArguments))


def join_input(onehot: Tensor, z: Tensor | None, height: Tensor | None) -> Tensor:
    """Put what a generator sees side by side: the map, strokes, heights; those that there are."""
    return lay_out(torch.cat([onehot, *(part.to(onehot) for part in (z, height) if part is not None)], 1))


def encode_words(rows: Tensor) -> Tensor:
    """Put a one before one-hot rows of words, N W: from no words at all there is still something to learn from."""
    return torch.cat([torch.ones(len(rows), 1), rows], 1)
