"""Train touchup artists on the residuals of a base: of the pictures that a chain makes of a dataset's samples."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor

from artkit import Chain, Kind, ModelHeader, OptionError, TrainingError
from artkit.chain import Plan, plan_chain
from artkit.data import Column, Dataset, FolderDataset, Sample, find_source_and_target
from artkit.engine import Runner
from artkit.images import convert
from artkit.models import Model
from artkit.nn import (
    MultiscaleDiscriminator,
    contrast_l1,
    encode_image,
    generator_loss,
    least_side,
    lowpass_l1,
    make_discriminator,
    options_of_arguments,
    read_arguments,
)
from artkit.plugins import current_registry
from artkit.reporting import warn
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_touchup import TouchupTraining
from artkit_touchup.artists import Artist, ArtistArguments, find_places, split_residual, touch_up


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
        """Run the chain on a sample, with its text columns as facts; return uint8 3HW, of the target's size.

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
    """Trainer of touchup: the discriminator, then both artists, every step.

    Differs from the source, which trains two whole pix2pix models from the label map: the artists see the generated
    picture, so that they can follow any chain, and one discriminator sees their work together.
    """

    defaults: ClassVar[dict[str, Any]] = {"batch": 4, "crop": 128}
    averaged = ("additive", "subtractive")
    options: TouchupTraining
    additive: Artist
    subtractive: Artist
    discriminator: MultiscaleDiscriminator

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the artists' arguments."""
        return options_of_arguments(read_arguments(model.header, ArtistArguments), TouchupTraining)

    def __init__(self, options: TouchupTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.arguments = ArtistArguments(
            width=options.width, blocks=options.blocks, detail=options.detail, norm=options.norm, upsample="resize"
        )
        self.size_rule = self.arguments.size_rule
        self.check_crop(self.size_rule.multiple, least_side(options))
        source, target = find_source_and_target(dataset, options.source, options.target)
        self.target = target.name
        texts = [column.name for column in dataset.columns.values() if column.kind is Kind.TEXT]
        self.columns = (source.name, self.target, *texts)
        self.base = Base(options.base, source, device=settings.device, precision=settings.precision)
        if isinstance(dataset, FolderDataset) and self.base.has_seen(dataset.directory.resolve().name):
            warn(f"{options.base} was trained on {dataset.name}: its mistakes there are too small to learn from.")
        self._build()

    def _build(self) -> None:
        self.additive, self.subtractive = Artist(self.arguments), Artist(self.arguments)
        channels = 9 if self.options.discriminator_input == "residuals" else 6
        self.discriminator = make_discriminator(self.options, channels)
        self.optimisers = {"artists": self.adam(*self.averaged), "discriminator": self.adam("discriminator")}

    def prepare(self, sample: Sample) -> Sample:
        """Add what the base makes of the sample, and where its pixels lie; keep that and the target."""
        target = sample[self.target]
        assert isinstance(target, Tensor)
        seed = mix_seeds(self.settings.seed, int(target.sum()))
        places = find_places(target.shape[-2], target.shape[-1])
        return {GENERATED: self.base.paint(sample, self.target, seed), PLACES: places, self.target: target}

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on the discriminator, then one on both artists.

        With R = target - generated, one artist learns max(R, 0) and the other max(-R, 0) (Tucker 2022).
        """
        generated, places, target = batch[GENERATED], batch[PLACES], batch[self.target]
        residuals = split_residual(target, generated)
        outputs = self.additive(generated, places), self.subtractive(generated, places)
        real, fake = self._discriminator_input(generated, *residuals), self._discriminator_input(generated, *outputs)
        losses = {}
        if self.options.adversarial:
            losses["discriminator"] = self.update_discriminator("discriminator", real, fake, self.options.gan)
        touched = touch_up(generated, *outputs, smooth=self.options.smooth)
        losses |= {
            "additive": lowpass_l1(outputs[0], residuals[0], 1),
            "subtractive": lowpass_l1(outputs[1], residuals[1], 1),
            "lowpass": lowpass_l1(touched, target, self.options.lowpass_cell),
        }
        if self.options.contrast:
            losses["contrast"] = contrast_l1(touched, target)
        return losses | self._update_artists(losses, real, fake)

    def _update_artists(self, losses: dict[str, Tensor], real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        """Take one step on both artists, down their losses and the adversarial one, which is returned."""
        options, adversarial = self.options, dict[str, Tensor]()
        loss = options.l1 * (losses["additive"] + losses["subtractive"]) + options.lowpass * losses["lowpass"]
        if options.contrast:
            loss = loss + options.contrast * losses["contrast"]
        if options.adversarial:
            set_trainable(self.discriminator, False)
            with torch.no_grad():
                real_logits = self.discriminator(real) if options.gan == "relativistic" else None
            adversarial["adversarial"] = generator_loss(self.discriminator(fake), options.gan, real_logits)
            loss = loss + options.adversarial * adversarial["adversarial"]
        self.update("artists", loss)
        return adversarial

    def _discriminator_input(self, generated: Tensor, added: Tensor, taken: Tensor) -> Tensor:
        """Return what the discriminator sees of residuals, real or fake, in [-1, 1]."""
        if self.options.discriminator_input == "residuals":
            return encode_image(torch.cat([generated, added, taken], 1))
        return encode_image(torch.cat([generated, touch_up(generated, added, taken, smooth=self.options.smooth)], 1))

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the generated picture, what is added, what is taken away, the picture touched up, and the target."""
        names, multiple = (GENERATED, PLACES, self.target), self.size_rule.multiple
        generated, places, target = (trim(batch[name], multiple) for name in names)
        added, taken = (self.exported(name)(generated, places) for name in self.averaged)
        return [generated, added, taken, touch_up(generated, added, taken, smooth=self.options.smooth), target]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return both artists as one model."""
        header = ModelHeader(
            method="touchup",
            architecture=self.arguments.architecture,
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            size_multiple=self.size_rule.multiple,
            size_margin=self.size_rule.margin,
            training={"base": self.options.base},
        )
        return header, self.exported_tensors()
