"""Generator and class encoder of funit as a graph for other programs: a picture in the look of one other."""

from __future__ import annotations

from torch import Tensor, nn

from artkit.nn import decode_image, encode_image


class PortableLook(nn.Module):
    """Shows a picture in the look of one other, at most 256 pixels a side, which is told apart by its moments."""

    def __init__(self, generator: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.generator, self.encoder = generator, encoder

    def forward(self, image: Tensor, style: Tensor, *strokes: Tensor) -> Tensor:
        """Map pictures N3HW and N3hw in [0, 1], and strokes where it takes them, to pictures N3HW."""
        code = self.encoder(encode_image(style))  # as long as all codes are
        return decode_image(self.generator(encode_image(image), strokes[0] if strokes else None, code))
