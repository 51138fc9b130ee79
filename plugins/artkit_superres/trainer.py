"""Train SRGAN or its MSE twin (Ledig et al. 2017), for several scales at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset
from artkit.models import Model
from artkit.nn import (
    Edsr,
    MultiscaleDiscriminator,
    PerceptualLoss,
    encode_image,
    enlarge_bicubic,
    feature_matching,
    generator_loss,
    least_side,
    make_discriminator,
    options_of_arguments,
    read_arguments,
)
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_superres import SuperresTraining
from artkit_superres.degradation import degrade, shrink
from artkit_superres.losses import texture_loss
from artkit_superres.networks import SuperresArguments, grow, network_arguments, network_name


class SuperresTrainer(Trainer):
    """Trainer of SRGAN: for each scale, shrink pictures, enlarge them again, learn from the difference.

    Differs from the paper: the perceptual loss compares features of the discriminator (`matching`), the strength of
    fixed random filters' responses (`texture`) and, where the extra is installed, features of EfficientNet-Lite0
    (`perceptual`) instead of VGG's, and the discriminator is a PatchGAN.
    """

    defaults: ClassVar[dict[str, Any]] = {"batch": 16, "crop": 96, "learning_rate": 1e-4}
    options: SuperresTraining

    def __init__(self, options: SuperresTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        pictures = [column.name for column in dataset.columns.values() if column.kind is Kind.IMAGE]
        self.columns = tuple(dataset.column(name).name for name in options.sources) or tuple(pictures)
        self._check()
        self.perceptual_loss = PerceptualLoss() if options.perceptual else None
        self.adversarial = options.adversarial > 0 or options.matching > 0
        self.averaged = tuple(network_name(scale) for scale in options.scales)
        self._build()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """Return the options of SuperresTraining that give networks of the same tensors."""
        networks = read_arguments(model.header, SuperresArguments).by_scale
        first = next(iter(networks.values()))
        built = options_of_arguments(first, SuperresTraining)  # width and blocks, which all scales share
        return {**built, "network": first.architecture, "scales": list(networks)}

    def fit_start(self, model: Model) -> Model:
        """See Trainer: a model may be narrower or shallower, and goes on within the larger network (see `grow`)."""
        tensors = dict(model.tensors)
        for scale, network in self.generators.items():
            prefix = f"{network_name(scale)}."
            own = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            if own and isinstance(network, Edsr):
                tensors |= {f"{prefix}{key}": value for key, value in grow(own, network).items()}
        return replace(model, tensors=tensors)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update, scale by scale, the discriminator and then the generator."""
        pictures = torch.cat([batch[name] for name in self.columns])
        losses: dict[str, Tensor] = {}
        for scale in self.options.scales:
            side = self.settings.crop * scale // max(self.options.scales)  # as many input pixels for every network
            learned = self._learn(scale, pictures[..., :side, :side])
            losses |= {f"{name}_x{scale}": loss for name, loss in learned.items()}
        return losses

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show, of the last column, the bicubic enlargement and ours at the largest scale, and the original."""
        scale = max(self.options.scales)
        target = trim(batch[self.columns[-1]], scale)
        small = shrink(target, scale)
        return [enlarge_bicubic(small, scale), self.exported(network_name(scale))(small), target]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the networks of all scales as one model."""
        header = ModelHeader(
            method="superres",
            architecture=self.options.network,
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            value_range=(0.0, 1.0),
            size_multiple=self.arguments.size_multiple,
            training={"start": self.settings.start} if self.settings.start else {},
        )
        return header, self.exported_tensors()

    def _check(self) -> None:
        options, known = self.options, (2, 4)
        if not self.columns:
            raise OptionError("training superres: the data has no column of pictures to learn from.")
        if not options.scales or set(options.scales) - set(known) or len(set(options.scales)) < len(options.scales):
            raise OptionError(f"training superres(scales={options.scales}): it learns scales 2 and 4, each once.")
        largest, smallest = max(options.scales), min(options.scales)
        self.check_crop(2 * largest, least_side(options) * largest // smallest)

    def _build(self) -> None:
        options = self.options
        self.generators: dict[int, nn.Module] = {}
        self.discriminators: dict[int, MultiscaleDiscriminator] = {}
        self.arguments = SuperresArguments(
            networks=tuple(
                network_arguments(options.network, scale, options.width, options.blocks) for scale in options.scales
            )
        )
        for scale, arguments in self.arguments.by_scale.items():
            name, discriminator = network_name(scale), discriminator_name(scale)
            self.networks[name] = self.generators[scale] = arguments.build()
            self.optimisers[name] = self.adam(name, betas=(0.9, 0.999))
            if self.adversarial:
                self.networks[discriminator] = self.discriminators[scale] = make_discriminator(options, 3)
                self.optimisers[discriminator] = self.adam(discriminator, betas=(0.5, 0.999))

    def _learn(self, scale: int, target: Tensor) -> dict[str, Tensor]:
        """Take one step on D, then one on G, for a scale; `target` is the high-resolution I_HR, N3HW in [0, 1]."""
        output = self.generators[scale](degrade(target, scale, self.options.plain, self.options.jpeg))
        losses = {}
        if self.adversarial:
            real, fake = encode_image(target), encode_image(output)
            losses["discriminator"] = self.update_discriminator(discriminator_name(scale), real, fake, self.options.gan)
        return losses | self._update_generator(scale, output, target)

    def _update_generator(self, scale: int, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Take one step on G: the losses on pixels, texture and features, the adversarial one, and matching."""
        options = self.options
        pixel = F.mse_loss if options.pixel == "mse" else F.l1_loss
        losses: dict[str, Tensor] = {options.pixel: pixel(output.float(), target)}
        loss = options.content * losses[options.pixel]
        if options.texture:
            losses["texture"] = texture_loss(output, target)
            loss = loss + options.texture * losses["texture"]
        if self.perceptual_loss:
            losses["perceptual"] = self.perceptual_loss(output, target)
            loss = loss + options.perceptual * losses["perceptual"]
        if self.adversarial:
            losses |= self._adversarial_losses(self.discriminators[scale], output, target)
            loss = loss + options.adversarial * losses["adversarial"] + options.matching * losses["matching"]
        self.update(network_name(scale), loss)
        return losses

    def _adversarial_losses(
        self, discriminator: MultiscaleDiscriminator, output: Tensor, target: Tensor
    ) -> dict[str, Tensor]:
        set_trainable(discriminator, False)
        fake = discriminator.features(encode_image(output))
        with torch.no_grad():
            real = discriminator.features(encode_image(target))
        fake_logits, real_logits = ([scale[-1] for scale in features] for features in (fake, real))
        return {
            "adversarial": generator_loss(fake_logits, self.options.gan, real_logits),
            "matching": feature_matching(real, fake),
        }


def discriminator_name(scale: int) -> str:
    """Return what a run calls the discriminator of the network of `scale`."""
    return f"discriminator_{network_name(scale)}"
