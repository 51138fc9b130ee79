"""Train cyclegan: two generators that undo each other, two discriminators (Zhu et al. 2017, sections 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from artkit import Kind, ModelHeader
from artkit.data import Dataset, Sample
from artkit.models import Model
from artkit.nn import (
    Conditions,
    ImagePool,
    PerceptualLoss,
    decode_image,
    discriminator_loss,
    encode_image,
    generator_loss,
    init_weights,
    least_side,
    lowpass_l1,
    options_of_arguments,
    options_of_discriminator,
    read_arguments,
)
from artkit.nn.layout import lay_out
from artkit.reporting import warn
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_cyclegan import CycleGANTraining
from artkit_cyclegan.inversion import InversionGuard, luminance_correlation
from artkit_cyclegan.networks import (
    OURS,
    PAINTER,
    STYLE,
    CycleGANArguments,
    StyleDiscriminator,
    arguments_for,
    lay_strokes,
    show,
    with_noise,
)

SIDES = ("a", "b")
CONTENT = (16,)  # stride of the features that are to stay: coarse enough to leave colour and hand to the domains
OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class Drawn:
    """One step's pictures: `real` by domain, N C H W in [-1, 1]; strokes z; the style of each place, one-hot."""

    real: dict[str, Tensor]
    z: Tensor | None
    style: Tensor | None

    def style_towards(self, side: str) -> Tensor | None:
        """Return the styles of what starts from `side`: only B has styles."""
        return self.style if side == "a" else None


