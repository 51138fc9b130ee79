"""Patch discriminators that a code is projected on."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn.discriminators import MultiscaleDiscriminator, discriminator_arguments
from artkit.nn.layout import lay_out
from artkit.nn.options import DiscriminatorOptions


class ProjectionDiscriminator(MultiscaleDiscriminator):
    """Multi-scale PatchGAN that a code is projected on (Miyato and Koyama 2018, eq. 3), at each patch.

    The code may be a style's, or rows of words: then each word has an embedding, and those of a row are added. Without
    a code (`code=0`) it is SPADE's discriminator (Park et al. 2019), but for the padding of its convolutions (1 px, not
    2) and the window of its halving (2 px, not 3).
    """

    def __init__(self, options: DiscriminatorOptions, in_channels: int, code: int = 0) -> None:
        super().__init__(in_channels, **discriminator_arguments(options))
        last = [scale.stages[-1][0].in_channels for scale in self.scales]  # type: ignore[index, union-attr]
        self.projections = nn.ModuleList(nn.Linear(code, channels, bias=False) for channels in last if code)

    def features(self, x: Tensor) -> list[list[Tensor]]:
        """Return each scale's activations of N C H W; the last ones are logits that no code has changed yet."""
        return super().features(lay_out(x))

    def logits(self, features: list[list[Tensor]], w: Tensor) -> list[Tensor]:
        """Return each scale's logits under the codes N `code`."""
        if not len(self.projections):
            return [scale[-1] for scale in features]
        pairs = zip(features, self.projections, strict=True)
        return [scale[-1] + self._agree(scale[-2], project(w), scale[-1]) for scale, project in pairs]

    def _agree(self, x: Tensor, direction: Tensor, logits: Tensor) -> Tensor:
        """Return how far each patch agrees with the code; the last convolution's window is 4 px, as the logits'."""
        agreed = (x * direction[:, :, None, None]).sum(1, keepdim=True) / x.shape[1] ** 0.5
        return F.avg_pool2d(agreed, 2, 1) if agreed.shape != logits.shape else agreed
