"""Train cyclegan: two generators that undo each other, two discriminators (Zhu et al. 2017, sections 3 and 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample
from artkit.models import Model
from artkit.nn import (
    PATCH_LAYERS,
    ImagePool,
    decode_picture,
    discriminator_loss,
    encode_picture,
    generator_loss,
    init_weights,
    least_side,
    lowpass_l1,
)
from artkit.nn.layout import lay_out
from artkit.plugins.reporting import warn
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_cyclegan import CycleGANTraining
from artkit_cyclegan.continuing import options_of
from artkit_cyclegan.generator import (
    AB,
    BA,
    MANNER,
    OURS,
    PAINTER,
    make_generators,
    size_margin,
    size_minimum,
    size_multiple,
)
from artkit_cyclegan.inversion import InversionGuard, luminance_correlation
from artkit_cyclegan.judge import Judge, show
from artkit_cyclegan.painter import lay_strokes

SIDES = ("a", "b")
OTHER = {"a": "b", "b": "a"}


@dataclass(frozen=True)
class Drawn:
    """One step's pictures: `real` by domain, N C H W in [-1, 1]; strokes z; the manner of each place, one-hot."""

    real: dict[str, Tensor]
    z: Tensor | None
    told: Tensor | None

    def told_of(self, side: str) -> Tensor | None:
        """Return the manners as the discriminator of what starts from `side` is told them: only B has manners."""
        return self.told if side == "a" else None


