"""Train CAN: the discriminator learns styles from real art, the generator learns art and to leave styles undecided."""

from __future__ import annotations

import copy
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Column, Dataset, Sample
from artkit.images import resize_image
from artkit.nn import augment, settle_norms, stroke_noise
from artkit.nn.layout import lay_out
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable
from artkit_can import CanTraining
from artkit_can.losses import (
    ambiguity_floor,
    ambiguity_loss,
    artist_loss,
    gradient_penalty,
    judge_loss,
    style_loss,
)
from artkit_can.networks import Discriminator, Generator, size_multiple

SIDES = (16, 32, 64, 128, 256, 512)
"""Sides of pictures that the generator's doubling leads to."""
PENALTY_SHARE = 1 / 16
"""The share of steps in which the discriminator pays its penalty, sixteenfold (Karras et al. 2020, appendix B)."""
FIELDS = 24
"""Fields of brush strokes that training cuts its own from."""
MARGIN = 8
"""Pixels that dreams are cut off at each side: zero padding shows there as a rim."""
SETTLING = 8
"""Batches that batch normalisation settles on when the model is exported."""


class CanTrainer(Trainer):
    """D then G, every step. Style is learned from real art alone: what was made has none to be right about."""

    defaults: ClassVar[dict[str, Any]] = {"steps": 100_000, "batch": 16, "crop": 256, "learning_rate": 1e-4}
    options: CanTraining

    def __init__(self, options: CanTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options = options
        self.picture = (dataset.column(options.picture) if options.picture else dataset.first(Kind.IMAGE)).name
        style = find_styles(dataset, options.styles)
        self.style, self.styles = style.name, style.values
        self.columns = (self.picture, self.style)
        self.balance = self.style if options.balanced else None
        if settings.crop not in SIDES:
            raise OptionError(
                f"training can(crop={settings.crop}): pictures are {', '.join(map(str, SIDES))} px a side."
            )
        self.generated: dict[str, Any] = {"latent": options.latent, "width": options.width, "resolution": settings.crop}
        self.generated |= {"upsample": options.upsample, "strokes": options.noise == "strokes"}
        self.judged: dict[str, Any] = {"width": options.judge_width, "resolution": settings.crop, "norm": options.norm}
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Scale the picture until its shorter side is the crop's: what is learned is whole pictures, not details."""
        picture, crop = sample[self.picture], self.settings.crop
        assert isinstance(picture, Tensor)
        height, width = picture.shape[-2:]
        scale = crop / min(height, width)
        if scale != 1:
            size = (max(crop, round(height * scale)), max(crop, round(width * scale)))
            scaled = resize_image(picture[None].float() / 255, size)[0]
            sample[self.picture] = (scaled.clamp(0, 1) * 255).round().to(torch.uint8)
        return sample

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the discriminator, then the generator, on the same made pictures."""
        real = batch[self.picture] * 2 - 1
        styles = torch.tensor([self.styles.index(name) for name in batch[self.style]], device=real.device)
        made = self.networks["generator"](*self._noise(real))
        losses, verdicts = self._learn_to_judge(real, styles, made.detach())
        return losses | self._learn_to_create(made, verdicts)

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show a real picture, then dreams."""
        crop = self.settings.crop
        real = F.interpolate(batch[self.picture], size=(crop, crop), mode="bilinear", antialias=True)
        artist = self._settled()
        dreams = [artist(*self._noise(real)) for _ in range(5)]
        return [real, *((dream.float() + 1) / 2 for dream in dreams)]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return the generator, and the discriminator as far as it tells styles."""
        header = ModelHeader(
            method="can",
            architecture="can",
            arguments={
                "generator": self.generated,
                "critic": self.judged,
                "styles": list(self.styles),
                "style_form": self.options.style_form,
            },
            inputs={},
            output=Kind.IMAGE,
            size_multiple=size_multiple(self.settings.crop),
            size_margin=MARGIN,
            training={"ambiguity": self.options.ambiguity},
        )
        critic = self.networks["discriminator"].critic_state()  # type: ignore[operator]
        parts = {"generator": self._settled().state_dict(), "critic": critic}
        return header, {f"{part}.{name}": value for part, state in parts.items() for name, value in state.items()}

    def _build(self) -> None:
        options = self.options
        judged = {**self.judged, "spectral": options.spectral, "patches": options.patches}
        self.networks["generator"] = Generator(**self.generated)
        self.networks["discriminator"] = Discriminator(len(self.styles), **judged)
        betas = (0.5, 0.999) if options.gan == "vanilla" else (0.0, 0.99)
        self.optimisers = {name: self.adam(name, betas=betas) for name in self.networks}
        self.fields = self._draw_fields() if options.noise == "strokes" else None

    def _draw_fields(self) -> Tensor:
        side, seed = 2 * self.settings.crop, self.settings.seed
        fields = [stroke_noise(side, side, mix_seeds(seed, index)) for index in range(FIELDS)]
        return torch.stack(fields).half()

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

    def _shown(self, pictures: Tensor) -> Tensor:
        return augment(pictures) if self.options.augment else pictures

    def _learn_to_judge(self, real: Tensor, styles: Tensor, made: Tensor) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Update the discriminator; return its losses, and its verdicts on real art."""
        judge, options = self.networks["discriminator"], self.options
        set_trainable(judge, True)
        pays = options.r1 > 0 and bool(torch.rand(()) < PENALTY_SHARE)
        real = real.detach().requires_grad_(pays)
        verdicts, logits = judge.judge(self._shown(real))  # type: ignore[operator]
        made_verdicts, _ = judge.judge(self._shown(made))  # type: ignore[operator]
        losses = {
            "judge": judge_loss(verdicts, made_verdicts, options.gan),
            "style": style_loss(logits, styles, options.style_form),
        }
        penalty = options.r1 / (2 * PENALTY_SHARE) * gradient_penalty(verdicts, real) if pays else 0.0
        self.update("discriminator", losses["judge"] + losses["style"] + penalty)
        return losses, [scale.detach() for scale in verdicts]

    def _learn_to_create(self, made: Tensor, wanted: list[Tensor]) -> dict[str, Tensor]:
        """Update the generator; `wanted` are verdicts on real art, for the loss that compares."""
        judge, options = self.networks["discriminator"], self.options
        set_trainable(judge, False)
        verdicts, logits = judge.judge(self._shown(made))  # type: ignore[operator]
        art = artist_loss(wanted, verdicts, options.gan)
        ambiguity = ambiguity_loss(logits, options.style_form)
        self.update("generator", art + options.ambiguity * ambiguity)
        return {"art": art, "ambiguity": ambiguity - ambiguity_floor(len(self.styles), options.style_form)}

    def _settled(self) -> Generator:
        """Return the exported generator, its batch normalisation settled on noise of its own."""
        artist = copy.deepcopy(self.exported("generator"))
        assert isinstance(artist, Generator)
        like = torch.empty(self.settings.batch, device=artist.dense.weight.device)
        with torch.random.fork_rng():
            torch.manual_seed(self.settings.seed)
            settle_norms(artist, [self._noise(like) for _ in range(SETTLING)])
        return artist


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
