"""Train SemGAN: a generator of label maps, adversarially, and a segmenter of damaged pictures of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, ClassVar

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError, nearest
from artkit.data import Dataset, Sample
from artkit.images import one_hot, paint_labels, resize_labels
from artkit.models import Model, load_into
from artkit.nn import divergence_from_noise, generator_loss, read_arguments
from artkit.training import Settings, Trainer, set_trainable, trim
from artkit_semgan import SemganTraining
from artkit_semgan.damage import damage, damaged_patches
from artkit_semgan.losses import ShareLoss, colour_entropy, cross_entropy
from artkit_semgan.networks import (
    Discriminator,
    Encoder,
    Generator,
    GeneratorArguments,
    Segmenter,
    SegmenterArguments,
    SemganArguments,
)
from artkit_semgan.shares import calibrate, cell_shares, settle
from artkit_semgan.things import Things, ThingsArguments, collect_things

PARTS = ("generator", "segmenter")
"""The networks that a model may hold."""
SIZE_MULTIPLE = 2
"""The segmenter halves maps once."""
MAPS = 400
"""Maps of the data, at most, whose things are recorded."""
R1_EVERY = 8
"""One step in so many pays R1, on average, and so many times (Karras et al. 2020, appendix B)."""


class SemganTrainer(Trainer):
    """Trainer of SemGAN's parts: generator, discriminator and encoder on whole maps, the segmenter on patches of them.

    For the first `warm_up` steps the generator only learns to reconstruct real maps from the encoder's z, as a
    variational autoencoder's decoder; then the discriminator joins in (Larsen et al. 2016 train all at once).
    `reconstruction=0` is the plain adversarial game.
    """

    defaults: ClassVar[dict[str, Any]] = {"steps": 50_000, "batch": 16, "crop": 256}
    options: SemganTraining
    generator: Generator
    discriminator: Discriminator
    encoder: Encoder
    segmenter: Segmenter

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the sizes of both parts, as far as the model has them."""
        arguments = read_arguments(model.header, SemganArguments)
        generator = arguments.generator.record() if arguments.generator else {}
        if model.header.output is Kind.IMAGE:
            generator |= {"colours": True, "parts": "generate"}
        segmenter = arguments.segmenter.record() if arguments.segmenter else {}
        if "things.most" in model.tensors and model.header.classes:
            most = zip(model.header.classes.names, model.tensors["things.most"].flatten().tolist(), strict=False)
            generator["things"] = [name for name, count in most if count]
        return generator | {f"segmenter_{name}": value for name, value in segmenter.items()}

    def __init__(self, options: SemganTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.dataset, self.data_name = dataset, dataset.name
        column = dataset.column(options.labels) if options.labels else dataset.first(Kind.LABELS)
        if column.classes is None:
            raise OptionError(f"training semgan(labels={column.name}): this column holds no label maps.")
        if options.colours and options.parts != "generate":
            raise OptionError("training semgan(colours=true): colours are generated alone: add parts=generate.")
        self.classes, self.labels, self.columns = column.classes, column.name, (column.name,)
        self.kinds = self._find_kinds()
        self.channels = 3 if options.colours else len(self.classes)
        self.share_loss = ShareLoss(self.channels)
        self.arguments = self._arguments()
        self._build()
        self.averaged = tuple(name for name in PARTS if name in self.networks)
        self.kept: dict[str, Tensor] = {}

    def fit_start(self, model: Model) -> Model:
        """See Trainer: what a model of the same classes holds besides what is trained here goes along as it is.

        Raises ModelError where that does not fit the network that the model's header describes.
        """
        classes = model.header.classes
        if classes is None or classes.classes != self.classes.classes or model.header.output is Kind.IMAGE:
            return model
        arguments = read_arguments(model.header, SemganArguments)
        others = {part: getattr(arguments, part) for part in PARTS if part not in self.networks}
        for part, network in others.items():
            own = {key: value for key, value in model.tensors.items() if key.startswith(f"{part}.")}
            if network:
                built = network.build(classes if part == "segmenter" else len(classes))
                load_into(built, {key.removeprefix(f"{part}."): value for key, value in own.items()}, model.path)
                self.kept |= own
        self.arguments = msgspec.structs.replace(self.arguments, **others)
        return model

    def prepare(self, sample: Sample) -> Sample:
        """Fit the whole map into the crop: what is generated are whole scenes, from sky to ground."""
        labels = sample[self.labels]
        assert isinstance(labels, Tensor)
        return {self.labels: resize_labels(labels, (self.settings.crop, self.settings.crop))}

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the discriminator, then generator and encoder together, then the segmenter."""
        labels, losses = batch[self.labels], dict[str, Tensor]()
        if self.settings.mirror:
            labels = mirror_some(labels)
        if "generator" in self.networks:
            real = self.shrink(labels)
            adversarial = self.options.reconstruction == 0 or self.step >= self.options.warm_up
            losses |= self._update_discriminator(real) if adversarial else {}
            losses |= self._update_generator(real, adversarial)
        if "segmenter" in self.networks:
            losses |= self._update_segmenter(labels)
        return losses

    def shrink(self, labels: Tensor) -> Tensor:
        """Return maps N H W as distributions at the generator's resolution: each class's share of each cell.

        One-hot inside regions and graded along borders, as soft fakes are; one-hot everywhere where the discriminator
        sees one-hot fakes. Where colours are generated, the mean colour of each cell in place of them.
        """
        shares = cell_shares(labels, len(self.classes), self.options.resolution)
        if self.options.colours:
            palette = torch.tensor(self.classes.colours, device=shares.device, dtype=shares.dtype) / 255
            return torch.einsum("nkhw,kc->nchw", shares, palette)
        return one_hot(shares.argmax(1), len(self.classes)) if self.options.fakes == "gumbel" else shares

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show a real map and a generated one, then the map damaged and segmented."""
        labels = trim(batch[self.labels], SIZE_MULTIPLE)
        painted = paint_labels(labels, self.classes)
        shown = [painted]
        if "generator" in self.networks:
            fake = self._soft(self.exported("generator")(self._noise(labels)))
            fake = F.interpolate(fake.float(), size=labels.shape[1:], mode="bilinear", antialias=True)
            shown.append(fake if self.options.colours else paint_labels(fake.argmax(1), self.classes))
        if "segmenter" in self.networks:
            damaged = damage(painted)
            shown += [damaged, paint_labels(self.exported("segmenter")(damaged).argmax(1), self.classes)]
        return shown

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return generator and segmenter as one model, and the data's things."""
        tensors = self._tensors()
        header = ModelHeader(
            method="semgan",
            architecture="semgan",
            arguments=self.arguments.record(),
            inputs={"image": Kind.IMAGE} if self.arguments.segmenter else {},
            output=Kind.IMAGE if self.options.colours else Kind.LABELS,
            classes=self.classes,
            value_range=(0, 1),
            size_multiple=SIZE_MULTIPLE,
            training={"data": self.data_name, "steps": self.settings.steps, "seed": self.settings.seed},
        )
        return header, tensors

    def _tensors(self) -> dict[str, Tensor]:
        states = {part: self._finished(part).state_dict() for part in self.averaged}
        if self.arguments.generator and self.things:
            states["things"] = self.things.state_dict()
            self.arguments = msgspec.structs.replace(
                self.arguments, things=ThingsArguments(shapes=len(self.things.kinds))
            )
        made = {f"{part}.{name}": value for part, state in states.items() for name, value in state.items()}
        return self.kept | made

    @cached_property
    def things(self) -> Things | None:
        """What the data show of the classes that are things."""
        return collect_things(self._some_maps(), self.kinds, len(self.classes)) if self.kinds else None

    def _some_maps(self) -> Iterator[Tensor]:
        """Yield maps H W as they are: squared, their things would be out of shape."""
        for index in range(0, len(self.dataset), -(-len(self.dataset) // MAPS)):
            labels = self.dataset.load(index, [self.labels])[self.labels]
            assert isinstance(labels, Tensor)
            yield labels

    def _find_kinds(self) -> tuple[int, ...]:
        """Return the places of the classes that are things in the class set."""
        names, options = self.classes.names, self.options
        if options.things and (options.colours or (options.parts == "segment" and not self.settings.start)):
            raise OptionError("training semgan(things=...): only dreams of classes have things: leave it out here.")
        for name in options.things:
            if name not in names:
                raise OptionError(f"training semgan(things=...): there is no class '{name}'.{nearest(name, names)}")
        return tuple(dict.fromkeys(map(names.index, options.things)))

    def extra_state(self) -> dict[str, Any]:
        """Return the running class shares, and what goes along from the model that the run started from."""
        arguments = {part: network.record() for part in PARTS if (network := getattr(self.arguments, part))}
        return {"shares": self.share_loss.state_dict(), "kept": self.kept, "arguments": arguments}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore them."""
        self.share_loss.load_state_dict(state["shares"])
        self.kept, self.arguments = state["kept"], msgspec.convert(state["arguments"], SemganArguments)

    def _arguments(self) -> SemganArguments:
        options = self.options
        generator = GeneratorArguments(latent=options.latent, width=options.width, resolution=options.resolution)
        segmenter = SegmenterArguments(width=options.segmenter_width, dilations=options.segmenter_dilations)
        return SemganArguments(
            generator=generator if options.parts != "segment" else None,
            segmenter=segmenter if options.parts != "generate" else None,
        )

    def _build(self) -> None:
        options, arguments, count = self.options, self.arguments, self.channels
        if arguments.generator:
            self.generator = arguments.generator.build(count)
            width = options.discriminator_width
            self.discriminator = Discriminator(count, width, options.resolution, options.places)
            self.encoder = Encoder(count, width, options.resolution, options.latent)
            self.optimisers["generator"] = self.adam("generator", "encoder", betas=(0.0, 0.99))
            self.optimisers["discriminator"] = self.adam("discriminator", betas=(0.0, 0.99))
        if arguments.segmenter:
            self.segmenter = arguments.segmenter.build(self.classes)
            self.optimisers["segmenter"] = self.adam("segmenter", betas=(0.9, 0.99))

    def _finished(self, part: str) -> nn.Module:
        network, real = self.exported(part), self.share_loss.real
        if not isinstance(network, Generator) or not bool(real.any()):
            return network
        return settle(network) if self.options.colours else calibrate(network, real)

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(len(like), self.options.latent, device=like.device)

    def _soft(self, logits: Tensor) -> Tensor:
        """Return the distribution of logits N K H W, or the colours."""
        return torch.sigmoid(logits) if self.options.colours else F.softmax(logits, 1)

    def _fake(self, logits: Tensor) -> Tensor:
        """Return what the discriminator sees of logits N K H W: the distribution, or a draw from it (Gumbel, one-hot).

        The draw passes the gradient of its softmax on (straight-through).
        """
        if self.options.fakes == "soft" or self.options.colours:
            return self._soft(logits)
        drawn = F.softmax(logits - torch.empty_like(logits).exponential_().log(), 1)
        return one_hot(drawn.argmax(1), len(self.classes)) - drawn.detach() + drawn

    def _update_discriminator(self, real: Tensor) -> dict[str, Tensor]:
        options = self.options
        with torch.no_grad():
            fake = self._fake(self.generator(self._noise(real)))
        loss = self.update_discriminator("discriminator", real, fake, options.gan, r1=options.r1, every=R1_EVERY)
        return {"discriminator": loss}

    def _update_generator(self, real: Tensor, adversarial: bool) -> dict[str, Tensor]:
        """Take one step on generator and encoder: the adversarial loss and the class shares, and the reconstruction."""
        options, losses, total = self.options, dict[str, Tensor](), real.new_zeros(())
        if adversarial:
            losses |= self._adversarial_losses(real)
            total = total + losses["adversarial"] + options.shares * losses["shares"]
        if options.reconstruction:
            losses |= self._reconstruction_losses(real)
            kl = options.kl / options.resolution**2 * losses["kl"]
            total = total + options.reconstruction * (losses["reconstruction"] + kl)
        self.update("generator", total)
        return losses

    def _adversarial_losses(self, real: Tensor) -> dict[str, Tensor]:
        set_trainable(self.discriminator, False)
        logits = self.generator(self._noise(real))
        with torch.no_grad():
            real_logits = self.discriminator(real)
        loss = generator_loss(self.discriminator(self._fake(logits)), self.options.gan, real_logits)
        return {"adversarial": loss, "shares": self.share_loss(real, self._soft(logits))}

    def _reconstruction_losses(self, real: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.encoder(real)
        z = mean + torch.randn_like(mean) * torch.exp(log_variance / 2)
        return {
            "reconstruction": (colour_entropy if self.options.colours else cross_entropy)(self.generator(z), real),
            "kl": divergence_from_noise(mean, log_variance).sum(1).mean(),
        }

    def _update_segmenter(self, labels: Tensor) -> dict[str, Tensor]:
        labels, pictures = damaged_patches(labels, self.classes, self.options.patches, self.options.patch)
        loss = F.cross_entropy(self.segmenter(pictures).float(), labels)
        self.update("segmenter", loss)
        return {"segmentation": loss}


def mirror_some(labels: Tensor) -> Tensor:
    """Flip about half of the maps N H W left to right.

    Data that are not to be mirrored are so for their light, as a rule, and label maps have none.
    """
    flipped = torch.rand(len(labels), device=labels.device) < 0.5
    return torch.where(flipped[:, None, None], labels.flip(-1), labels)