class CycleGANTrainer(Trainer):
    """Both generators, then both discriminators on pooled fakes, every step, as in the paper.

    Several targets told apart by a condition, strokes, several scales and averages over cells are ours. Networks are
    named after the domain they start from, as in the authors' code: `discriminator_a` judges what `generator_a` makes.
    """

    defaults: ClassVar[dict[str, Any]] = {"steps": 200_000, "batch": 1, "crop": 256}
    averaged = ("generator_a", "generator_b")
    unpaired = True

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the networks, the manners, and the discriminators where the model holds them."""
        return options_of(model)

    def __init__(self, options: CycleGANTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options = options
        self.source = dataset.column(options.source) if options.source else dataset.first(Kind.IMAGE)
        other = options.target or (dataset.first(Kind.IMAGE, besides=[self.source.name]).name,)
        self.targets = tuple(dataset.column(name).name for name in other)
        self.columns = (self.source.name, *self.targets)
        self.told = len(self.targets) if len(self.targets) > 1 else 0
        self.channels = dict(zip(SIDES, options.channels, strict=True))
        self.cycle = {"a": options.cycle_a, "b": options.cycle_b}
        self.identity = options.identity
        if self.identity and self.channels["a"] != self.channels["b"]:
            warn("the domains differ in channels, so there is no identity loss.")
            self.identity = 0.0
        self._check()
        self.arguments = self._arguments()
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Lay strokes for a picture of domain A."""
        picture = sample.get(self.source.name)
        if self.options.network == PAINTER and isinstance(picture, Tensor):
            seed = mix_seeds(self.settings.seed, int(picture.sum()))
            sample["z"] = lay_strokes(picture.shape[-2], picture.shape[-1], seed)
        return sample

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the generators, then the discriminators."""
        drawn = self._draw(batch)
        fakes, losses = self._learn_to_translate(drawn)
        losses |= self._learn_to_judge(drawn, fakes)
        correlations = {side: luminance_correlation(drawn.real[side], fakes[side]) for side in SIDES}
        self.guard.watch(correlations)
        return losses | {f"correlation_{side}": value for side, value in correlations.items()}

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show A, A in every manner of B, and back; then B and B as A."""
        multiple = size_multiple(self.options.network)
        batch = {name: trim(value, multiple) for name, value in batch.items()}
        forth, back = self.exported("generator_a"), self.exported("generator_b")
        a, b = (
            encode_picture(batch[self.source.name], self.channels["a"]),
            encode_picture(batch[self.targets[0]], self.channels["b"]),
        )
        painted = [forth(*self._seen(a, batch.get("z"), self._tell(a, manner))) for manner in range(len(self.targets))]
        return [decode_picture(picture) for picture in (a, *painted, back(painted[-1]), b, back(b))]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return both generators as one model."""
        header = ModelHeader(
            method="cyclegan",
            architecture=self.options.network,
            arguments=self.arguments,
            inputs={"image": Kind.IMAGE},
            output=Kind.IMAGE,
            conditions={MANNER: self.targets} if self.told else {},
            size_multiple=size_multiple(self.options.network),
            size_minimum=size_minimum(self.options.network),
            size_margin=size_margin(self.options.network),
        )
        return header, self.exported_tensors()

    def extra_state(self) -> dict[str, Any]:
        """Return the pools and the guard's memory."""
        return {"pools": {side: pool.state_dict() for side, pool in self.pools.items()}, "guard": self.guard.state()}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `extra_state` returned."""
        device = next(self.networks["generator_a"].parameters()).device
        for side, pool in self.pools.items():
            pool.load_state_dict(state["pools"][side], device)
        self.guard.load_state(state["guard"])

    def _arguments(self) -> dict[str, Any]:
        options = self.options
        generator: dict[str, Any] = {"in_channels": self.channels["a"], "out_channels": self.channels["b"]}
        generator |= {"width": options.width, "norm": options.norm}
        if options.network in OURS:
            generator |= {"blocks": options.blocks, "detail": options.detail, "upsample": "resize"}
            generator |= {"condition_channels": self.told}
        else:
            generator |= {"dropout": options.dropout}
        if options.network.startswith("resnet"):
            generator |= {"upsample": options.upsample, "antialias": options.antialias}
        return {"generator": generator, "directions": [AB, BA]}

    def _check(self) -> None:
        network = self.options.network
        if self.told and network not in OURS:
            raise OptionError(
                f"training cyclegan(target=...): {network} cannot be told which of several; "
                "use network=subpixel or painter, or name one column."
            )
        if network == PAINTER and self.channels["a"] != self.channels["b"]:
            raise OptionError("training cyclegan(channels=...): network=painter needs as many channels in A as in B.")

    def _build(self) -> None:
        options = self.options
        self.networks = make_generators(options.network, self.arguments)
        layers, detail = PATCH_LAYERS[options.patch], options.judged == "detail"
        self.check_crop(size_multiple(options.network), least_side(layers, len(options.scales)))
        for side, manners in (("a", self.told), ("b", 0)):
            shown = self.channels[OTHER[side]]
            judge = Judge(shown, manners, options.scales, layers, options.norm, detail, options.antialias)
            self.networks[f"discriminator_{side}"] = judge
        for name, network in self.networks.items():
            # Without a norm to undo so small a start, signals would fade away from layer to layer.
            if options.norm != "none" and not (options.network in OURS and name in self.averaged):
                init_weights(network)
        self.optimisers = {
            kind: self.adam(*(f"{kind}_{side}" for side in SIDES)) for kind in ("generator", "discriminator")
        }
        self.pools = {side: ImagePool(options.pool) for side in SIDES}
        self.guard = InversionGuard()

    def _draw(self, batch: dict[str, Any]) -> Drawn:
        """Take the step's pictures from a batch; where there are several targets, chance picks one for each place."""
        a = encode_picture(batch[self.source.name], self.channels["a"])
        manners = torch.randint(len(self.targets), (len(a),)).tolist()
        pictures = torch.stack([batch[self.targets[manner]][place] for place, manner in enumerate(manners)])
        told = F.one_hot(torch.tensor(manners), self.told).to(a) if self.told else None
        return Drawn({"a": a, "b": encode_picture(pictures, self.channels["b"])}, batch.get("z"), told)

    def _learn_to_translate(self, drawn: Drawn) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Update both generators; return the fakes by the domain they come from, and the losses."""
        for side in SIDES:
            set_trainable(self.networks[f"discriminator_{side}"], False)
        optimiser, waiting = self.optimisers["generator"], []
        optimiser.zero_grad(set_to_none=True)
        fakes: dict[str, Tensor] = {}
        losses: dict[str, Tensor] = {}
        for side in SIDES:
            fake, loss, parts = self._run_cycle(side, drawn)
            fakes[side] = fake.detach()
            losses |= {f"{name}_{side}": value.detach() for name, value in parts.items()}
            if self.options.memory == "low":
                loss.backward()
            else:
                waiting.append(loss)
        if waiting:
            torch.stack(waiting).sum().backward()
        optimiser.step()
        return fakes, losses

    def _run_cycle(self, side: str, drawn: Drawn) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """Translate one domain and back; return the fake, the whole loss, and its parts."""
        options, real, other = self.options, drawn.real[side], drawn.real[OTHER[side]]
        fake = self._translate(side, real, drawn)
        back = self._translate(OTHER[side], fake, drawn)
        judged = self.networks[f"discriminator_{side}"](show(fake, drawn.told_of(side)))
        parts = {"adversarial": generator_loss(judged, options.gan), "cycle": lowpass_l1(back, real, options.cell)}
        loss = options.adversarial * parts["adversarial"] + self.cycle[side] * parts["cycle"]
        if self.identity:
            parts["identity"] = lowpass_l1(self._translate(side, other, drawn), other, options.cell)
            loss = loss + self.identity * self.cycle[OTHER[side]] * parts["identity"]
        return fake, loss, parts

    def _learn_to_judge(self, drawn: Drawn, fakes: dict[str, Tensor]) -> dict[str, Tensor]:
        losses = {}
        for side in SIDES:
            judge = self.networks[f"discriminator_{side}"]
            set_trainable(judge, True)
            real = show(drawn.real[OTHER[side]], drawn.told_of(side))
            fake = self.pools[side].exchange(show(fakes[side], drawn.told_of(side)))
            losses[f"discriminator_{side}"] = discriminator_loss(judge(real), judge(fake), self.options.gan)
        self.update("discriminator", torch.stack(list(losses.values())).sum())
        return losses

    def _translate(self, side: str, picture: Tensor, drawn: Drawn) -> Tensor:
        """Run the generator that starts from the domain `side`."""
        if side == "b":
            return self.networks["generator_b"](picture)
        return self.networks["generator_a"](*self._seen(picture, drawn.z, drawn.told))

    def _seen(self, picture: Tensor, z: Tensor | None, told: Tensor | None) -> list[Tensor]:
        """Return what generator A sees: the picture, strokes behind it; and what it is told."""
        x = picture if z is None else torch.cat([picture, z], 1)
        return [lay_out(x), *([] if told is None else [told])]

    def _tell(self, like: Tensor, manner: int) -> Tensor | None:
        if not self.told:
            return None
        return F.one_hot(torch.full((len(like),), manner), self.told).to(like)
