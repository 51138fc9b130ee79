"""Run a SemGAN model, the translator: dream, or segment."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Context, Kind, ModelError, ModelHeader, OptionError, Translator, nearest
from artkit.images import match_exactly, one_hot
from artkit.nn import IMAGE_FIELD, Portable, classes_field, read_arguments
from artkit_semgan import SPEC, SemganOptions
from artkit_semgan.light import even_light
from artkit_semgan.networks import SemganArguments
from artkit_semgan.portable import PortableSegmenter


class Semgan(Translator):
    """Two networks with one output: a class distribution at every pixel, of which the likeliest class is the map's.

    Without a picture, the generator makes the distribution from noise, at its own resolution; it is resized as a
    distribution, so that borders come out smooth, at any size, and things are redrawn in shapes of the data. With a
    picture, the segmenter makes it at its size; the picture comes in float32, whatever the arithmetic of the networks:
    exact class colours must stay exact.
    """

    spec = SPEC
    keeps_float = True
    options: SemganOptions
    header: ModelHeader

    def __init__(self, options: SemganOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        if header.classes is None:
            raise ModelError("this semgan model has no class set in its header: export it again.")
        arguments, self.colours = read_arguments(header, SemganArguments), header.output is Kind.IMAGE
        if self.colours and options.classes is not None:
            raise OptionError("semgan(classes=...): this model dreams colours, not classes: leave classes out.")
        channels = 3 if self.colours else len(header.classes)
        self.generator = arguments.generator.build(channels) if arguments.generator else None
        self.segmenter = arguments.segmenter.build(header.classes) if arguments.segmenter else None
        self.things = arguments.things.build(channels) if arguments.things else None
        allowed = self._parse_classes(options.classes)
        self.barred = [index for index in range(len(header.classes)) if index not in allowed]

    def portable(self) -> Portable | None:
        """Return the segmenter, which reads a picture in the light it has; a model that only dreams has none."""
        if self.segmenter is None or self.header.classes is None:
            return None
        graph = PortableSegmenter(self.segmenter, len(self.header.classes), self.barred)
        return Portable(graph, (IMAGE_FIELD,), classes_field(self.header.classes), self._feed)

    def _feed(self, context: Context, *, image: Tensor) -> tuple[Tensor, ...]:
        assert self.header.classes is not None
        return (even_light(image, self.header.classes),)

    def translate(self, context: Context, *, image: Tensor | None) -> Tensor:
        """Map N3HW in [0, 1], or nothing, to labels N H W; nothing to N3HW, with a model of colours."""
        if image is None:
            return self._dream(context) if self.colours else self._redrawn(self._dream(context))
        if self.segmenter is None:
            raise ModelError("this semgan model only dreams: run it without a picture, or take one that segments.")
        return torch.cat([self._segment(picture) for picture in image.split(1)])

    def _likeliest(self, logits: Tensor) -> Tensor:
        """Return the likeliest class that is allowed, N H W, of logits N K H W."""
        logits[:, self.barred] = -torch.inf
        return logits.argmax(1)

    def _redrawn(self, shares: Tensor) -> Tensor:
        """Return the likeliest class of a dream's shares N K H W, things in the shapes of the data."""
        labels = self._likeliest(shares)
        return labels if self.things is None else self.things.redraw(shares)

    def _dream(self, context: Context) -> Tensor:
        if self.generator is None:
            raise ModelError(
                "this semgan model only segments: give it a picture, or take one that dreams (model=landscape)."
            )
        z = self.options.temperature * context.normal(self.generator.latent)
        logits = one_by_one(self.generator, z)
        shares = torch.sigmoid(logits) if self.colours else F.softmax(logits, 1)
        return F.interpolate(shares, size=(context.height, context.width), mode="bilinear", antialias=True)

    def _segment(self, picture: Tensor) -> Tensor:
        """Segment 1 3 H W: as it is in exact colours of allowed classes; by whole colours, if few; else evenly lit."""
        classes = self.header.classes
        assert classes is not None
        assert self.segmenter is not None
        labels, exact = match_exactly(picture.float(), classes)
        if bool(exact.all()) and not bool(torch.isin(labels, labels.new_tensor(self.barred)).any()):
            return labels
        places = few_colours(picture, len(classes))
        if places is None:
            return self._likeliest(self.segmenter(even_light(picture, classes)).float())
        return self._likeliest(agree_by_colour(self.segmenter(picture).float(), places))

    def _parse_classes(self, text: str | None) -> set[int]:
        names = list(self.header.classes.names) if self.header.classes else []
        chosen = (text or " ".join(names)).replace(",", " ").split()
        for name in chosen:
            if name not in names:
                raise OptionError(f"semgan(classes={text!r}): this model has no class '{name}'.{nearest(name, names)}")
        return {names.index(name) for name in chosen}


def few_colours(picture: Tensor, most: int) -> Tensor | None:
    """Number the colours of a picture 1 3 H W and return that of each pixel, H W; None where there are over `most`."""
    levels = (picture[0].float() * 255).round().long()
    colours, places = torch.unique(levels[0] << 16 | levels[1] << 8 | levels[2], return_inverse=True)
    return places if len(colours) <= most else None


def agree_by_colour(logits: Tensor, places: Tensor) -> Tensor:
    """Give every pixel of a colour what the network thinks of that colour on the whole: logits 1 K H W, colours H W.

    A picture in few colours is a label map in other ones, tinted or drawn by hand: its borders are exact, and only the
    class of each colour is to be found.
    """
    members = one_hot(places[None], int(places.max()) + 1)[0].flatten(1)
    evidence = members @ F.log_softmax(logits, 1)[0].flatten(1).T
    return evidence[places].movedim(-1, 0)[None]


def one_by_one(network: nn.Module, batch: Tensor) -> Tensor:
    """Run a network on each row of a batch by itself: in other batch sizes sums round differently, and borders move."""
    return torch.cat([network(row).float() for row in batch.split(1)])
