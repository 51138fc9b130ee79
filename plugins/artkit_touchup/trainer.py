"""Train touchup artists: two residual GANs side by side (after Tucker 2022)."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from artkit import Kind, ModelHeader
from artkit.data import Dataset, FolderDataset, Sample, find_source_and_target
from artkit.nn import (
    PATCH_LAYERS,
    MultiscaleDiscriminator,
    generator_loss,
    least_side,
    lowpass_l1,
)
from artkit.plugins.reporting import warn
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_touchup import TouchupTraining
from artkit_touchup.artists import SIDE_MARGIN, SIDE_MULTIPLE, Artist, find_places, split_residual, touch_up
from artkit_touchup.base import Base

GENERATED, PLACES = "generated", "places"


class TouchupTrainer(Trainer):
    """Discriminator, then both artists, every step.

    Differs from the source, which trains two whole pix2pix models from the label map: the artists see the generated
    picture, so that they can follow any chain, and one discriminator judges their work together.
    """

    defaults: ClassVar[dict[str, Any]] = {"batch": 4, "crop": 128}
    averaged = ("additive", "subtractive")

    def __init__(self, options: TouchupTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.check_crop(SIDE_MULTIPLE, least_side(PATCH_LAYERS[options.patch], len(options.scales)))
        self.options = options
        source, target = find_source_and_target(dataset, options.source, options.target)
        self.target = target.name
        told = [column.name for column in dataset.columns.values() if column.kind is Kind.TEXT]
        self.columns = (source.name, self.target, *told)
        self.base = Base(options.base, source, device=settings.device, precision=settings.precision)
        if isinstance(dataset, FolderDataset) and self.base.has_seen(dataset.directory.resolve().name):
            warn(f"{options.base} was trained on {dataset.name}: its mistakes there are too small to learn from.")
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Add what the base makes of the sample, and where its pixels lie; keep that and the target."""
        target = sample[self.target]
        assert isinstance(target, Tensor)
        seed = mix_seeds(self.settings.seed, int(target.sum()))
        places = find_places(target.shape[-2], target.shape[-1])
        return {GENERATED: self.base.paint(sample, self.target, seed), PLACES: places, self.target: target}

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the discriminator, then the artists."""
        generated, target = batch[GENERATED], batch[self.target]
        wanted, work = split_residual(target, generated), self._work(generated, batch[PLACES])
        real, false = self._shown(generated, *wanted), self._shown(generated, *work)
        losses = {}
        if self.options.adversarial:
            losses["discriminator"] = self.update_discriminator("discriminator", real, false.detach(), self.options.gan)
        return losses | self._learn_to_touch_up(false, wanted, work, generated, target)

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the generated picture, what is added, what is taken away, the picture touched up, and the target."""
        generated, places, target = (trim(batch[name], SIDE_MULTIPLE) for name in (GENERATED, PLACES, self.target))
        added, taken = (self.exported(name)(generated, places) for name in self.averaged)
        return [generated, added, taken, touch_up(generated, added, taken), target]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return both artists as one model."""
        header = ModelHeader(
            method="touchup",
            architecture="subpixel",
            arguments=self.arguments,
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            size_multiple=SIDE_MULTIPLE,
            size_margin=SIDE_MARGIN,
            training={"base": self.options.base},
        )
        return header, self.exported_tensors()

    def _build(self) -> None:
        options = self.options
        self.arguments = {
            "width": options.width,
            "blocks": options.blocks,
            "detail": options.detail,
            "norm": options.norm,
            "upsample": "resize",
        }
        judged = 9 if options.judged == "residuals" else 6
        discriminator = MultiscaleDiscriminator(judged, options.scales, PATCH_LAYERS[options.patch], "instance")
        self.networks = {name: Artist(self.arguments) for name in self.averaged} | {"discriminator": discriminator}
        self.optimisers = {"artists": self.adam(*self.averaged), "discriminator": self.adam("discriminator")}

    def _work(self, generated: Tensor, places: Tensor) -> tuple[Tensor, Tensor]:
        return self.networks["additive"](generated, places), self.networks["subtractive"](generated, places)

    def _shown(self, generated: Tensor, added: Tensor, taken: Tensor) -> Tensor:
        """Return what the discriminator sees of corrections, wanted or made."""
        if self.options.judged == "residuals":
            return torch.cat([generated, added, taken], 1) * 2 - 1
        return torch.cat([generated, touch_up(generated, added, taken)], 1) * 2 - 1

    def _learn_to_touch_up(
        self,
        false: Tensor,
        wanted: tuple[Tensor, Tensor],
        work: tuple[Tensor, Tensor],
        generated: Tensor,
        target: Tensor,
    ) -> dict[str, Tensor]:
        options, judge = self.options, self.networks["discriminator"]
        losses = {
            "additive": lowpass_l1(work[0], wanted[0], 1),
            "subtractive": lowpass_l1(work[1], wanted[1], 1),
            "lowpass": lowpass_l1(touch_up(generated, *work), target, options.lowpass_cell),
        }
        loss = options.l1 * (losses["additive"] + losses["subtractive"]) + options.lowpass * losses["lowpass"]
        if options.adversarial:
            set_trainable(judge, False)
            losses["adversarial"] = generator_loss(judge(false), options.gan)
            loss = loss + options.adversarial * losses["adversarial"]
        self.update("artists", loss)
        return losses
