"""Train igan's networks: a VAE and a GAN in one (Larsen et al. 2016; Brock et al. 2016, section 3)."""

from __future__ import annotations

from typing import Any, ClassVar, get_args

import torch
from torch import Tensor

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample
from artkit.images import resize_image
from artkit.models import Model
from artkit.nn import (
    decode_image,
    divergence_from_noise,
    encode_image,
    feature_matching,
    lowpass_l1,
    options_of_arguments,
    read_arguments,
)
from artkit.training import Settings, Trainer, scale_to_crop, set_trainable, slow_down
from artkit_igan import IganTraining, Side
from artkit_igan.fitting import fit_components
from artkit_igan.losses import DREAMT, REAL, RECONSTRUCTED, ternary_loss
from artkit_igan.networks import Discriminator, Encoder, Generator, IganArguments, NetworksArguments

SIDES: tuple[Side, ...] = get_args(Side)
LOWPASS_CELL = 8
SLOWLY = 1e-3
"""The learning rate, as a factor, of the components that were worked out in closed form: a number of a code is a sum
over all pixels, so that steps of Adam, each as large as the rate, would add up."""
CALM = 0.5
"""The discriminator's learning rate, as a factor: reconstructions start as a blur that is soon told from pictures."""


class IganTrainer(Trainer):
    """D, then E and G, every step. x is a picture, z its code, as in the papers."""

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 20_000, "batch": 8, "crop": 64, "learning_rate": 5e-4, "decay_from": 0.4, "ema": 0.998,
    }  # fmt: skip
    averaged = ("generator", "encoder")
    options: IganTraining
    generator: Generator
    encoder: Encoder
    discriminator: Discriminator

    def __init__(self, options: IganTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.dataset = dataset
        self.picture = (dataset.column(options.picture) if options.picture else dataset.first(Kind.IMAGE)).name
        self.columns = (self.picture,)
        side = next((side for side in SIDES if side == settings.crop), None)
        if side is None:
            raise OptionError(
                f"training igan(crop={settings.crop}): pictures are {', '.join(map(str, SIDES))} px a side."
            )
        networks = NetworksArguments(latent=options.latent, side=side, width=options.width)
        self.arguments = IganArguments(networks=networks)
        self.generator, self.encoder = networks.build(), networks.build_encoder()
        self.discriminator = Discriminator(side, options.discriminator_width)
        self.optimisers = {
            "generator": self.adam("generator", "encoder", betas=(0.5, 0.99)),
            "discriminator": self.adam("discriminator", betas=(0.0, 0.99), scale=CALM),
        }
        base = {*self.generator.base.parameters(), *self.encoder.base.parameters()}
        slow_down(self.optimisers["generator"], base, SLOWLY)

    def prepare(self, sample: Sample) -> Sample:
        """Scale the picture until it is as large as the crop: what is learned is whole pictures."""
        return scale_to_crop(sample, self.picture, self.settings.crop)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on D, which tells x, G(E(x)) and G(noise) apart, then one on E and G; these alone at first."""
        if self.step == 0 and not self.settings.start:
            self.work_out_start()
        x = encode_image(batch[self.picture])
        mean, log_variance = self.encoder(x)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        noise = torch.randn_like(mean)
        reconstruction, dream = self.generator(torch.cat([z, noise])).chunk(2)
        losses = {
            "pixels": lowpass_l1(reconstruction, x, 1),
            "lowpass": lowpass_l1(reconstruction, x, LOWPASS_CELL),
            "kl": divergence_from_noise(mean, log_variance).mean(),
            "consistency": (self.encoder(dream)[0] - noise).abs().mean(),
        }
        told = {}
        if self.step >= self.options.warm_up:
            told["discriminator"] = self._update_discriminator(x, reconstruction.detach(), dream.detach())
            losses |= self._ask_discriminator(x, reconstruction, dream)
        weights = self.options
        self.update("generator", torch.stack([getattr(weights, name) * each for name, each in losses.items()]).sum())
        return told | losses

    def _update_discriminator(self, x: Tensor, reconstruction: Tensor, dream: Tensor) -> Tensor:
        set_trainable(self.discriminator, True)
        kinds = {REAL: x, RECONSTRUCTED: reconstruction, DREAMT: dream}
        losses = [ternary_loss(self.discriminator.features(seen)[-1], kind) for kind, seen in kinds.items()]
        loss = torch.stack(losses).mean()
        self.update("discriminator", loss)
        return loss

    def _ask_discriminator(self, x: Tensor, reconstruction: Tensor, dream: Tensor) -> dict[str, Tensor]:
        """Return what D says of a reconstruction, and of dreams: both are to pass for real."""
        set_trainable(self.discriminator, False)
        seen, dreamt = self.discriminator.features(reconstruction), self.discriminator.features(dream)
        with torch.no_grad():
            real = self.discriminator.features(x)
        return {
            "adversarial": (ternary_loss(seen[-1], REAL) + ternary_loss(dreamt[-1], REAL)) / 2,
            "matching": feature_matching([real], [seen]),
        }

    @torch.no_grad()
    def work_out_start(self) -> None:
        """Start as the principal components of some of the pictures, evenly spread over the data."""
        count = min(self.options.start_from, self.dataset.count(self.picture))
        if count < 2:
            return
        side, pictures = self.settings.crop, []
        for index in torch.linspace(0, self.dataset.count(self.picture) - 1, count).round().long().tolist():
            picture = self.prepare(self.dataset.load(index, [self.picture]))[self.picture]
            pictures.append(resize_image(torch.as_tensor(picture)[None].float() / 255, (side, side)))
        device = next(self.generator.parameters()).device
        fit_components(self.encoder, self.generator, (torch.cat(pictures) * 2 - 1).to(device))

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show a picture, its reconstruction, and a dream."""
        side, seen = self.settings.crop, batch[self.picture]
        x = encode_image(resize_image(seen.float(), (side, side)))
        generator, encoder = self.exported("generator"), self.exported("encoder")
        codes = encoder(x)[0], torch.randn(len(x), self.options.latent, device=x.device)
        return [decode_image(x), *(decode_image(generator(z)) for z in codes)]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return generator and encoder as a model."""
        header = ModelHeader(
            method="igan",
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            **self.arguments.networks.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the networks' arguments."""
        options = options_of_arguments(read_arguments(model.header, IganArguments).networks, IganTraining)
        return {name: value for name, value in options.items() if name in ("latent", "width")}