class CycleGANTrainer(Trainer):
    """Both generators, then both discriminators on pooled fakes, every step, as in the paper.

    Several targets as styles of one model, strokes, several scales and averages over cells are ours. Networks are
    named after the domain they start from, as in the authors' code: `generator_a` is the paper's G: X to Y,
    `discriminator_a` is D_Y, which sees what G makes; `generator_b` is F, `discriminator_b` D_X.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 2000,
        "batch": 2,
        "crop": 128,
        "load_size": 256,
        "learning_rate": 5e-4,
        "decay_from": 0.5,
        "ema": 0.995,
    }
    averaged = ("generator_a", "generator_b")
    unpaired = True
    options: CycleGANTraining
    generator_a: nn.Module
    generator_b: nn.Module
    discriminator_a: StyleDiscriminator
    discriminator_b: StyleDiscriminator

    def __init__(self, options: CycleGANTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.source = dataset.column(options.source) if options.source else dataset.first(Kind.IMAGE)
        other = options.target or (dataset.first(Kind.IMAGE, besides=[self.source.name]).name,)
        self.targets = tuple(dataset.column(name).name for name in other)
        self.columns = (self.source.name, *self.targets)
        self.conditions = Conditions({STYLE: self.targets} if len(self.targets) > 1 else {})
        self.channels = dict(zip(SIDES, options.channels, strict=True))
        self.cycle = {"a": options.cycle_a, "b": options.cycle_b}
        self.perceptual_loss = PerceptualLoss(CONTENT) if options.perceptual else None
        self.identity = options.identity
        if self.identity and self.channels["a"] != self.channels["b"]:
            warn("the domains differ in channels, so there is no identity loss.")
            self.identity = 0.0
        self._build()

    def _build(self) -> None:
        options, styles = self.options, self.conditions.channels
        self.arguments = arguments_for(options, styles)
        self.check_crop(self.arguments.generator.size_rule.multiple, least_side(options))
        generators = self.arguments.build()
        self.generator_a, self.generator_b = (generators[name] for name in self.averaged)
        self.discriminator_a = StyleDiscriminator(options, self.channels["b"], styles)
        self.discriminator_b = StyleDiscriminator(options, self.channels["a"], 0)
        for name, network in self.networks.items():
            # Without a norm to undo so small a start, signals would fade away from layer to layer.
            norm = options.norm if name in self.averaged else options.discriminator_norm
            if norm != "none" and not (options.network in OURS and name in self.averaged):
                init_weights(network)
        self.optimisers = {
            kind: self.adam(*(f"{kind}_{side}" for side in SIDES)) for kind in ("generator", "discriminator")
        }
        self.pools = {side: ImagePool(options.pool) for side in SIDES}
        self.guard = InversionGuard()

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on G and F (eq. 3), then one on D_Y and D_X (eq. 1, which each maximises for its domain)."""
        drawn = self._draw(batch)
        fakes, losses = self._update_generators(drawn)
        losses |= self._update_discriminators(drawn, fakes)
        correlations = {side: luminance_correlation(drawn.real[side], fakes[side]) for side in SIDES}
        self.guard.watch(correlations)
        return losses | {f"correlation_{side}": value for side, value in correlations.items()}

    def _update_generators(self, drawn: Drawn) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Take one step on both generators; return the fakes by the domain they come from, and the losses."""
        for side in SIDES:
            set_trainable(self.networks[f"discriminator_{side}"], False)
        waiting: list[Tensor] = []
        fakes: dict[str, Tensor] = {}
        losses: dict[str, Tensor] = {}
        with self.updating("generator"):
            for side in SIDES:
                fake, loss, parts = self._objective(side, drawn)
                fakes[side] = fake.detach()
                losses |= {f"{name}_{side}": value.detach() for name, value in parts.items()}
                if self.options.memory == "low":
                    self.backward(loss)
                else:
                    waiting.append(loss)
            if waiting:
                self.backward(torch.stack(waiting).sum())
        return fakes, losses

    def _objective(self, side: str, drawn: Drawn) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Return G(x), one domain's share of the generators' objective, and its parts; for `side` b, F(y) and its.

        The parts are the adversarial loss (eq. 1), |F(G(x)) - x| (eq. 2), and |G(y) - y| (the identity loss, section
        5.2), which has the weight of the cycle from y and back; and, not the paper's, how far G(x) looks from x.
        """
        options, x, y = self.options, drawn.real[side], drawn.real[OTHER[side]]
        discriminator, style = self.networks[f"discriminator_{side}"], drawn.style_towards(side)
        fake = self._translate(side, x, drawn)
        reconstruction = self._translate(OTHER[side], fake, drawn)
        with torch.no_grad():
            compared = discriminator(show(y, style)) if options.gan == "relativistic" else None
        parts = {
            "adversarial": generator_loss(discriminator(show(fake, style)), options.gan, compared),
            "cycle": lowpass_l1(reconstruction, x, options.cell),
        }
        loss = options.adversarial * parts["adversarial"] + self.cycle[side] * parts["cycle"]
        if self.identity:
            parts["identity"] = lowpass_l1(self._translate(side, y, drawn), y, options.cell)
            loss = loss + self.identity * self.cycle[OTHER[side]] * parts["identity"]
        if self.perceptual_loss:
            parts["perceptual"] = self.perceptual_loss(decode_image(fake), decode_image(x))
            loss = loss + options.perceptual * parts["perceptual"]
        return fake, loss, parts

    def _update_discriminators(self, drawn: Drawn, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        """Take one step on both discriminators, on fakes out of the pools (section 4); return the losses."""
        losses = {}
        for side in SIDES:
            discriminator, style = self.networks[f"discriminator_{side}"], drawn.style_towards(side)
            set_trainable(discriminator, True)
            real = show(drawn.real[OTHER[side]], style)
            fake = self.pools[side].exchange(show(fakes[side], style))
            losses[f"discriminator_{side}"] = discriminator_loss(
                discriminator(real), discriminator(fake), self.options.gan
            )
        self.update("discriminator", torch.stack(list(losses.values())).sum())
        return losses

    def _draw(self, batch: dict[str, Any]) -> Drawn:
        """Take the step's pictures from a batch; where there are several targets, chance picks one for each place."""
        a = encode_image(batch[self.source.name], self.channels["a"])
        chosen = [self.targets[index] for index in torch.randint(len(self.targets), (len(a),)).tolist()]
        pictures = torch.stack([batch[target][place] for place, target in enumerate(chosen)])
        real = {"a": a, "b": encode_image(pictures, self.channels["b"])}
        return Drawn(real, batch.get("z"), self._encode_styles(chosen, a))

    def _encode_styles(self, styles: list[str], like: Tensor) -> Tensor | None:
        return self.conditions.encode([{STYLE: style} for style in styles]).to(like) if self.conditions else None

    def _translate(self, side: str, picture: Tensor, drawn: Drawn) -> Tensor:
        """Run the generator that starts from the domain `side`: G from a, F from b."""
        if side == "b":
            return self.generator_b(picture)
        return self.generator_a(*generator_input(picture, drawn.z, drawn.style))

    def prepare(self, sample: Sample) -> Sample:
        """Lay strokes for a picture of domain A."""
        picture = sample.get(self.source.name)
        if self.options.network == PAINTER and isinstance(picture, Tensor):
            seed = mix_seeds(self.settings.seed, int(picture.sum()))
            sample["z"] = lay_strokes(picture.shape[-2], picture.shape[-1], seed)
        return sample

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show A, A in every style of B, and back; then B and B as A."""
        multiple = self.arguments.generator.size_rule.multiple
        batch = {name: trim(value, multiple) for name, value in batch.items()}
        g, f = self.exported("generator_a"), self.exported("generator_b")
        a = encode_image(batch[self.source.name], self.channels["a"])
        b = encode_image(batch[self.targets[0]], self.channels["b"])
        styles = [self._encode_styles([target] * len(a), a) for target in self.targets]
        painted = [g(*generator_input(a, batch.get("z"), style)) for style in styles]
        return [decode_image(picture) for picture in (a, *painted, f(painted[-1]), b, f(b))]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return both generators as one model."""
        header = ModelHeader(
            method="cyclegan",
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            conditions={name: tuple(words) for name, words in self.conditions.known.items()},
            **self.arguments.generator.header_fields(),
        )
        return header, self.exported_tensors()

    def extra_state(self) -> dict[str, Any]:
        """Return the pools and the guard's memory."""
        return {"pools": {side: pool.state_dict() for side, pool in self.pools.items()}, "guard": self.guard.state()}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `extra_state` returned."""
        device = next(self.generator_a.parameters()).device
        for side, pool in self.pools.items():
            pool.load_state_dict(state["pools"][side], device)
        self.guard.load_state(state["guard"])

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the generators, the styles, and the discriminators where the model holds them."""
        header, generator = model.header, read_arguments(model.header, CycleGANArguments).generator
        options = options_of_arguments(generator, CycleGANTraining)
        options |= {"channels": [generator.in_channels, generator.out_channels]}
        options |= {"target": list(header.conditions[STYLE])} if STYLE in header.conditions else {}
        return options_of_discriminator(model.tensors, "discriminator_a") | options


def generator_input(picture: Tensor, z: Tensor | None, style: Tensor | None) -> list[Tensor]:
    """Return what G takes: the picture, strokes behind it; and the style."""
    return [lay_out(with_noise(picture, z)), *([] if style is None else [style])]
