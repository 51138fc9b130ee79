"""Train SPADE (Park et al. 2019, section 3): the paper's objective, or that of the small networks (docs/spade.md)."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Column, Dataset, Sample
from artkit.images import one_hot, paint_labels
from artkit.models import Model
from artkit.nn import (
    Conditions,
    ProjectionDiscriminator,
    contrast_l1,
    decode_image,
    discriminator_loss,
    divergence_from_noise,
    encode_image,
    feature_matching,
    fit_codes,
    fit_style,
    generator_loss,
    heights,
    least_side,
    lowpass_l1,
    options_of_arguments,
    read_arguments,
    stroke_noise,
)
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, slow_down, trim
from artkit_spade import CONDITIONS, SpadeTraining
from artkit_spade.arguments import (
    ConcatenatedArguments,
    PaperArguments,
    SmallArguments,
    SpadeArguments,
    TablesArguments,
    encode_words,
    join_input,
)
from artkit_spade.fitting import CELLS, fit_colours
from artkit_spade.networks import TablesGenerator
from artkit_spade.paper import PaperEncoder

LOWPASS_CELL = 8
ARGUMENTS: dict[str, type[TablesArguments | ConcatenatedArguments | PaperArguments]] = {
    "tables": TablesArguments, "concatenated": ConcatenatedArguments, "paper": PaperArguments,
}  # fmt: skip
"""The arguments of each network, by its name."""
BETAS = {"tables": (0.0, 0.99), "concatenated": (0.0, 0.99), "paper": (0.0, 0.9)}
SLOWLY = 0.1
"""The learning rate, as a factor, of what was worked out in closed form: the encoder, and the base colours."""
PARTNER = "partner"


class SpadeTrainer(Trainer):
    """D, then G and E, every step. The names are the paper's: m the map, x the picture, and w (z there) the code."""

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 10_000, "batch": 4, "crop": 256, "learning_rate": 4e-4, "decay_from": 0.4, "ema": 0.998,
    }  # fmt: skip
    averaged = ("generator", "encoder", "words")
    options: SpadeTraining
    generator: nn.Module
    encoder: nn.Module
    words: nn.Module
    discriminator: ProjectionDiscriminator

    def __init__(self, options: SpadeTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.dataset = dataset
        self.source, self.target, self.partner = find_columns(dataset, options)
        self.conditions = find_conditions(dataset, options)
        self.arguments = arguments_for(options, settings, len(self.source.classes or ()), self.conditions)
        self.small = isinstance(self.arguments.generator, SmallArguments)
        self.strokes = self.arguments.generator.noise_channels > 0
        self.seeded = self.strokes and "seed" in dataset.columns
        pictures = dict.fromkeys((self.source.name, self.target.name, self.partner))
        self.columns = (*pictures, *self.conditions.known, *(["seed"] if self.seeded else []))
        self._build()

    def _build(self) -> None:
        arguments, options = self.arguments.generator, self.options
        self.check_crop(arguments.size_rule.multiple, least_side(options))
        self.generator, self.encoder = arguments.build(), arguments.build_encoder()
        self.words = self.arguments.build_words(1 + self.conditions.channels)
        code = arguments.code if self.small else 0
        self.discriminator = ProjectionDiscriminator(options, arguments.classes + 3, code)
        (of_generator, of_discriminator), betas = options.rates, BETAS[options.network]
        self.optimisers = {
            "generator": self.adam(*self.averaged, betas=betas, scale=of_generator),
            "discriminator": self.adam("discriminator", betas=betas, scale=of_discriminator),
        }
        if self.small and (options.start_from or self.settings.start):
            base = self.generator.base.parameters() if isinstance(self.generator, TablesGenerator) else ()
            slow = {*self.encoder.parameters(), *base}
            slow_down(self.optimisers["generator"], slow, SLOWLY)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on D, which tells (m, x) from (m, G(m, w)), then one on G, E and the words."""
        if self.step == 0 and self.small and not self.settings.start:
            self.work_out_start()
        m, x = self._encode_map(batch), encode_image(batch[self.target.name])
        shown, losses = self._encode_style(self._choose_style(batch, x))
        said = self.words(self._encode_words(batch, x)).float()
        w = self._choose_code(shown, said)
        fake = self.generator(self._join(batch, m), w)
        real_pair, fake_pair = torch.cat([m, x], 1), torch.cat([m, fake.float()], 1)
        loss = self._update_discriminator(real_pair, fake_pair.detach(), w.detach())
        losses |= self._compare(x, fake, real_pair, fake_pair, w.detach())
        losses["words"] = F.l1_loss(said, shown.detach())
        self.update("generator", sum_up(losses, self._weights()))
        return {"discriminator": loss, **losses}

    def _update_discriminator(self, real: Tensor, fake: Tensor, w: Tensor) -> Tensor:
        """Take one step on D: the hinge loss (the paper's; half of it here), and real pairs with another's code."""
        D, options = self.discriminator, self.options
        set_trainable(D, True)
        real_features = D.features(real)
        real_logits = D.logits(real_features, w)
        loss = discriminator_loss(real_logits, D.logits(D.features(fake), w), options.gan)
        total = loss
        if self.small and options.mismatched and len(w) > 1:
            others = D.logits(real_features, w.roll(1, 0))
            total = loss + options.mismatched * discriminator_loss(real_logits, others, options.gan)
        self.update("discriminator", total)
        return loss

    def _compare(self, x: Tensor, fake: Tensor, real_pair: Tensor, fake_pair: Tensor, w: Tensor) -> dict[str, Tensor]:
        """Return the losses of a fake: the adversarial one, feature matching, and what its network adds."""
        D = self.discriminator
        set_trainable(D, False)
        features = D.features(fake_pair)
        with torch.no_grad():
            real_features = D.features(real_pair)
        losses = {
            "adversarial": generator_loss(D.logits(features, w), self.options.gan, D.logits(real_features, w)),
            "matching": (len(features[0]) - 1) * feature_matching(real_features, features),
            "lowpass": lowpass_l1(fake, x, LOWPASS_CELL),
            "l1": F.l1_loss(fake.float(), x.float()),
            "contrast": contrast_l1(fake, x),
        }
        if self.small:
            losses["consistency"] = F.l1_loss(self.encoder(fake), w)
        return losses

    def _weights(self) -> dict[str, float]:
        names = ("adversarial", "matching", "lowpass", "l1", "contrast", "consistency", "kl")
        return {name: getattr(self.options, name) for name in names} | {"words": 1.0}

    def _encode_style(self, style: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the code w of pictures; the paper's encoder draws it, at the price of its divergence from noise."""
        if not isinstance(self.encoder, PaperEncoder):
            return self.encoder(style), {}
        mean, log_variance = self.encoder.spread(style)
        z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        return z, {"kl": divergence_from_noise(mean, log_variance).sum()}

    def _choose_style(self, batch: dict[str, Any], x: Tensor) -> Tensor:
        """Return for each picture another scene in the same look, or, `own_style` of the times, the picture itself."""
        if self.partner == self.target.name:
            return x
        own = torch.rand(len(x), 1, 1, 1).to(x.device) < self.options.own_style
        return torch.where(own, x, encode_image(batch[self.partner]))

    def _choose_code(self, shown: Tensor, said: Tensor) -> Tensor:
        """Return for each picture the code that a picture shows, or, `told` of the times, the one that words tell.

        What words name and a picture hardly shows, such as mist, is learned of words alone.
        """
        if not (self.options.told and self.conditions):
            return shown
        told = torch.rand(len(shown), 1).to(shown.device) < self.options.told
        return torch.where(told, said.to(shown), shown)

    @torch.no_grad()
    def work_out_start(self) -> None:
        """Work out codes and base colours from some of the data, evenly spread, before the first step."""
        count = min(self.options.start_from, len(self.dataset))
        if count < 2:
            return
        names = (self.source.name, self.target.name, self.partner)
        device, styles, cells = next(self.generator.parameters()).device, [], []
        for index in torch.linspace(0, len(self.dataset) - 1, count).round().long().tolist():
            sample = self.dataset.load(index, list(dict.fromkeys(names)))
            labels, target, style = (torch.as_tensor(sample[name])[None] for name in names)
            styles.append(fit_style(style.float() / 255).to(device))
            parts = one_hot(labels.long(), self.arguments.generator.classes), encode_image(target.float() / 255)
            cells.append([F.adaptive_avg_pool2d(part, CELLS)[0].to(device) for part in parts])
        codes = fit_codes(self.encoder, styles)  # type: ignore[arg-type]
        if isinstance(self.generator, TablesGenerator):
            fit_colours(self.generator, codes, *zip(*cells, strict=True))

    def prepare(self, sample: Sample) -> Sample:
        """Lay the strokes that the painting was made with, where the data names their seed, and note heights.

        Both as bytes, an eighth of what floats would take.
        """
        picture = sample[self.target.name]
        assert isinstance(picture, Tensor)
        height, width = picture.shape[-2:]
        if self.strokes:
            seed = int(str(sample["seed"])) if self.seeded else mix_seeds(self.settings.seed, int(picture.sum()))
            sample["z"] = to_bytes(stroke_noise(height, width, seed))
        if self.small:
            sample["height"] = to_bytes(heights(height, width))
        return sample

    def _encode_map(self, batch: dict[str, Any]) -> Tensor:
        return one_hot(batch[self.source.name], self.arguments.generator.classes)

    def _join(self, batch: dict[str, Any], m: Tensor) -> Tensor:
        parts = (encode_image(batch[name]) if name in batch else None for name in ("z", "height"))
        return join_input(m, *parts)

    def _encode_words(self, batch: dict[str, Any], like: Tensor) -> Tensor:
        rows = self.conditions.encode_columns(batch) if self.conditions else torch.zeros(len(like), 0)
        return encode_words(rows).to(like)

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the map, the picture of style, what is made of both, what is made by words, and the target."""
        multiple = self.arguments.generator.size_rule.multiple
        batch = {name: trim(value, multiple) if isinstance(value, Tensor) else value for name, value in batch.items()}
        labels, target, style = batch[self.source.name], batch[self.target.name], batch[self.partner]
        seen = self._join(batch, self._encode_map(batch))
        generator, encoder, words = (self.exported(name) for name in self.averaged)
        codes = (encoder(encode_image(style)), words(self._encode_words(batch, target)))
        shown = paint_labels(labels, self.source.classes) if self.source.classes else labels
        return [shown, style, *(decode_image(generator(seen, code)) for code in codes), target]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return generator, encoder and words as a model."""
        header = ModelHeader(
            method="spade",
            arguments=self.arguments.record(),
            inputs={"labels": Kind.LABELS, "style": Kind.IMAGE},
            output=Kind.IMAGE,
            classes=self.source.classes,
            conditions={name: tuple(words) for name, words in self.conditions.known.items()},
            **self.arguments.generator.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the networks' arguments; conditions follow from the data."""
        return options_of_arguments(read_arguments(model.header, SpadeArguments).generator, SpadeTraining)


def sum_up(losses: dict[str, Tensor], weights: dict[str, float]) -> Tensor:
    """Return the sum of losses, each times its weight."""
    return torch.stack([weights[name] * loss for name, loss in losses.items()]).sum()


def to_bytes(field: Tensor) -> Tensor:
    """Return values in [-1, 1] as bytes, which a batch holds as [0, 1]."""
    return ((field + 1) * 127.5).round().to(torch.uint8)


def find_columns(dataset: Dataset, options: SpadeTraining) -> tuple[Column, Column, str]:
    """Return the columns of maps and of pictures, and the name of that of partners, or of pictures once more.

    Raises OptionError where the source holds no label maps.
    """
    source = dataset.column(options.source) if options.source else dataset.first(Kind.LABELS, Kind.IMAGE)
    partner = options.partner or (PARTNER if PARTNER in dataset.columns else "")
    named = options.target or dataset.first(Kind.IMAGE, besides=[source.name, partner]).name
    target = dataset.column(named)
    if source.classes is None:
        raise OptionError(
            f"training spade: column '{source.name}' holds no label maps: name one that does with --set source=NAME, "
            "or put classes.txt beside the data (`artkit data check` says what it takes)."
        )
    return source, target, dataset.column(partner or target.name).name


def find_conditions(dataset: Dataset, options: SpadeTraining) -> Conditions:
    """Return the conditions that the data have words for; their defaults are those asked for, else the first.

    Raises OptionError for a default that no picture has.
    """
    columns = [dataset.columns[name] for name in CONDITIONS.values() if name in dataset.columns]
    known = {column.name: column.values for column in columns if len(column.values) > 1}
    asked = Conditions(known).parse(" ".join(options.default_conditions), "training spade", "default_conditions")
    return Conditions(known, {name: words[0] for name, words in known.items()} | dict(asked.words))


def arguments_for(options: SpadeTraining, settings: Settings, classes: int, conditions: Conditions) -> SpadeArguments:
    """Return the arguments of the networks that the options describe. Raises OptionError for one beyond all sizes."""
    kind = ARGUMENTS[options.network]
    known = {field.name for field in msgspec.structs.fields(kind)}
    given = {**msgspec.structs.asdict(options), "classes": classes, "side": settings.crop}
    made = {name: value for name, value in given.items() if name in known}
    try:
        generator = msgspec.convert(made, kind)
    except msgspec.ValidationError as error:
        raise OptionError(f"training spade: network={options.network}: {error}.") from None
    return SpadeArguments(generator=generator, default_conditions=dict(conditions.defaults))
