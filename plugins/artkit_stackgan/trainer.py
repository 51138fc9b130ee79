"""Train stackgan (Zhang et al. 2016, section 3): stage I, then stage II with stage I fixed."""

from __future__ import annotations

from typing import Any, ClassVar, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import DataError, Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample
from artkit.images import one_hot, paint_labels, resize_image, resize_labels
from artkit.models import Model
from artkit.nn import (
    contrast_l1,
    decode_image,
    divergence_from_noise,
    encode_image,
    feature_matching,
    generator_loss,
    lowpass_l1,
    options_of_arguments,
    read_arguments,
)
from artkit.training import Settings, Trainer, set_trainable, slow_down
from artkit_stackgan import Side, StackganTraining
from artkit_stackgan.arguments import StackganArguments
from artkit_stackgan.discriminators import LayoutEncoder, MatchingDiscriminator
from artkit_stackgan.fitting import Examples, find_visible, fit_colours, fit_layouts, fit_reader
from artkit_stackgan.losses import divergence, draw, find_wrong, matching_aware_loss, reading_loss
from artkit_stackgan.networks import TIMES, Colours, LayoutGenerator, Painter, Reader, TextEncoder
from artkit_stackgan.words import Vocabulary, bag_of, drop_words

SIDES: tuple[Side, ...] = get_args(Side)
MOST_READ = 2000
"""Captions that words are learned from, at most: those of pictures evenly spread over the data."""
LOWPASS_CELL = 8
SLOWLY = 0.1
"""The learning rate, as a factor, of what was worked out in closed form."""
LOSSES = ("discriminator", "adversarial", "matching", "reading", "reconstruction", "prior", "kl", "lowpass", "contrast")


