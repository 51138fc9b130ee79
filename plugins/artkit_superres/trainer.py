"""Train SRGAN or its MSE twin (Ledig et al. 2017), for several scales at once."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset
from artkit.models import Model
from artkit.nn import (
    PATCH_LAYERS,
    PatchDiscriminator,
    enlarge_bicubic,
    feature_matching,
    generator_loss,
    least_side,
)
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_superres import SuperresTraining
from artkit_superres.losses import texture_gap
from artkit_superres.networks import arguments_for, make_network, network_name, shrink


class SuperresTrainer(Trainer):
    """For each scale: shrink pictures, enlarge them again, learn from the difference.

    Differs from the paper: the perceptual loss compares features of the discriminator (`matching`) and the strength of
    fixed random filters' responses (`texture`) instead of VGG's features, and the discriminator judges patches.
    """

    defaults: ClassVar[dict[str, Any]] = {"batch": 16, "crop": 96, "learning_rate": 1e-4}
    options: SuperresTraining

    def __init__(self, options: SuperresTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options = options
        pictures = [column.name for column in dataset.columns.values() if column.kind is Kind.IMAGE]
        self.columns = tuple(dataset.column(name).name for name in options.sources) or tuple(pictures)
        self._check()
        self.adversarial = options.adversarial > 0 or options.matching > 0
        self.averaged = tuple(network_name(scale) for scale in options.scales)  # type: ignore[misc]
        self._build()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """Return the options of SuperresTraining that give networks of the same tensors."""
        scales = model.header.arguments["scales"]
        built = {name: value for one in scales.values() for name, value in one.items() if name in ("width", "blocks")}
        return {"network": model.header.architecture, "scales": [int(scale) for scale in scales], **built}

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
            arguments={"scales": {str(scale): arguments for scale, arguments in self.arguments.items()}},
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            value_range=(0.0, 1.0),
            size_multiple=max(arguments.get("unshuffle", 1) for arguments in self.arguments.values()),
            training={"start": self.settings.start} if self.settings.start else {},
        )
        return header, self.exported_tensors()

    def _check(self) -> None:
        options, known = self.options, (2, 4)
        if not self.columns:
            raise OptionError("training superres: the data has no column of pictures to learn from.")
        if not options.scales or set(options.scales) - set(known):
            raise OptionError(f"training superres(scales={options.scales}): it learns scales 2 and 4.")
        largest, smallest = max(options.scales), min(options.scales)
        self.check_crop(2 * largest, least_side(options) * largest // smallest)

    def _build(self) -> None:
        options = self.options
        self.arguments = {
            scale: arguments_for(options.network, scale, options.width, options.blocks) for scale in options.scales
        }
        for scale, arguments in self.arguments.items():
            name = network_name(scale)
            self.networks[name] = make_network(options.network, arguments)
            self.optimisers[name] = self.adam(name, betas=(0.9, 0.999))
            if self.adversarial:
                self.networks[f"judge_{name}"] = PatchDiscriminator(
                    3, options.widths[0], PATCH_LAYERS[options.receptive_field], "none", spectral=True
                )
                self.optimisers[f"judge_{name}"] = self.adam(f"judge_{name}", betas=(0.5, 0.999))

    def _learn(self, scale: int, target: Tensor) -> dict[str, Tensor]:
        name = network_name(scale)
        output = self.networks[name](shrink(target, scale))
        losses = {}
        if self.adversarial:
            real, fake = target * 2 - 1, output.detach() * 2 - 1
            losses["discriminator"] = self.update_discriminator(f"judge_{name}", real, fake, self.options.gan)
        return losses | self._learn_to_enlarge(name, output, target)

    def _learn_to_enlarge(self, name: str, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        options = self.options
        pixel = F.mse_loss if options.pixel == "mse" else F.l1_loss
        losses: dict[str, Tensor] = {options.pixel: pixel(output.float(), target)}
        loss = options.content * losses[options.pixel]
        if options.texture:
            losses["texture"] = texture_gap(output, target)
            loss = loss + options.texture * losses["texture"]
        if self.adversarial:
            judged = self._judged(f"judge_{name}", output, target)
            losses |= judged
            loss = loss + options.adversarial * judged["adversarial"] + options.matching * judged["matching"]
        self.update(name, loss)
        return losses

    def _judged(self, name: str, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        judge = self.networks[name]
        set_trainable(judge, False)
        features = judge.features(output * 2 - 1)  # type: ignore[operator]
        with torch.no_grad():
            wanted = judge.features(target * 2 - 1)  # type: ignore[operator]
        return {
            "adversarial": generator_loss(features[-1], self.options.gan),
            "matching": feature_matching([wanted], [features]),
        }
