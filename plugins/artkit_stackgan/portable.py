"""Stage I, or both stages, as a graph for other programs: from the words of a sentence to the picture."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

from artkit.nn import class_planes, decode_image
from artkit_stackgan.networks import Colours, LayoutGenerator, Painter, TextEncoder, enlarge
from artkit_stackgan.words import bag_of


class PortableSketch(nn.Module):
    """Stage I: encoder, generator of layouts, and colours."""

    def __init__(
        self, text: TextEncoder, generator: LayoutGenerator, colours: Colours, side: int, truncation: float
    ) -> None:
        super().__init__()
        self.text, self.generator, self.colours = text, generator, colours
        self.side, self.truncation = side, truncation

    def forward(self, words: Tensor, noise: Tensor) -> Tensor:
        """Map sentences N L and noise N `latent` to sketches N 3 `side` `side` in [0, 1]."""
        logits, said = _lay_out(self.text, self.generator, words, self.truncation * noise)
        return decode_image(self.colours(enlarge(logits, (self.side, self.side)), said))


class PortablePainting(nn.Module):
    """Both stages: a layout as stage I has it, at the size of the picture, painted by stage II."""

    def __init__(
        self, text: TextEncoder, generator: LayoutGenerator, colours: Colours, painter: Painter, truncation: float
    ) -> None:
        super().__init__()
        self.text, self.generator, self.colours, self.painter = text, generator, colours, painter
        self.truncation = truncation

    def forward(self, words: Tensor, noise: Tensor, grain: Tensor) -> Tensor:
        """Map sentences N L, noise N `latent` and grain N1HW to pictures N3HW in [0, 1]."""
        logits, said = _lay_out(self.text, self.generator, words, self.truncation * noise)
        size = (grain.shape[-2], grain.shape[-1])
        layout = class_planes(F.interpolate(logits, size, mode="bilinear").argmax(1), self.generator.classes)
        return decode_image(self.painter(layout, self.colours(layout, said), grain, said))


def _lay_out(text: TextEncoder, generator: LayoutGenerator, words: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return the logits of a layout, and which words are said."""
    mean, log_variance = text(words)
    return generator(mean + (log_variance / 2).exp() * noise), bag_of(words, text.words)
