"""Run an igan model: the translator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, ImageError, ModelHeader, Translator
from artkit.images import resize_image
from artkit.nn import RESULT_FIELD, Portable, PortableField, decode_image, read_arguments
from artkit.seeds import mix_seeds
from artkit_igan import SPEC, IganOptions
from artkit_igan.losses import colour_loss, edge_loss
from artkit_igan.networks import IganArguments
from artkit_igan.portable import PortableGenerator
from artkit_igan.search import Loss, differentiable, find_code, projection_loss
from artkit_igan.transfer import carry_over, nearness


@dataclass(frozen=True)
class Strokes:
    """What was drawn, at the generator's size: colours N3SS in [-1, 1] where the mask N1SS is, and edges N1SS."""

    colours: Tensor
    mask: Tensor
    edges: Tensor

    @property
    def drawn(self) -> Tensor:
        """Where anything is drawn, N1SS."""
        return torch.maximum(self.mask, self.edges)


class Igan(Translator):
    """The generator and the encoder of a trained model."""

    spec = SPEC
    keeps_float = True  # what is not edited stays bit for bit
    options: IganOptions
    header: ModelHeader

    def __init__(self, options: IganOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.arguments = read_arguments(header, IganArguments).networks
        self.generator, self.encoder = self.arguments.build(), self.arguments.build_encoder()
        self.requires_grad_(False)
        self._last: tuple[Tensor, Tensor] | None = None
        """The photos that were searched for last, and their codes: one stroke follows another on the same photo."""

    def translate(
        self, context: Context, *, image: Tensor | None, edit: Tensor | None, mask: Tensor | None, edges: Tensor | None
    ) -> Tensor:
        """Edit N3HW, or a dream, as strokes say; without strokes, show the picture that the generator finds."""
        strokes = self._read_strokes(context, edit, mask, edges)
        searches = (image is not None and self.options.projection != "encoder") + (strokes is not None)
        z = self._find_start(context, image, searches)
        before = decode_image(self.generator(z))
        if strokes is None:
            return resize_image(before.float(), (context.height, context.width))
        finish = self._finishing(context, image, before, strokes)
        told = self._tell(context, searches - 1, searches, finish)
        edited = find_code(self.generator, z, self._edit_loss(strokes, z), self.options.steps, told)
        return finish(decode_image(self.generator(torch.lerp(z, edited, self._shares(context)))))

    def portable(self) -> Portable:
        """Return the generator: a code to a picture at its own size. What finds codes needs gradients and stays."""
        told = "what the picture shows: normal noise of mean 0 and variance 1 dreams one"
        side = self.arguments.side
        return Portable(
            PortableGenerator(self.generator),
            (PortableField("z", "noise", (1, self.arguments.latent), told),),
            replace(RESULT_FIELD, axes=(1, 3, side, side)),
            lambda context, **ports: (self._find_start(context, ports["image"], 1),),
            lambda output, context: resize_image(output.float(), (context.height, context.width)),
        )

    def _finishing(
        self, context: Context, image: Tensor | None, before: Tensor, strokes: Strokes
    ) -> Callable[[Tensor], Tensor]:
        """Return what makes the output of an edited picture, N3SS in [0, 1]: N3HW."""
        size = (context.height, context.width)
        if image is None or not self.options.transfer:
            return lambda after: resize_image(after.float(), size)
        near = nearness(strokes.drawn, self.options.reach)
        return lambda after: carry_over(image.float(), before.float(), after.float(), near)

    def _shares(self, context: Context) -> Tensor:
        """Return how far each picture of the batch goes to its edit, N 1: so far as is said, or that way in frames."""
        share, frames = self.options.share, self.options.morph
        steps = [number % frames / max(frames - 1, 1) if frames else 1.0 for number in context.numbers]
        return torch.tensor(steps, device=context.device, dtype=context.dtype)[:, None] * share

    def _find_start(self, context: Context, image: Tensor | None, searches: int) -> Tensor:
        """Return the codes that edits start from: the photo's, or a dream's."""
        if image is None:
            return self.options.temperature * self._chance(context).normal(self.arguments.latent)
        side, size = self.arguments.side, (context.height, context.width)
        photo = resize_image(image.float(), (side, side)).to(context.dtype) * 2 - 1
        if self._last is not None and _same(self._last[0], photo):
            return self._last[1]
        z = self.encoder(photo)[0]
        if self.options.projection == "encoder":
            return z
        start = torch.zeros_like(z) if self.options.projection == "optimisation" else z
        told = self._tell(context, 0, searches, lambda made: resize_image(made.float(), size))
        found = find_code(self.generator, start, projection_loss(photo), self.options.steps, told)
        self._last = photo, found
        return found

    def _chance(self, context: Context) -> Context:
        """Return the context that a dream is drawn in: one for all frames of a way."""
        frames = self.options.morph
        starts = tuple(mix_seeds(number // frames, 0) for number in context.numbers) if frames else context.seeds
        return replace(context, seeds=starts)

    def _read_strokes(
        self, context: Context, edit: Tensor | None, mask: Tensor | None, edges: Tensor | None
    ) -> Strokes | None:
        """Return what was drawn; None where nothing was given. Raises ImageError for strokes that are nowhere."""
        if edit is None and edges is None:
            if self.options.morph:
                raise ImageError("igan(morph=...): the way to where? Give strokes: -i edit=STROKES.png.")
            return None
        if edit is not None and mask is None:
            raise ImageError(
                "igan(edit): where are the strokes? Give a picture that is transparent elsewhere (a PNG), or a mask "
                "that is white where they are: -i mask=MASK.png."
            )
        side = self.arguments.side
        shape = (len(context.seeds), 1, side, side)
        colours, found = torch.zeros(len(context.seeds), 3, side, side), torch.zeros(shape)
        if edit is not None and mask is not None:
            colours, found = gather(edit.float().cpu(), mask.float().cpu(), side)
        lines = torch.zeros(shape) if edges is None else resize_image(edges.float().cpu(), (side, side))
        if not float(torch.maximum(found, lines).max()):
            raise ImageError("igan(edit): nothing is drawn: all of it is transparent.")
        return Strokes(*(part.to(context.device, context.dtype) for part in (colours * 2 - 1, found, lines)))

    def _edit_loss(self, strokes: Strokes, start: Tensor) -> Loss:
        """Return the loss of an edit: strokes obeyed, and not far from where the picture was (eq. 4)."""
        options, start = self.options, differentiable(start)
        colours, mask, edges = map(differentiable, (strokes.colours, strokes.mask, strokes.edges))

        def loss(made: Tensor, z: Tensor) -> Tensor:
            drawn = options.edge * edge_loss(made, edges) if bool(edges.any()) else 0.0
            return colour_loss(made, colours, mask) + drawn + options.pull * (z - start).square().mean(1)

        return loss

    def _tell(
        self, context: Context, done: int, searches: int, finish: Callable[[Tensor], Tensor]
    ) -> Callable[[float, Tensor], None]:
        """Return what passes the progress of search `done` of so many on, with a sketch that is finished."""
        return lambda share, made: context.progress((done + share) / searches, lambda: finish(decode_image(made)))


def _same(a: Tensor, b: Tensor) -> bool:
    """Tell whether tensors are equal, bit for bit; of one kind and at one place as well."""
    return (a.dtype, a.device) == (b.dtype, b.device) and torch.equal(a, b)


def gather(edit: Tensor, mask: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Return strokes of any size, N3HW and N1HW, at `side` pixels: their mean colours, and the share that they cover.

    What is transparent has no colour: it does not mix in.
    """
    mask = mask if mask.shape[-2:] == edit.shape[-2:] else resize_image(mask, (edit.shape[-2], edit.shape[-1]))
    laid, covered = (F.interpolate(part, (side, side), mode="bilinear", antialias=True) for part in (edit * mask, mask))
    return laid / covered.clamp_min(1e-6), covered.clamp(0, 1)
