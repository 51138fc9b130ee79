"""Train pix2pix: a conditional GAN with an L1 loss (Isola et al. 2017, section 3)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample, find_source_and_target
from artkit.images import paint_labels
from artkit.models import Model
from artkit.nn import (
    PATCH_LAYERS,
    STROKE_CHANNELS,
    MultiscaleDiscriminator,
    feature_matching,
    generator_loss,
    init_weights,
    least_side,
    lowpass_l1,
    stroke_noise,
)
from artkit.nn.layout import lay_out
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_pix2pix import Pix2PixTraining
from artkit_pix2pix.continuing import options_of
from artkit_pix2pix.generator import disturb, encode_conditions, encode_input, make_generator, size_multiple

LOWPASS_CELL = 8
SUBPIXEL_MARGIN = 16  # px: its zero padding shows as a rim about so wide


class Pix2PixTrainer(Trainer):
    """D then G, every step, as in the paper; conditions, stroke noise and several scales are ours."""

    defaults: ClassVar[dict[str, Any]] = {"steps": 100_000, "batch": 1, "crop": 256}

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the network, what it is told, and the discriminator where the model holds one."""
        return options_of(model)

    def __init__(self, options: Pix2PixTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options = options
        self.source, self.target = find_source_and_target(dataset, options.source, options.target)
        self.classes = len(self.source.classes) if self.source.classes else None
        self.conditions = {name: dataset.column(name).values for name in options.conditions}
        self.usual = {name: self._usual(values) for name, values in self.conditions.items()}
        self.seeded = options.noise == "strokes" and "seed" in dataset.columns
        self.columns = (self.source.name, self.target.name, *options.conditions, *(["seed"] if self.seeded else []))
        self.told = sum(len(values) for values in self.conditions.values())
        self.noise_channels = STROKE_CHANNELS if options.noise == "strokes" else 0
        self.arguments = self._arguments()
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Lay the strokes that the sample's painting was made with, where the data names its seed."""
        if self.noise_channels:
            picture = sample[self.target.name]
            assert isinstance(picture, Tensor)
            height, width = picture.shape[-2:]
            seed = int(str(sample["seed"])) if self.seeded else mix_seeds(self.settings.seed, int(picture.sum()))
            sample["z"] = stroke_noise(height, width, seed)
        return sample

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the discriminator, then the generator."""
        seen, target = self._seen(batch), batch[self.target.name] * 2 - 1
        disturbed = disturb(
            batch[self.source.name], self.classes, self.options.input_noise, self.options.input_noise_level
        )
        fake = self.networks["generator"](self._input(disturbed, batch), *self._condition(batch))
        real, false = torch.cat([seen, target], 1), torch.cat([seen, fake], 1)
        judged = self.update_discriminator("discriminator", real, false.detach(), self.options.gan)
        return {"discriminator": judged, **self._learn_to_translate(real, false, target, fake)}

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show source, output and target."""
        multiple = size_multiple(self.options.network)
        batch = {name: trim(value, multiple) if isinstance(value, Tensor) else value for name, value in batch.items()}
        source = batch[self.source.name]
        output = self.exported("generator")(self._input(source, batch), *self._condition(batch))
        shown = paint_labels(source, self.source.classes) if self.source.classes else source
        return [shown, (output + 1) / 2, batch[self.target.name]]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the generator as a model."""
        header = ModelHeader(
            method="pix2pix",
            architecture=self.options.network,
            arguments={**self.arguments, "noise": self.options.noise, "usual": self.usual},
            inputs={"image": self.source.kind},
            output=Kind.IMAGE,
            classes=self.source.classes,
            conditions=self.conditions,
            size_multiple=size_multiple(self.options.network),
            size_margin=SUBPIXEL_MARGIN if self.options.network == "subpixel" else 0,
        )
        return header, self.exported_tensors()

    def _arguments(self) -> dict[str, Any]:
        options = self.options
        arguments: dict[str, Any] = {"in_channels": (self.classes or 3) + self.noise_channels, "out_channels": 3}
        arguments |= {"width": options.width, "norm": options.norm}
        if options.network == "subpixel":
            arguments |= {"blocks": options.blocks, "detail": options.detail, "upsample": options.upsample}
            return arguments | {"condition_channels": self.told}
        if self.conditions:
            raise OptionError(
                f"training pix2pix(conditions=...): {options.network} cannot be told any; use network=subpixel."
            )
        filtered = {"antialias": options.antialias} if options.network.startswith("resnet") else {}
        return arguments | {"dropout": options.dropout} | filtered

    def _usual(self, values: tuple[str, ...]) -> str:
        return next((value for value in self.options.usual if value in values), values[0])

    def _build(self) -> None:
        options, layers = self.options, PATCH_LAYERS[self.options.patch]
        self.check_crop(size_multiple(options.network), least_side(layers, len(options.scales)))
        generator = make_generator(options.network, self.arguments)
        judged = (self.classes or 3) + self.noise_channels + self.told + 3
        norm = "instance" if options.norm == "none" else options.norm  # without any, it hardly learns
        discriminator = MultiscaleDiscriminator(judged, options.scales, layers, norm, antialias=options.antialias)
        if options.network != "subpixel":  # its blocks have no norm after them to undo so small a start
            init_weights(generator)
        init_weights(discriminator)
        self.networks = {"generator": generator, "discriminator": discriminator}
        self.optimisers = {name: self.adam(name) for name in self.networks}

    def _learn_to_translate(self, real: Tensor, false: Tensor, target: Tensor, fake: Tensor) -> dict[str, Tensor]:
        options, judge = self.options, self.networks["discriminator"]
        set_trainable(judge, False)
        judged = judge.features(false)  # type: ignore[operator]
        losses = {
            "adversarial": generator_loss([scale[-1] for scale in judged], options.gan),
            "l1": lowpass_l1(fake, target, options.l1_cell),
        }
        loss = self._adversarial_weight() * losses["adversarial"] + options.l1 * losses["l1"]
        if options.lowpass:
            losses["lowpass"] = lowpass_l1(fake, target, LOWPASS_CELL)
            loss = loss + options.lowpass * losses["lowpass"]
        if options.matching:
            with torch.no_grad():
                wanted = judge.features(real)  # type: ignore[operator]
            losses["matching"] = feature_matching(wanted, judged)
            loss = loss + options.matching * losses["matching"]
        self.update("generator", loss)
        return losses

    def _adversarial_weight(self) -> float:
        start, end = self.options.adversarial, self.options.adversarial_end
        return start if end is None else end + (start - end) * self.settings.rate(self.step)

    def _input(self, source: Tensor, batch: dict[str, Any]) -> Tensor:
        return lay_out(encode_input(source, self.classes, batch.get("z")))

    def _condition(self, batch: dict[str, Any]) -> list[Tensor]:
        if not self.conditions:
            return []
        count = len(batch[self.target.name])
        rows = [{name: batch[name][index] for name in self.conditions} for index in range(count)]
        return [encode_conditions(rows, self.conditions).to(batch[self.target.name].device)]

    def _seen(self, batch: dict[str, Any]) -> Tensor:
        """Return what the discriminator sees beside a picture: the clean source, z, the conditions as planes."""
        x = self._input(batch[self.source.name], batch)
        planes = [told[:, :, None, None].expand(-1, -1, *x.shape[-2:]) for told in self._condition(batch)]
        return torch.cat([x, *planes], 1)
