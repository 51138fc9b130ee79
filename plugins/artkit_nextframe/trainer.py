"""Train nextframe: the mean square error, and as much of an adversarial loss as is asked for (Lotter et al. 2015)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import BEFORE, BEFORE2, NEXT, Dataset
from artkit.models import Model
from artkit.nn import (
    MultiscaleDiscriminator,
    decode_image,
    encode_image,
    feature_matching,
    generator_loss,
    least_side,
    make_discriminator,
    options_of_arguments,
    read_arguments,
)
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_nextframe import NextFrameTraining
from artkit_nextframe.arguments import FlowArguments, NextFrameArguments, PgnArguments, PredNetArguments
from artkit_nextframe.networks import SEEN
from artkit_nextframe.prednet import PredNet


class NextFrameTrainer(Trainer):
    """x is the clip so far, y the frame that follows; D, where there is one, sees the last two of x as well."""

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 6_000, "batch": 8, "crop": 96, "learning_rate": 5e-4, "decay_from": 0.5, "ema": 0.995,
    }  # fmt: skip
    averaged = ("predictor",)
    options: NextFrameTraining
    predictor: nn.Module
    discriminator: MultiscaleDiscriminator

    def __init__(self, options: NextFrameTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        frame = dataset.column(options.frame) if options.frame else dataset.first(Kind.IMAGE)
        self.columns = (BEFORE2, BEFORE, frame.name, NEXT)
        if missing := next((name for name in self.columns if name not in dataset.columns), None):
            raise OptionError(
                f"training nextframe: {dataset.name} has no column '{missing}': it learns from clips, folders of "
                "frames, CLIP/frame/00001.png."
            )
        self.arguments = NextFrameArguments(predictor=arguments_for(options))
        predictor = self.arguments.predictor
        self.check_crop(predictor.size_rule.multiple, least_side(options) if options.adversarial else 1)
        self.predictor = predictor.build()
        self.optimisers = {"predictor": self.adam("predictor", betas=(0.5, 0.99))}
        if options.adversarial:
            self.discriminator = make_discriminator(options, 3 * SEEN)
            self.optimisers["discriminator"] = self.adam("discriminator", betas=(0.5, 0.99))

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on the predictor; before it one on D, if there is one."""
        *seen, y = (encode_image(batch[name]) for name in self.columns)
        x = torch.stack(seen, 1)
        predicted, losses = self._predict(x, y)
        losses["gradients"] = gradient_loss(predicted, y)
        total = losses["mse"] + self.options.gradients * losses["gradients"]
        if self.options.adversarial:
            real, fake = (torch.cat([*seen[1:], frame], 1) for frame in (y, predicted))
            told = self.update_discriminator("discriminator", real, fake, self.options.gan)
            adversarial = self._fool(real, fake)
            losses |= {"discriminator": told, **adversarial}
            total = total + self.options.adversarial * adversarial["adversarial"]
            total = total + self.options.matching * adversarial["matching"]
        self.update("predictor", total)
        return losses

    def _predict(self, x: Tensor, y: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the prediction, and its error; PredNet's counts at every frame but the first (section 3, L0)."""
        if not isinstance(self.predictor, PredNet):
            predicted = self.predictor(x)
            return predicted, {"mse": F.mse_loss(predicted, y)}
        followed = self.predictor.follow(x)
        return followed[:, -1], {"mse": F.mse_loss(followed, torch.cat([x[:, 1:], y[:, None]], 1))}

    def _fool(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        set_trainable(self.discriminator, False)
        features = self.discriminator.features(fake)
        with torch.no_grad():
            real_features = self.discriminator.features(real)
        logits, real_logits = ([scale[-1] for scale in found] for found in (features, real_features))
        return {
            "adversarial": generator_loss(logits, self.options.gan, real_logits),
            "matching": feature_matching(real_features, features),
        }

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the last frame, the prediction, and the frame that came."""
        multiple = self.arguments.predictor.size_rule.multiple
        *seen, y = (trim(batch[name], multiple) for name in self.columns)
        x = torch.stack([encode_image(frame) for frame in seen], 1)
        return [seen[-1], decode_image(self.exported("predictor")(x)), y]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the predictor as a model."""
        header = ModelHeader(
            method="nextframe",
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            **self.arguments.predictor.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the predictor's arguments."""
        return options_of_arguments(read_arguments(model.header, NextFrameArguments).predictor, NextFrameTraining)


def arguments_for(options: NextFrameTraining) -> FlowArguments | PgnArguments | PredNetArguments:
    """Return the arguments of the network that the options describe."""
    if options.network == "prednet":
        return PredNetArguments(width=options.width)
    kind = FlowArguments if options.network == "flow" else PgnArguments
    return kind(width=options.width, blocks=options.blocks, detail=options.detail)


def gradient_loss(predicted: Tensor, y: Tensor) -> Tensor:
    """Return the mean difference of gradients' sizes, across and down (Mathieu et al. 2015, eq. 6, alpha 1)."""
    gaps = [(predicted.diff(dim=axis).abs() - y.diff(dim=axis).abs()).abs().mean() for axis in (-1, -2)]
    return torch.stack(gaps).sum()
