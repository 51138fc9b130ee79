"""Train pix2pix: a conditional GAN with an L1 loss (Isola et al. 2017, section 3)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample, find_source_and_target
from artkit.images import paint_labels
from artkit.models import Model
from artkit.nn import (
    Conditions,
    MultiscaleDiscriminator,
    condition_planes,
    decode_image,
    encode_image,
    feature_matching,
    fit_words,
    generator_arguments,
    generator_loss,
    heights,
    init_weights,
    least_side,
    lowpass_l1,
    make_discriminator,
    options_of_arguments,
    options_of_discriminator,
    read_arguments,
    stroke_noise,
)
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, slow_down, trim
from artkit_pix2pix import Pix2PixTraining
from artkit_pix2pix.networks import Pix2PixArguments, disturb, encode_input, noise_channels

LOWPASS_CELL = 8


class Pix2PixTrainer(Trainer):
    """D, then G, every step, as in the paper; conditions, stroke noise and several scales are ours."""

    defaults: ClassVar[dict[str, Any]] = {"steps": 100_000, "batch": 1, "crop": 256}
    options: Pix2PixTraining
    generator: nn.Module
    discriminator: MultiscaleDiscriminator

    def __init__(self, options: Pix2PixTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.source, self.target = find_source_and_target(dataset, options.source, options.target)
        self.classes = len(self.source.classes) if self.source.classes else None
        self.conditions = find_conditions(dataset, options)
        self.seeded = options.noise == "strokes" and "seed" in dataset.columns
        self.columns = (self.source.name, self.target.name, *options.conditions, *(["seed"] if self.seeded else []))
        self._build()

    def _build(self) -> None:
        options, condition_channels = self.options, self.conditions.channels
        seen = (self.classes or 3) + noise_channels(options.noise) + options.heights
        arguments = generator_arguments(options.network, options, seen, 3, condition_channels)
        self.check_crop(arguments.size_rule.multiple, least_side(options))
        self.arguments = Pix2PixArguments(
            generator=arguments,
            noise=options.noise,
            heights=options.heights,
            default_conditions=dict(self.conditions.defaults),
        )
        self.generator = arguments.build()
        self.discriminator = make_discriminator(options, seen + condition_channels + 3, antialias=options.antialias)
        if options.network != "subpixel":  # its blocks have no norm after them to undo so small a start
            init_weights(self.generator)
        init_weights(self.discriminator)
        self.optimisers = {name: self.adam(name) for name in self.networks}
        if options.words_rate != 1:
            films = {weight for name, weight in self.generator.named_parameters() if ".film." in name}
            slow_down(self.optimisers["generator"], films, options.words_rate)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on D (eq. 1, which it maximises), then one on G (eq. 4).

        x, y, z are the paper's: the source, the target, the noise. D sees x beside a picture, real (x, y) or fake
        (x, G(x, z)), and so the conditions too.
        """
        x, y = self._encode(batch), encode_image(batch[self.target.name])
        disturbed = self._encode(batch, self.options.input_noise) if self.options.input_noise != "none" else x
        conditions = self._encode_conditions(batch)
        fake = self.generator(disturbed, *conditions)
        seen = torch.cat([x, *(condition_planes(rows, y) for rows in conditions)], 1)
        real_pair, fake_pair = torch.cat([seen, y], 1), torch.cat([seen, fake], 1)
        loss = self.update_discriminator("discriminator", real_pair, fake_pair, self.options.gan)
        return {"discriminator": loss, **self._update_generator(y, fake, real_pair, fake_pair)}

    def _update_generator(self, y: Tensor, fake: Tensor, real_pair: Tensor, fake_pair: Tensor) -> dict[str, Tensor]:
        """Take one step on G: the adversarial loss, and lambda times L1 (eq. 3 and 4); other terms are ours."""
        options = self.options
        set_trainable(self.discriminator, False)
        features = self.discriminator.features(fake_pair)
        with torch.no_grad():
            compares = options.matching or options.gan == "relativistic"
            real_features = self.discriminator.features(real_pair) if compares else []
        losses = {
            "adversarial": generator_loss(logits(features), options.gan, logits(real_features)),
            "l1": lowpass_l1(fake, y, options.l1_cell),
        }
        loss = self._adversarial_weight() * losses["adversarial"] + options.l1 * losses["l1"]
        if options.lowpass:
            losses["lowpass"] = lowpass_l1(fake, y, LOWPASS_CELL)
            loss = loss + options.lowpass * losses["lowpass"]
        if options.matching:
            losses["matching"] = feature_matching(real_features, features)
            loss = loss + options.matching * losses["matching"]
        self.update("generator", loss)
        return losses

    def _adversarial_weight(self) -> float:
        start, end = self.options.adversarial, self.options.adversarial_end
        return start if end is None else end + (start - end) * self.settings.rate(self.step)

    def prepare(self, sample: Sample) -> Sample:
        """Lay the strokes that the sample's painting was made with, where the data names its seed, and note heights."""
        picture = sample[self.target.name]
        assert isinstance(picture, Tensor)
        height, width = picture.shape[-2:]
        if self.options.heights:
            sample["heights"] = heights(height, width)
        if self.options.noise == "strokes":
            seed = int(str(sample["seed"])) if self.seeded else mix_seeds(self.settings.seed, int(picture.sum()))
            sample["z"] = stroke_noise(height, width, seed)
        return sample

    def _encode(self, batch: dict[str, Any], input_noise: str = "none") -> Tensor:
        """Return x as the generator takes it, z and heights behind it."""
        source = disturb(batch[self.source.name], self.classes, input_noise, self.options.input_noise_level)
        return encode_input(source, self.classes, batch.get("z"), batch.get("heights"))

    def _encode_conditions(self, batch: dict[str, Any]) -> list[Tensor]:
        if not self.conditions:
            return []
        return [self.conditions.encode_columns(batch).to(batch[self.target.name].device)]

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show source, output and target."""
        multiple = self.arguments.generator.size_rule.multiple
        batch = {name: trim(value, multiple) if isinstance(value, Tensor) else value for name, value in batch.items()}
        source = batch[self.source.name]
        output = self.exported("generator")(self._encode(batch), *self._encode_conditions(batch))
        shown = paint_labels(source, self.source.classes) if self.source.classes else source
        return [shown, decode_image(output), batch[self.target.name]]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the generator as a model."""
        header = ModelHeader(
            method="pix2pix",
            arguments=self.arguments.record(),
            inputs={"image": self.source.kind},
            output=Kind.IMAGE,
            classes=self.source.classes,
            conditions={name: tuple(words) for name, words in self.conditions.known.items()},
            **self.arguments.generator.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the generator, its conditions, and the discriminator where the model holds one."""
        arguments = read_arguments(model.header, Pix2PixArguments)
        options = options_of_arguments(arguments.generator, Pix2PixTraining)
        options |= {"noise": arguments.noise, "heights": arguments.heights}
        options |= options_of_discriminator(model.tensors, "discriminator")
        if model.header.conditions:
            defaults = list(arguments.default_conditions.values())
            options |= {"conditions": list(model.header.conditions), "default_conditions": defaults}
        return options

    def fit_start(self, model: Model) -> Model:
        """See Trainer: a model may know other words than the data, such as none for the style."""
        return replace(model, tensors=fit_words(model.tensors, model.header.conditions, self.conditions.known))


def find_conditions(dataset: Dataset, options: Pix2PixTraining) -> Conditions:
    """Return the conditions that the options name: text columns, and the words of theirs that are the defaults.

    Raises OptionError for a column of free text, and for a word that none has.
    """
    known = {name: dataset.column(name).values for name in options.conditions}
    if free := next((name for name, words in known.items() if not words), None):
        raise OptionError(f"training pix2pix(conditions): '{free}' is no text column of few words.")
    defaults = {name: words[0] for name, words in known.items()}
    asked = Conditions(known).parse(" ".join(options.default_conditions), "training pix2pix", "default_conditions")
    return Conditions(known, defaults | dict(asked.words))


def logits(features: list[list[Tensor]]) -> list[Tensor]:
    """Return each scale's logits: the last of its activations."""
    return [scale[-1] for scale in features]
