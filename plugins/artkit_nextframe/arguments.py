"""What the header of a nextframe model records: its network's arguments."""

from __future__ import annotations

from artkit import SizeRule
from artkit.nn import Arguments, Blocks, Filters, NetworkArguments, SubpixelArguments
from artkit_nextframe.networks import SEEN, FlowPredictor, Pgn
from artkit_nextframe.prednet import PredNet


class FlowArguments(NetworkArguments, frozen=True, kw_only=True, tag="flow"):
    """The arguments of a FlowPredictor."""

    width: Filters = 48
    blocks: Blocks = 4
    detail: tuple[Filters, Filters] = (24, 16)

    @property
    def _network(self) -> SubpixelArguments:
        return SubpixelArguments(
            in_channels=3 * SEEN, out_channels=6, width=self.width, blocks=self.blocks, detail=self.detail,
            norm="none", upsample="resize",
        )  # fmt: skip

    @property
    def weights(self) -> int:
        """Count the blocks."""
        return self._network.weights

    @property
    def size_rule(self) -> SizeRule:
        """The rule of the network that finds the motion."""
        return self._network.size_rule

    def build(self) -> FlowPredictor:
        """Make the network."""
        return FlowPredictor(self._network.build())


class PgnArguments(NetworkArguments, frozen=True, kw_only=True, tag="pgn"):
    """The arguments of a Pgn."""

    width: Filters = 48
    blocks: Blocks = 4
    detail: tuple[Filters, Filters] = (24, 16)

    @property
    def weights(self) -> int:
        """Count the recurrence and the blocks."""
        return 18 * self.width**2 * (3 + self.blocks)

    @property
    def size_rule(self) -> SizeRule:
        """It sees 4 x 4 pixels as one; zero padding shows as a rim about as wide as the margin."""
        return SizeRule(multiple=4, minimum=4, margin=16)

    def build(self) -> Pgn:
        """Make the network."""
        return Pgn(**self.values())


class PredNetArguments(NetworkArguments, frozen=True, kw_only=True, tag="prednet"):
    """The arguments of a PredNet of three layers, of 3, `width` and 2 `width` channels."""

    width: Filters = 32

    @property
    def weights(self) -> int:
        """Count the topmost recurrence, the largest."""
        return 36 * 2 * self.width * 6 * self.width

    @property
    def size_rule(self) -> SizeRule:
        """Sides are halved twice."""
        return SizeRule(multiple=4, minimum=4, margin=16)

    def build(self) -> PredNet:
        """Make the network."""
        return PredNet((3, self.width, 2 * self.width))


class NextFrameArguments(Arguments, frozen=True, kw_only=True):
    """What the header of a nextframe model records."""

    predictor: FlowArguments | PgnArguments | PredNetArguments
