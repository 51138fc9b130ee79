"""Train SemGAN: dream against a judge, and read damaged maps."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from artkit import Kind, ModelHeader, OptionError
from artkit.data import Dataset, Sample
from artkit.images import one_hot, paint_labels, resize_labels
from artkit.models import Model
from artkit.training import Settings, Trainer, set_trainable
from artkit_semgan import SemganTraining
from artkit_semgan.calibration import calibrate
from artkit_semgan.damage import damage
from artkit_semgan.losses import cross_entropy, divergence, dreamer_loss, gradient_penalty, judge_loss
from artkit_semgan.networks import Dreamer, Guide, Judge, Reader
from artkit_semgan.shares import RunningShares, cell_shares

PENALTY_SHARE = 1 / 8
"""The share of steps in which the judge pays its penalty, then eightfold (lazily, Karras et al. 2020, appendix B)."""
MARGIN = 16
"""Pixels that damaged patches lose again, at random sides: JPEG blocks and blurred borders then lie anywhere."""

TRIES = 3
"""Squares to choose a patch from."""


class SemganTrainer(Trainer):
    """Both parts of SemGAN in one run: dreamer, judge and guide on whole maps, the reader on patches of the same maps.

    For the first `warm_up` steps the dreamer only learns to redraw real maps from the guide's z, as an autoencoder's
    decoder; then the judge joins in (Larsen et al. 2016 train all at once). `guide=0` is the plain adversarial game.
    """

    defaults: ClassVar[dict[str, Any]] = {"steps": 50_000, "batch": 16, "crop": 256}
    options: SemganTraining

    @classmethod
    def options_of(cls, model: Model) -> dict[str, Any]:
        """See Trainer: the sizes of both parts, as far as the model has them."""
        arguments = model.header.arguments
        reader = {f"reader_{name}": value for name, value in arguments.get("reader", {}).items()}
        return {**arguments.get("dreamer", {}), **reader}

    def __init__(self, options: SemganTraining, settings: Settings, dataset: Dataset) -> None:
        super().__init__(options, settings, dataset)
        self.options, self.data_name = options, dataset.name
        column = dataset.column(options.labels) if options.labels else dataset.first(Kind.LABELS)
        if column.classes is None:
            raise OptionError(f"training semgan(labels={column.name}): this column holds no label maps.")
        self.classes, self.labels, self.columns = column.classes, column.name, (column.name,)
        self.arguments = self._arguments()
        self.averaged = tuple(self.arguments)  # type: ignore[misc]
        self.shares = RunningShares(len(self.classes))
        self._build()

    def prepare(self, sample: Sample) -> Sample:
        """Fit the whole map into the crop: dreams are whole scenes, from the sky to the ground."""
        labels = sample[self.labels]
        assert isinstance(labels, Tensor)
        return {self.labels: resize_labels(labels, (self.settings.crop, self.settings.crop))}

    def training_step(self, batch: dict[str, Any]) -> dict[str, Tensor]:
        """Update the judge, then dreamer and guide, then the reader."""
        labels, losses = batch[self.labels], dict[str, Tensor]()
        if self.settings.mirror:
            labels = mirror_some(labels)
        if "dreamer" in self.networks:
            real = self.shrink(labels)
            judged = self.options.guide == 0 or self.step >= self.options.warm_up
            losses |= self._learn_to_judge(real) if judged else {}
            losses |= self._learn_to_dream(real, judged)
        if "reader" in self.networks:
            losses |= self._learn_to_read(labels)
        return losses

    def shrink(self, labels: Tensor) -> Tensor:
        """Return maps N H W as distributions at the dreams' resolution: each class's share of each cell.

        One-hot inside regions and graded along borders, as soft dreams are; one-hot everywhere where the judge sees
        one-hot dreams.
        """
        shares = cell_shares(labels, len(self.classes), self.options.resolution)
        return one_hot(shares.argmax(1), len(self.classes)) if self.options.fakes == "gumbel" else shares

    def preview(self, batch: dict[str, Any]) -> list[Tensor]:
        """Show a real map and a dream, then the map damaged and read."""
        labels = batch[self.labels]
        painted = paint_labels(labels, self.classes)
        shown = [painted]
        if "dreamer" in self.networks:
            dreams = F.softmax(self.exported("dreamer")(self._noise(labels)), 1)
            dreams = F.interpolate(dreams.float(), size=labels.shape[1:], mode="bilinear", antialias=True)
            shown.append(paint_labels(dreams.argmax(1), self.classes))
        if "reader" in self.networks:
            damaged = damage(painted)
            shown += [damaged, paint_labels(self.exported("reader")(damaged).argmax(1), self.classes)]
        return shown

    def export(self) -> tuple[ModelHeader, dict[str, Tensor]]:
        """Return dreamer and reader as one model."""
        header = ModelHeader(
            method="semgan",
            architecture="semgan",
            arguments=self.arguments,
            inputs={"image": Kind.IMAGE},
            output=Kind.LABELS,
            classes=self.classes,
            value_range=(0, 1),
            size_multiple=2,
            training={"data": self.data_name, "steps": self.settings.steps, "seed": self.settings.seed},
        )
        states = {part: self._finished(part).state_dict() for part in self.arguments}
        return header, {f"{part}.{name}": value for part, state in states.items() for name, value in state.items()}

    def extra_state(self) -> dict[str, Any]:
        """Return the running class shares."""
        return {"shares": self.shares.state_dict()}

    def load_extra_state(self, state: dict[str, Any]) -> None:
        """Restore the running class shares."""
        self.shares.load_state_dict(state["shares"])

    def _arguments(self) -> dict[str, Any]:
        options, arguments = self.options, dict[str, Any]()
        if options.parts != "read":
            arguments["dreamer"] = {"latent": options.latent, "width": options.width, "resolution": options.resolution}
        if options.parts != "dream":
            arguments["reader"] = {"width": options.reader_width, "dilations": options.reader_dilations}
        return arguments

    def _build(self) -> None:
        options, count = self.options, len(self.classes)
        if "dreamer" in self.arguments:
            self.networks["dreamer"] = Dreamer(count, **self.arguments["dreamer"])
            self.networks["judge"] = Judge(count, options.judge_width, options.resolution)
            self.networks["guide"] = Guide(count, options.judge_width, options.resolution, options.latent)
            self.optimisers["dream"] = self.adam("dreamer", "guide", betas=(0.0, 0.99))
            self.optimisers["judge"] = self.adam("judge", betas=(0.0, 0.99))
        if "reader" in self.arguments:
            self.networks["reader"] = Reader(self.classes, **self.arguments["reader"])
            self.optimisers["read"] = self.adam("reader", betas=(0.9, 0.99))

    def _finished(self, part: str) -> nn.Module:
        network = self.exported(part)
        known = bool(self.shares.world.any())
        return calibrate(network, self.shares.world) if isinstance(network, Dreamer) and known else network

    def _noise(self, like: Tensor) -> Tensor:
        return torch.randn(len(like), self.options.latent, device=like.device)

    def _present(self, logits: Tensor) -> Tensor:
        """Show a dream to the judge: its distribution, or a draw from it that passes the distribution's gradient on."""
        if self.options.fakes == "soft":
            return F.softmax(logits, 1)
        drawn = F.softmax(logits - torch.empty_like(logits).exponential_().log(), 1)
        return one_hot(drawn.argmax(1), len(self.classes)) - drawn.detach() + drawn

    def _learn_to_judge(self, real: Tensor) -> dict[str, Tensor]:
        judge, options = self.networks["judge"], self.options
        set_trainable(judge, True)
        with torch.no_grad():
            fake = self._present(self.networks["dreamer"](self._noise(real)))
        pays = options.r1 > 0 and bool(torch.rand(()) < PENALTY_SHARE)
        real = real.detach().requires_grad_(pays)
        verdicts = judge(real)
        loss = judge_loss(verdicts, judge(fake), options.gan)
        penalty = options.r1 / (2 * PENALTY_SHARE) * gradient_penalty(verdicts, real) if pays else 0.0
        self.update("judge", loss + penalty)
        return {"judge": loss}

    def _learn_to_dream(self, real: Tensor, judged: bool) -> dict[str, Tensor]:
        losses, total = dict[str, Tensor](), real.new_zeros(())
        if judged:
            losses |= self._satisfy_judge(real)
            total = total + losses["dream"] + self.options.shares * losses["shares"]
        if self.options.guide:
            losses |= self._follow_guide(real)
            cells = self.options.resolution**2
            total = total + self.options.guide * (losses["redraw"] + self.options.kl / cells * losses["kl"])
        self.update("dream", total)
        return losses

    def _satisfy_judge(self, real: Tensor) -> dict[str, Tensor]:
        judge = self.networks["judge"]
        set_trainable(judge, False)
        logits = self.networks["dreamer"](self._noise(real))
        with torch.no_grad():
            verdicts = judge(real)
        loss = dreamer_loss(verdicts, judge(self._present(logits)), self.options.gan)
        return {"dream": loss, "shares": self.shares.compare(real, F.softmax(logits, 1))}

    def _follow_guide(self, real: Tensor) -> dict[str, Tensor]:
        mean, log_variance = self.networks["guide"](real)
        z = mean + torch.randn_like(mean) * torch.exp(log_variance / 2)
        logits = self.networks["dreamer"](z)
        return {"redraw": cross_entropy(logits, real), "kl": divergence(mean, log_variance)}

    def _learn_to_read(self, labels: Tensor) -> dict[str, Tensor]:
        labels, pictures = self._damaged_patches(labels)
        loss = F.cross_entropy(self.networks["reader"](pictures).float(), labels)
        self.update("read", loss)
        return {"read": loss}

    def _damaged_patches(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return patches of the maps, N side side, and pictures of them, damaged."""
        options, extent = self.options, labels.shape[-1]
        side = min(options.patch, extent // 2 * 2)
        grown = min(side + MARGIN, extent)
        rows = torch.randint(len(labels), (options.patches,)).tolist()
        large = torch.stack([cut_busy(labels[row], grown) for row in rows])
        corners = [draw_corner(grown - side) for _ in rows]
        pictures = damage(paint_labels(large, self.classes))
        patches = [
            torch.stack([cut(x, side, *c) for x, c in zip(xs, corners, strict=True)]) for xs in (large, pictures)
        ]
        return patches[0], patches[1]


def mirror_some(labels: Tensor) -> Tensor:
    """Flip about half of the maps N H W left to right.

    Data that are not to be mirrored are so for their light, as a rule, and label maps have none.
    """
    flipped = torch.rand(len(labels), device=labels.device) < 0.5
    return torch.where(flipped[:, None, None], labels.flip(-1), labels)


def draw_corner(room: int) -> tuple[int, int]:
    """Draw the top left corner of a square that has `room` pixels to move in."""
    top, left = torch.randint(room + 1, (2,)).tolist()
    return top, left


def cut_busy(labels: Tensor, side: int) -> Tensor:
    """Cut the one with most borders of a few random squares from a map HW: inside regions there is little to learn."""
    corners = [draw_corner(labels.shape[-1] - side) for _ in range(TRIES)]
    return max((cut(labels, side, *corner) for corner in corners), key=count_borders)


def count_borders(labels: Tensor) -> int:
    """Count the neighbours in a map HW, side by side or one above the other, that differ."""
    return int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())


def cut(value: Tensor, side: int, top: int, left: int) -> Tensor:
    """Cut a square out of a map HW or picture CHW."""
    return value[..., top : top + side, left : left + side]
