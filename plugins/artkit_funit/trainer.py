"""Train FUNIT (Liu et al. 2019, section 3.2): the paper's objective, or a paired one where the data allow it."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample
from artkit.models import Model
from artkit.nn import (
    Conditions,
    MomentsEncoder,
    ProjectionDiscriminator,
    contrast_l1,
    decode_image,
    discriminator_loss,
    encode_image,
    feature_matching,
    fit_codes,
    fit_style,
    generator_loss,
    gradient_penalty,
    is_penalty_due,
    least_side,
    lowpass_l1,
    options_of_arguments,
    read_arguments,
    stroke_noise,
)
from artkit.seeds import mix_seeds
from artkit.training import Settings, Trainer, set_trainable, slow_down, trim
from artkit_funit import FunitTraining
from artkit_funit.networks import FunitArguments, Generator, GeneratorArguments

LOWPASS_CELL = 8
R1_EVERY = 16
"""One step in so many pays R1, on average, and so many times (Karras et al. 2020, appendix B)."""
SLOWLY = 0.1
"""The learning rate, as a factor, of the class encoder, whose codes were worked out in closed form."""
PARTNER, CONTENT = "partner", "content"

Features = list[list[Tensor]]


class FunitTrainer(Trainer):
    """D, then G and its encoders, every step. The names are the paper's: x is content, y a picture of a class c.

    Where the data show a scene in two looks, x and t, and another scene y in the look of t, G(x, y) is to be t. Else,
    as in the paper, G(x, x) is to be x, and G(x, y) with the y of another class is to look like that.
    """

    defaults: ClassVar[dict[str, Any]] = {
        "steps": 6000, "batch": 4, "crop": 128, "learning_rate": 4e-4, "decay_from": 0.4, "ema": 0.998,
    }  # fmt: skip
    averaged = ("generator", "encoder")
    options: FunitTraining
    generator: Generator
    encoder: MomentsEncoder
    discriminator: ProjectionDiscriminator

    def __init__(self, options: FunitTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.dataset = dataset
        self.content, self.picture, self.partner = find_columns(dataset, options)
        self.paired = self.content != self.picture
        self.classes = find_classes(dataset, options)
        self.arguments = arguments_for(options)
        self.strokes = self.arguments.noise_channels > 0
        self.seeded = self.strokes and "seed" in dataset.columns
        pictures = dict.fromkeys((self.content, self.picture, self.partner))
        self.columns = (*pictures, *self.classes.known, *(["seed"] if self.seeded else []))
        self._build()

    def _build(self) -> None:
        self.check_crop(self.arguments.size_rule.multiple, least_side(self.options))
        self.generator, self.encoder = self.arguments.build(), self.arguments.build_encoder()
        self.discriminator = ProjectionDiscriminator(self.options, 3, self.classes.channels)
        self.optimisers = {
            "generator": self.adam(*self.averaged, betas=(0.0, 0.99)),
            "discriminator": self.adam("discriminator", betas=(0.0, 0.99)),
        }
        slow_down(self.optimisers["generator"], set(self.encoder.parameters()), SLOWLY)

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Take one step on D, which tells pictures of a class from G's (eq. 3), then one on G and both encoders."""
        if self.step == 0 and not self.settings.start:
            self.work_out_start()
        x, t, y = (encode_image(batch[name]) for name in (self.content, self.picture, self.partner))
        c = self.classes.encode_columns(batch).to(t)
        z = encode_image(batch["z"]) if "z" in batch else None
        if self.paired:
            fake = reconstruction = self.generator(x, z, self.encoder(y))
            shown, wanted = t, c
        else:
            reconstruction, fake = self._translate(x, y, z)
            shown, wanted = y.roll(1, 0), c.roll(1, 0)
        loss = self._update_discriminator(t, c, fake.detach(), wanted)
        losses = self._look_at(fake, shown, wanted) | {
            "reconstruction": F.l1_loss(reconstruction.float(), t.float()),
            "lowpass": lowpass_l1(reconstruction, t, LOWPASS_CELL),
            "contrast": contrast_l1(reconstruction, t),
        }
        weights = self.options
        self.update("generator", torch.stack([getattr(weights, name) * each for name, each in losses.items()]).sum())
        return {"discriminator": loss, **losses}

    def _translate(self, x: Tensor, y: Tensor, z: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return G(x, x) and G(x, y) with the next picture's y: contents are encoded once."""
        normal = self.generator.normal(x)
        content = self.generator.encode(normal)
        codes = self.encoder(x), self.encoder(y.roll(1, 0))
        reconstruction, fake = (self.generator.decode(normal, content, z, code) for code in codes)
        return reconstruction, fake

    def _update_discriminator(self, real: Tensor, c: Tensor, fake: Tensor, wanted: Tensor) -> Tensor:
        """Take one step on D: the adversarial loss under each picture's class, R1, and real ones of another class."""
        D, options = self.discriminator, self.options
        set_trainable(D, True)
        due = options.r1 > 0 and is_penalty_due(R1_EVERY)
        real = real.detach().requires_grad_(due)
        features = D.features(real)
        logits = D.logits(features, c)
        loss = total = discriminator_loss(logits, D.logits(D.features(fake), wanted), options.gan)
        if options.mismatched:
            other = (c != c.roll(1, 0)).any(1)  # where the next picture is of the same class, there is nothing to tell
            if other.any():
                others = [scale[other] for scale in D.logits(features, c.roll(1, 0))]
                total = total + options.mismatched * discriminator_loss(
                    [scale[other] for scale in logits], others, options.gan
                )
        if due:
            total = total + options.r1 / 2 * R1_EVERY * gradient_penalty(logits, real)
        self.update("discriminator", total)
        return loss

    def _look_at(self, fake: Tensor, shown: Tensor, wanted: Tensor) -> dict[str, Tensor]:
        """Return the adversarial loss of fakes under the class that is wanted, and how far they match what is shown.

        Features are those of D without its last layer: compared at each place where the same scene is shown, else, as
        in the paper (eq. 5), by their means.
        """
        D = self.discriminator
        set_trainable(D, False)
        features = D.features(fake)
        with torch.no_grad():
            real = D.features(shown)
        adversarial = generator_loss(D.logits(features, wanted), self.options.gan, D.logits(real, wanted))
        compared = (real, features) if self.paired else (means_of(real), means_of(features))
        return {"adversarial": adversarial, "matching": feature_matching(*compared)}

    @torch.no_grad()
    def work_out_start(self) -> None:
        """Make the first class codes the principal components of the moments of some pictures, evenly spread."""
        count = min(self.options.start_from, len(self.dataset))
        if count < 2:
            return
        device, pictures = next(self.generator.parameters()).device, []
        for index in torch.linspace(0, len(self.dataset) - 1, count).round().long().tolist():
            picture = torch.as_tensor(self.dataset.load(index, [self.partner])[self.partner])
            pictures.append(fit_style(picture[None].float() / 255).to(device))
        fit_codes(self.encoder, pictures)

    def prepare(self, sample: Sample) -> Sample:
        """Lay the strokes that the painting was made with, where the data names their seed, as bytes."""
        picture = sample[self.picture]
        assert isinstance(picture, Tensor)
        if self.strokes:
            seed = int(str(sample["seed"])) if self.seeded else mix_seeds(self.settings.seed, int(picture.sum()))
            strokes = stroke_noise(picture.shape[-2], picture.shape[-1], seed)
            sample["z"] = ((strokes + 1) * 127.5).round().to(torch.uint8)
        return sample

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show the content, the picture of the class, what is made of both, and the picture that it should be."""
        multiple = self.arguments.size_rule.multiple
        batch = {name: trim(value, multiple) if isinstance(value, Tensor) else value for name, value in batch.items()}
        content, picture, partner = batch[self.content], batch[self.picture], batch[self.partner]
        shown = partner if self.paired else partner.roll(1, 0)
        z = encode_image(batch["z"]) if "z" in batch else None
        code = self.exported("encoder")(encode_image(shown))
        made = decode_image(self.exported("generator")(encode_image(content), z, code))
        return [content, shown, made, *([picture] if self.paired else [])]

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return generator and class encoder as a model."""
        header = ModelHeader(
            method="funit",
            arguments=FunitArguments(generator=self.arguments).record(),
            inputs={"image": Kind.IMAGE, "style": Kind.IMAGE},
            output=Kind.IMAGE,
            **self.arguments.header_fields(),
        )
        return header, self.exported_tensors()

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the networks' arguments."""
        return options_of_arguments(read_arguments(model.header, FunitArguments).generator, FunitTraining)


def means_of(features: Features) -> Features:
    """Return the mean over places of each activation N C H W: N C."""
    return [[layer.float().mean((2, 3)) for layer in scale] for scale in features]


def find_columns(dataset: Dataset, options: FunitTraining) -> tuple[str, str, str]:
    """Return the columns of contents, of pictures with a class, and of others of the same class.

    All three are one where the data have nothing else.
    """
    content, partner = (
        getattr(options, name) or (name if name in dataset.columns else None) for name in (CONTENT, PARTNER)
    )
    besides = [name for name in (content, partner) if name]
    picture = dataset.column(options.picture) if options.picture else dataset.first(Kind.IMAGE, besides=besides)
    return tuple(dataset.column(name or picture.name).name for name in (content, picture.name, partner))  # type: ignore[return-value]


def find_classes(dataset: Dataset, options: FunitTraining) -> Conditions:
    """Return the words that together are a picture's class. Raises OptionError where the data name no two classes."""
    texts = [column for column in dataset.columns.values() if column.kind is Kind.TEXT and len(column.values) > 1]
    columns = [dataset.column(name) for name in options.classes] or texts[:1]
    if not columns or any(len(column.values) < 2 for column in columns):
        what = f"column '{next(c.name for c in columns if len(c.values) < 2)}'" if columns else "any text column"
        raise OptionError(
            f"training funit: {dataset.name} does not say in {what} which of two or more classes each picture has: "
            "put the pictures of each class into a folder of its own."
        )
    return Conditions({column.name: column.values for column in columns})


def arguments_for(options: FunitTraining) -> GeneratorArguments:
    """Return the arguments of the networks that the options describe."""
    return GeneratorArguments(
        noise=options.noise,
        width=options.width,
        encoder_blocks=options.encoder_blocks,
        blocks=options.blocks,
        detail=options.detail,
        code=options.code,
        class_width=options.class_width,
    )
