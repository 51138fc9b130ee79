"""Train CAN: the discriminator learns art and its styles, the generator to make art of no style."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, ClassVar, get_args

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Column, Dataset, Sample
from artkit.models import Model
from artkit.nn import (
    augment,
    decode_image,
    discriminator_loss,
    encode_image,
    generator_loss,
    gradient_penalty,
    is_penalty_due,
    read_arguments,
    settle_norms,
)
from artkit.nn.layout import lay_out
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, scale_to_crop, set_trainable
from artkit_can import CanTraining
from artkit_can.losses import ambiguity_floor, ambiguity_loss, style_loss
from artkit_can.networks import (
    CanArguments,
    ClassifierArguments,
    Discriminator,
    Generator,
    GeneratorArguments,
    Resolution,
    size_multiple,
)

SIDES: tuple[Resolution, ...] = get_args(Resolution)
R1_EVERY = 16
"""One step in so many pays R1, on average, and so many times (Karras et al. 2020, appendix B)."""
FIELDS, HANDS = 24, 48
"""Fields of brush strokes that training cuts its own from, of one hand or of many."""
MARGIN = 8
"""Pixels that dreams are cut off at each side: zero padding shows there as a rim."""
SETTLING = 8
"""Batches that batch normalisation settles on when the model is exported."""


class CanTrainer(Trainer):
    """Trainer of CAN: D, then G, every step. Style is learned from real art alone."""

    defaults: ClassVar[dict[str, Any]] = {"steps": 100_000, "batch": 16, "crop": 256, "learning_rate": 1e-4}
    options: CanTraining
    generator: Generator
    discriminator: Discriminator

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the generator's arguments, and the classifier's, from which a new discriminator is drawn."""
        arguments = read_arguments(model.header, CanArguments)
        generator, classifier = arguments.generator, arguments.classifier
        built: dict[str, Any] = {"latent": generator.latent, "width": generator.width, "upsample": generator.upsample}
        built |= {"modulate": generator.modulate, "crop": generator.resolution}
        built["noise"] = "none" if not generator.strokes else "hands" if generator.hands else "strokes"
        return built | {"discriminator_width": classifier.width, "discriminator_norm": classifier.norm}

    def __init__(self, options: CanTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.picture = (dataset.column(options.picture) if options.picture else dataset.first(Kind.IMAGE)).name
        style = find_styles(dataset, options.styles)
        self.style, self.styles = style.name, style.values
        self.columns = (self.picture, self.style)
        self.balance = self.style if options.balanced else None
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Scale the picture until its shorter side is the crop's: what is learned is whole pictures, not details."""
        return scale_to_crop(sample, self.picture, self.settings.crop)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on D, which maximises the paper's objective, then one on G, which minimises it.

        D sees x, real art of known styles, and G(z). The real-or-fake part is any GAN's, non-saturating.
        """
        x = encode_image(batch[self.picture])
        styles = torch.tensor([self.styles.index(name) for name in batch[self.style]], device=x.device)
        fake = self.generator(*self._noise(x))
        losses, real_logits = self._update_discriminator(x, styles, fake.detach())
        return losses | self._update_generator(fake, real_logits)

    def _update_discriminator(self, x: Tensor, styles: Tensor, fake: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Take one step on D: the adversarial loss, the style loss of real art, and R1; return its logits of it."""
        options = self.options
        set_trainable(self.discriminator, True)
        due = options.r1 > 0 and is_penalty_due(R1_EVERY)
        x = x.detach().requires_grad_(due)
        real_logits, style_logits = self.discriminator(self._augment(x))
        fake_logits, _ = self.discriminator(self._augment(fake))
        losses = {
            "discriminator": discriminator_loss(real_logits, fake_logits, options.gan),
            "style": style_loss(style_logits, styles, options.style_form),
        }
        penalty = options.r1 / 2 * R1_EVERY * gradient_penalty(real_logits, x) if due else 0.0
        self.update("discriminator", losses["discriminator"] + losses["style"] + penalty)
        return losses, [scale.detach() for scale in real_logits]

    def _update_generator(self, fake: Tensor, real_logits: list[Tensor]) -> dict[str, Tensor]:
        """Take one step on G: the adversarial loss, for which relativistic needs `real_logits`, and the ambiguity."""
        options = self.options
        set_trainable(self.discriminator, False)
        fake_logits, style_logits = self.discriminator(self._augment(fake))
        adversarial = generator_loss(fake_logits, options.gan, real_logits)
        ambiguity = ambiguity_loss(style_logits, options.style_form)
        self.update("generator", adversarial + options.ambiguity * ambiguity)
        floor = ambiguity_floor(len(self.styles), options.style_form)
        return {"adversarial": adversarial, "ambiguity": ambiguity - floor}

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show a real picture, then dreams."""
        crop = self.settings.crop
        real = F.interpolate(batch[self.picture], size=(crop, crop), mode="bilinear", antialias=True)
        generator = self._settled()
        return [real, *(decode_image(generator(*self._noise(real)).float()) for _ in range(5))]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the generator, and the discriminator as far as it classifies styles."""
        header = ModelHeader(
            method="can",
            architecture="can",
            arguments=self.arguments.record(),
            inputs={},
            output=Kind.IMAGE,
            size_multiple=size_multiple(self.settings.crop),
            size_margin=MARGIN,
            training={"ambiguity": self.options.ambiguity},
        )
        parts = {"generator": self._settled().state_dict(), "classifier": self.discriminator.classifier_state()}
        return header, {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}

    def _build(self) -> None:
        options, side = self.options, next((side for side in SIDES if side == self.settings.crop), None)
        if side is None:
            known = ", ".join(map(str, SIDES))
            raise OptionError(f"training can(crop={self.settings.crop}): pictures are {known} px a side.")
        generator = GeneratorArguments(
            latent=options.latent,
            width=options.width,
            resolution=side,
            upsample=options.upsample,
            strokes=options.noise != "none",
            hands=options.noise == "hands",
            modulate=options.modulate,
        )
        classifier = ClassifierArguments(
            width=options.discriminator_width, resolution=side, norm=options.discriminator_norm
        )
        self.arguments = CanArguments(
            generator=generator, classifier=classifier, styles=self.styles, style_form=options.style_form
        )
        self.generator = generator.build()
        self.discriminator = Discriminator(
            len(self.styles), **classifier.record(), spectral=options.spectral, patches=options.patches
        )
        betas = (0.5, 0.999) if options.gan == "vanilla" else (0.0, 0.99)
        self.optimisers = {name: self.adam(name, betas=betas) for name in self.networks}
        self.fields = self._draw_fields(generator.lay) if generator.lay else None

    def _draw_fields(self, lay: Callable[..., Tensor]) -> Tensor:
        side, seed = 2 * self.settings.crop, self.settings.seed
        count = HANDS if self.options.noise == "hands" else FIELDS
        return torch.stack([lay(side, side, mix_seeds(seed, index)) for index in range(count)]).half()

    def _noise(self, like: Tensor) -> tuple[Tensor, ...]:
        """Draw z, and strokes where the generator sees them, for as many pictures as `like` has."""
        z = torch.randn(len(like), self.options.latent, device=like.device)
        if self.fields is None:
            return (z,)
        side = self.settings.crop
        places = torch.randint(side + 1, (len(like), 2)).tolist()
        chosen = torch.randint(len(self.fields), (len(like),)).tolist()
        cuts = [
            self.fields[field, :, top : top + side, left : left + side].float()
            for field, (top, left) in zip(chosen, places, strict=True)
        ]
        return z, lay_out(torch.stack(cuts).to(like.device))

    def _augment(self, pictures: Tensor) -> Tensor:
        return augment(pictures) if self.options.augment else pictures

    def _settled(self) -> Generator:
        """Return the exported generator, its batch normalisation settled on noise of its own (recalibrated)."""
        generator = copy.deepcopy(self.exported("generator"))
        assert isinstance(generator, Generator)
        like = torch.empty(self.settings.batch, device=generator.dense.weight.device)
        with torch.random.fork_rng():
            torch.manual_seed(self.settings.seed)
            settle_norms(generator, [self._noise(like) for _ in range(SETTLING)])
        return generator


def find_styles(dataset: Dataset, name: str | None) -> Column:
    """Return the text column of styles, by name or the first with two or more values; OptionError without one."""
    texts = [column for column in dataset.columns.values() if column.kind is Kind.TEXT]
    wanted = [dataset.column(name)] if name else texts
    found = next((column for column in wanted if len(column.values) > 1), None)
    if found is None:
        what = f"column '{name}'" if name else "any text column"
        raise OptionError(
            f"training can: {dataset.name} does not say in {what} which of two or more styles each picture has: "
            "put the pictures of each style into a folder of its own."
        )
    return found
