"""What fills the pixels that padding and turning add."""

from __future__ import annotations

import torch
from PIL import ImageColor
from torch import Tensor

from artkit import OptionError
from artkit.nn import reflect_index


class Fill:
    """The mirrored picture, its repeated edge, a colour for images, or a class for label maps.

    A mask is 0 in a coloured border: what a border adds to a picture with alpha is transparent. `method` is named in
    the OptionError for a colour that there is not.
    """

    def __init__(self, method: str, fill: int | str) -> None:
        self.method, self.fill = method, fill
        self.rgb: tuple[int, ...] | None = None
        if isinstance(fill, str) and not self.repeats:
            try:
                self.rgb = ImageColor.getrgb(fill)[:3]
            except ValueError:
                raise self._error("is no colour") from None
        elif isinstance(fill, int) and fill < 0:
            raise self._error("is no class: they count from 0")

    @property
    def repeats(self) -> bool:
        """True when the picture itself goes on."""
        return self.fill in ("mirror", "edge")

    def colour(self, picture: Tensor) -> Tensor:
        """Return what a new pixel of an image, a mask or a label map holds, in the shape of one pixel.

        Raises OptionError for a class in an image, and a colour in a label map.
        """
        labels = not picture.is_floating_point()
        if labels != isinstance(self.fill, int):
            raise self._error("fits no label map, which has classes" if labels else "is a class, for label maps only")
        if picture.shape[1] == 1 and not labels:
            return picture.new_zeros(1, 1, 1, 1)
        return picture.new_tensor(self.fill) if labels else picture.new_tensor(self.rgb).div(255)[None, :, None, None]

    def index(self, side: int, padded: int, margin: int) -> Tensor:
        """Return `padded` indices into `side` pixels from -`margin` on, mirrored or held at the edges."""
        if self.fill == "mirror":
            return reflect_index(side, padded, margin)
        return (torch.arange(padded) - margin).clamp(0, side - 1)

    def _error(self, problem: str) -> OptionError:
        return OptionError(
            f"{self.method}(fill={self.fill!r}): {self.fill!r} {problem}. Write mirror, edge, a colour such as "
            "white or '#e0d0c0', or for a label map a class index such as 0."
        )