class StackganTrainer(Trainer):
    """D, then G, every step, of one stage after the other. m is a layout, x a picture, c a code, as in the paper."""

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 20_000, "batch": 12, "crop": 256, "learning_rate": 4e-4, "decay_from": 0.6, "ema": 0.998,
    }  # fmt: skip
    averaged = ("text", "generator", "colours", "painter", "reader")
    options: StackganTraining
    text: TextEncoder
    generator: LayoutGenerator
    colours: Colours
    painter: Painter
    reader: Reader
    encoder: LayoutEncoder
    discriminator: MatchingDiscriminator
    second_discriminator: MatchingDiscriminator

    def __init__(self, options: StackganTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.dataset = dataset
        self.caption = (dataset.column(options.caption) if options.caption else dataset.first(Kind.TEXT)).name
        self.picture = (dataset.column(options.picture) if options.picture else dataset.first(Kind.IMAGE)).name
        labels = dataset.column(options.labels) if options.labels else dataset.first(Kind.LABELS)
        if labels.classes is None:
            raise OptionError(f"training stackgan: column '{labels.name}' holds no label maps.")
        self.labels, self.classes = labels.name, labels.classes
        self.columns = (self.labels, self.picture, self.caption)
        self.first_steps = round(options.first * settings.steps)
        self._build()

    def _build(self) -> None:
        options, crop = self.options, self.settings.crop
        side = next((side for side in SIDES if TIMES * side == crop), None)
        if side is None:
            known = ", ".join(str(TIMES * side) for side in SIDES)
            raise OptionError(f"training stackgan(crop={crop}): pictures are {known} px a side.")
        given = {
            name: getattr(options, name)
            for name in ("latent", "embedding", "width", "painter_width", "blocks", "detail")
        }
        words, count = self._read_words(), len(self.classes)
        self.arguments = StackganArguments(words=words, classes=count, sketch=side, **given)
        for name, network in self.arguments.build_all().items():
            setattr(self, name, network)
        if not options.twice:
            self.painter.silence()
        self.encoder = LayoutEncoder(options.latent, count, side, options.width)
        self.discriminator = MatchingDiscriminator(count, side, options.discriminator_width, len(words))
        self.second_discriminator = MatchingDiscriminator(count + 3, crop, options.discriminator_width, len(words))
        betas = (0.0, 0.99)
        self.optimisers = {
            "generator": self.adam("text", "generator", "encoder", betas=betas),
            "painter": self.adam("colours", "painter", betas=betas),
            "discriminator": self.adam("discriminator", betas=betas),
            "second_discriminator": self.adam("second_discriminator", betas=betas),
        }
        fitted = (self.text.base, self.generator.base, self.encoder.base, self.colours.table)
        slow = {parameter for layer in fitted for parameter in layer.parameters()}
        slow_down(self.optimisers["generator"], slow, SLOWLY)
        slow_down(self.optimisers["painter"], slow, SLOWLY)

    def _read_words(self) -> tuple[str, ...]:
        captions = [str(self.dataset.load(index, [self.caption])[self.caption]) for index in self._spread(MOST_READ)]
        self.vocabulary = Vocabulary.of(captions, self.options.most_words)
        if not self.vocabulary.words:
            raise DataError(f"training stackgan: the captions in '{self.caption}' have no word that two of them share.")
        return self.vocabulary.words

    def _spread(self, most: int) -> list[int]:
        """Return the numbers of pictures evenly spread over the data, so many at most."""
        count = min(most, len(self.dataset))
        places: list[int] = torch.linspace(0, len(self.dataset) - 1, count).round().long().tolist()
        return places

    def prepare(self, sample: Sample) -> Sample:
        """Scale picture and label map to the crop: what is learned is whole pictures, and sketches take any shape."""
        labels, picture = torch.as_tensor(sample[self.labels]), torch.as_tensor(sample[self.picture])
        size = (self.settings.crop, self.settings.crop)
        if tuple(picture.shape[-2:]) != size:
            sample[self.labels] = resize_labels(labels, size)
            sample[self.picture] = (resize_image(picture[None].float() / 255, size)[0] * 255).round().to(torch.uint8)
        return sample

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step of the stage whose turn it is."""
        if self.step == 0 and not self.settings.start:
            self.work_out_start()
        if self.step == self.first_steps:
            self._fix_stage_one()
        stage = self._step_one if self.step < self.first_steps else self._step_two
        zero = batch[self.picture].new_zeros(())
        return {**dict.fromkeys(LOSSES, zero), **stage(batch)}

    # -- stage I ------------------------------------------------------------------------------------------------

    def _step_one(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take a step of D, which sees m, G(E(m)) and G(c), and one of G, E and the text encoder."""
        m = self._shrink(self._layouts(batch))
        spoken, said, whole = self._listen(batch, m)
        posterior, prior = self.encoder(m), self.text(spoken)
        logits = self.generator(torch.cat([draw(*posterior), draw(*prior)])).float()
        made, twice = F.softmax(logits, 1), torch.cat([said, said])
        loss = self._update_discriminator("discriminator", m, made.detach(), said, twice, whole)
        losses = self._fool("discriminator", m, made, twice)
        losses["reconstruction"] = F.cross_entropy(logits[: len(m)], m)
        losses["prior"] = divergence(*posterior, *prior).mean()
        losses["kl"] = divergence_from_noise(*prior).mean()
        self.update("generator", self._sum(losses))
        return {"discriminator": loss, **losses}

    # -- stage II -----------------------------------------------------------------------------------------------

    def _step_two(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take a step of the second D, and one of the painter, which paints m and what stage I makes of the words."""
        few = {name: value[: self.options.second_batch] for name, value in batch.items()}
        m, x = self._layouts(few), encode_image(few[self.picture])
        spoken, said, whole = self._listen(few, m)
        with torch.no_grad():
            dreamt = self.harden(self.generator(draw(*self.text(spoken))))
        seen, twice = torch.cat([m, dreamt]), torch.cat([whole, said])
        made = torch.cat([seen, self.paint(seen, twice).float()], 1)
        real = torch.cat([m, x], 1)
        loss = self._update_discriminator("second_discriminator", real, made.detach(), said, twice, whole)
        losses = self._fool("second_discriminator", real, made, twice)
        losses["lowpass"] = lowpass_l1(made[: len(m), -3:], x, LOWPASS_CELL)
        losses["contrast"] = contrast_l1(made[: len(m), -3:], x)
        self.update("painter", self._sum(losses))
        return {"discriminator": loss, **losses}

    def paint(self, layouts: Tensor, said: Tensor) -> Tensor:
        """Paint layouts, one-hot N K H W, as words N V say: N3HW in [-1, 1]."""
        noise = torch.randn_like(layouts[:, :1])
        heard = said if self.options.twice else torch.zeros_like(said)  # so that what is silent stays so
        return self.painter(layouts, self.colours(layouts, said), noise, heard)

    def harden(self, logits: Tensor) -> Tensor:
        """Return the likeliest class at each pixel of the picture, one-hot, of a sketch's logits."""
        size = (self.settings.crop, self.settings.crop)
        return one_hot(F.interpolate(logits.float(), size, mode="bilinear").argmax(1), len(self.classes))

    @torch.no_grad()
    def _fix_stage_one(self) -> None:
        """Let stage II build on the averages of stage I, which stays as it is from here on."""
        for name in ("text", "generator"):
            self.networks[name].load_state_dict(self.exported(name).state_dict())

    # -- both ---------------------------------------------------------------------------------------------------

    def _update_discriminator(
        self, name: str, real: Tensor, made: Tensor, said: Tensor, said_of_made: Tensor, whole: Tensor
    ) -> Tensor:
        """Take one step of a D: real with right words, made, real with wrong words; it learns to read real ones."""
        D = self._discriminator(name)
        set_trainable(D, True)
        features = D.features(real)
        places, found = find_wrong(said, whole, D.visible)
        wrong = D.judge(features, said[places])[0][found]
        loss = matching_aware_loss(D.judge(features, said), D.judge(D.features(made), said_of_made), wrong)
        reading = F.binary_cross_entropy_with_logits(D.read(features[-1]).float(), whole)
        self.update(name, loss + self.options.reading * reading)
        return loss

    def _fool(self, name: str, real: Tensor, made: Tensor, said: Tensor) -> dict[str, Tensor]:
        """Return what a D thinks of made ones, of which the first half are to be like the real ones."""
        D = self._discriminator(name)
        set_trainable(D, False)
        features = D.features(made)
        with torch.no_grad():
            real_features = D.features(real)
        return {
            "adversarial": generator_loss(D.judge(features, said), "hinge"),
            "matching": feature_matching([real_features], [[part[: len(real)] for part in features]]),
            "reading": reading_loss(D.read(features[-1]), said * D.visible),
        }

    def _discriminator(self, name: str) -> MatchingDiscriminator:
        found = self.networks[name]
        assert isinstance(found, MatchingDiscriminator)
        return found

    def _sum(self, losses: dict[str, Tensor]) -> Tensor:
        return torch.stack([getattr(self.options, name) * loss for name, loss in losses.items()]).sum()

    def _layouts(self, batch: dict[str, Any]) -> Tensor:
        return one_hot(batch[self.labels], len(self.classes))

    def _shrink(self, layouts: Tensor) -> Tensor:
        return F.avg_pool2d(layouts, TIMES)

    def _listen(self, batch: dict[str, Any], like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return captions with words left out, N L, what they say then, N V, and all that the captions say."""
        text, count = self.vocabulary.encode(batch[self.caption]).to(like.device), len(self.vocabulary)
        spoken = drop_words(text, torch.rand(len(text), device=like.device) * 2 * self.options.left_out)
        return spoken, bag_of(spoken, count), bag_of(text, count)

    @torch.no_grad()
    def work_out_start(self) -> None:
        """Start all networks as what can be worked out from some of the data; their averages start there, too."""
        places = self._spread(self.options.start_from)
        if len(places) < 2:
            return
        examples, count, device = self._gather(places), len(self.vocabulary), next(self.text.parameters()).device
        fitted = (self.text, self.encoder, self.generator, self.colours, self.reader)
        for network in fitted:
            network.cpu()
        fit_layouts(self.text, self.encoder, self.generator, examples)
        fit_colours(self.colours, examples)
        fit_reader(self.reader, examples)
        said = bag_of(examples.text, count)
        codes = self.encoder(F.interpolate(examples.shares, scale_factor=2.0, mode="nearest"))[0]
        cells = F.adaptive_avg_pool2d(examples.colours, 4).flatten(1)
        self.discriminator.visible.copy_(find_visible(codes, said))
        self.second_discriminator.visible.copy_(find_visible(torch.cat([codes, cells], 1), said))
        for network in fitted:
            network.to(device)
        for name, average in self.averages.items():
            average.load_state_dict(self.networks[name].state_dict())

    def _gather(self, places: list[int]) -> Examples:
        """Load pictures: their layouts and colours at half of the sketch's size, and what is said of them."""
        size, shares, colours, captions = (self.arguments.sketch // 2,) * 2, [], [], []
        for index in places:
            sample = self.dataset.load(index, list(self.columns))
            captions.append(str(sample[self.caption]))
            sample = self.prepare(sample)
            m = one_hot(torch.as_tensor(sample[self.labels])[None].long(), len(self.classes))
            x = encode_image(torch.as_tensor(sample[self.picture])[None].float() / 255)
            shares.append(F.adaptive_avg_pool2d(m, size))
            colours.append(F.adaptive_avg_pool2d(x, size))
        return Examples(torch.cat(shares), torch.cat(colours), self.vocabulary.encode(captions))

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the picture; its layout painted; and what is dreamt of its caption: the layout, and the picture."""
        size = (self.settings.crop, self.settings.crop)
        labels, x = resize_labels(batch[self.labels], size), resize_image(batch[self.picture].float(), size)
        text, generator, colours, painter = (
            self.exported(name) for name in ("text", "generator", "colours", "painter")
        )
        spoken = self.vocabulary.encode(batch[self.caption]).to(x.device)
        said, m = bag_of(spoken, len(self.vocabulary)), one_hot(labels, len(self.classes))
        dreamt = self.harden(generator(draw(*text(spoken))))
        painted = [
            decode_image(painter(layout, colours(layout, said), torch.randn_like(layout[:, :1]), said).float())
            for layout in (m, dreamt)
        ]
        return [x, painted[0], paint_labels(dreamt.argmax(1), self.classes), painted[1]]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return both stages, the text encoder and the reader as a model."""
        header = ModelHeader(
            method="stackgan",
            arguments=self.arguments.record(),
            inputs={},
            output=Kind.IMAGE,
            classes=self.classes,
            **self.arguments.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the networks' arguments; words follow from the data."""
        options = options_of_arguments(read_arguments(model.header, StackganArguments), StackganTraining)
        return {name: value for name, value in options.items() if name != "network"}
