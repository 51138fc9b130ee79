"""The pictures that are to be touched up: what a chain makes of a dataset's samples."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from artkit import Chain, Kind, ModelHeader, OptionError, TrainingError
from artkit.chain import Plan, plan_chain
from artkit.data import Column, Dataset, FolderDataset, Sample, find_source_and_target
from artkit.engine import Runner
from artkit.images import convert
from artkit.nn import (
    generator_loss,
    least_side,
    lowpass_l1,
    make_discriminator,
)
from artkit.plugins import current_registry
from artkit.reporting import warn
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_touchup import TouchupTraining
from artkit_touchup.artists import SIDE_MARGIN, SIDE_MULTIPLE, Artist, find_places, split_residual, touch_up


class Base:
    """A chain made ready to paint samples from one of their columns."""

    def __init__(self, chain: str, source: Column, *, device: str, precision: str) -> None:
        """Load the chain's models; raises ChainError, OptionError or ModelError when it cannot run."""
        self.plan = plan_base(chain)
        self.source = source
        self.runner = Runner(self.plan, device=device, precision=precision)
        with torch.random.fork_rng():  # building networks draws weights that the loaded ones replace
            self.runner.load()

    def paint(self, sample: Sample, target: str, seed: int) -> Tensor:
        """Run the chain on a sample, told its text columns; return uint8 3HW, of the target's size.

        Raises TrainingError when the chain changes the size.
        """
        facts = {name: value for name, value in sample.items() if isinstance(value, str)}
        result = self.runner.run(self.source.picture(sample[self.source.name]), seed=seed, facts=facts)[-1].picture
        painted = convert(result, Kind.IMAGE).tensor[0]
        wanted = sample[target]
        assert isinstance(wanted, Tensor)
        if painted.shape != wanted.shape:
            height, width = wanted.shape[-2:]
            raise TrainingError(
                f"the base {self.plan.chain} makes {painted.shape[-1]}x{painted.shape[-2]} pixels where '{target}' has "
                f"{width}x{height}: give a base that keeps the size."
            )
        return (painted * 255).round().to(torch.uint8)

    def has_seen(self, data: str) -> bool:
        """Tell whether a model of the chain says that it was trained on a folder of this name."""
        return any(step.header.training.get("data") == data for step in self.plan.steps if step.header)


def plan_base(chain: str) -> Plan:
    """Check the chain that training touchup is to start from."""
    plan = plan_chain(Chain(chain), current_registry(), has_input=True)
    if plan.output not in (Kind.IMAGE, Kind.LABELS):
        raise OptionError(f"training touchup(base={chain}): the chain gives {plan.output}, not a picture.")
    return plan


GENERATED, PLACES = "generated", "places"


class TouchupTrainer(Trainer):
    """Discriminator, then both artists, every step.

    Differs from the source, which trains two whole pix2pix models from the label map: the artists see the generated
    picture, so that they can follow any chain, and one discriminator judges their work together.
    """

    defaults: ClassVar[dict[str, Any]] = {"batch": 4, "crop": 128}
    averaged = ("additive", "subtractive")
    options: TouchupTraining

    def __init__(self, options: TouchupTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.check_crop(SIDE_MULTIPLE, least_side(options))
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
        discriminator = make_discriminator(options, judged)
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
