"""CAN trains on class folders and on the atelier, resumes bit for bit, and exports a model that dreams."""

from __future__ import annotations

import pytest
import torch

from artkit import Chain, Kind, OptionError
from artkit.data import Batches, Column, Dataset
from artkit.models.file import load_model
from artkit.nn import generator_loss
from artkit.training import Settings, train
from artkit.training.loop import Loop
from artkit_can import CanTraining
from artkit_can.trainer import CanTrainer, find_styles

DATA = "styles(count=12,size=[20,16],styles=['ink','watercolour'])"
TINY = {
    "latent": 4, "width": 2, "discriminator_width": 2, "steps": 4, "batch": 2, "crop": 16, "learning_rate": 1e-3,
    "ema": 0.9, "sample_every": 2, "checkpoint_every": 2, "precision": "fp32",
}  # fmt: skip
MODERN = {
    "noise": "strokes", "upsample": "resize", "discriminator_norm": "none", "spectral": True, "patches": True,
    "augment": True, "gan": "relativistic", "r1": 1.0, "style_form": "softmax",
}  # fmt: skip


class Uneven(Dataset):
    """Twelve grey pictures of one style, two of another."""

    name = "uneven"

    def __init__(self, style="class", values=("a", "b")):
        self.columns = {"image": Column("image", Kind.IMAGE), style: Column(style, Kind.TEXT, values=values)}

    def __len__(self):
        return 14

    def load(self, index, names):
        sample = {"image": torch.full((3, 40, 24), index, dtype=torch.uint8), "class": "b" if index > 11 else "a"}
        return {name: sample[name] for name in names}


def trainer(dataset=None, crop=16, learning_rate=2e-4, **options):
    torch.manual_seed(0)
    chosen = CanTraining(**{"latent": 4, "width": 2, "discriminator_width": 2, **options})
    made = CanTrainer(chosen, Settings(batch=4, crop=crop, learning_rate=learning_rate), dataset or Uneven())
    for network in made.networks.values():
        network.train()
    return made


def batch(count=4):
    generator = torch.Generator().manual_seed(3)
    return {"image": torch.rand(count, 3, 16, 16, generator=generator), "class": ["a", "b"] * (count // 2)}


@pytest.mark.parametrize("changes", [{}, MODERN], ids=["paper", "modern"])
def test_stopping_and_resuming_changes_nothing(tmp_path, changes, monkeypatch):
    whole = train("can", DATA, tmp_path / "whole", values=TINY | changes)
    train_step = Loop._train

    def stopping(self, batch):
        losses = train_step(self, batch)
        self._stop = self.step == 2
        return losses

    monkeypatch.setattr(Loop, "_train", stopping)
    with pytest.raises(KeyboardInterrupt):
        train("can", DATA, tmp_path / "half", values=TINY | changes)
    monkeypatch.undo()
    half = train("can", DATA, tmp_path / "half", values=TINY | changes, resume=True)
    assert half.read_bytes() == whole.read_bytes()
    assert {name.split(".")[0] for name in load_model(whole).tensors} == {"generator", "classifier"}
    assert Chain(f"can(model={str(whole)!r})")(seed=1, size=(30, 20)).size == (20, 30)


def test_the_discriminators_style_head_hears_nothing_of_made_pictures():
    """Style is a matter of real art: with it alone, the style head moves as if nothing had been made."""
    made = trainer(ambiguity=5.0)
    head = made.discriminator.classifier.style
    real, styles = batch()["image"] * 2 - 1, torch.tensor([0, 1, 0, 1])
    _, real_logits = made._update_discriminator(real, styles, torch.rand(4, 3, 16, 16))
    first = [weight.grad.clone() for weight in head.parameters()]
    again = trainer(ambiguity=5.0)
    again._update_discriminator(real, styles, -torch.rand(4, 3, 16, 16))
    for one, other in zip(first, again.discriminator.classifier.style.parameters(), strict=True):
        assert torch.equal(one, other.grad)
    before = [weight.detach().clone() for weight in head.parameters()]
    made._update_generator(made.networks["generator"](*made._noise(real)), real_logits)
    assert all(torch.equal(old, new) for old, new in zip(before, head.parameters(), strict=True))


def test_ambiguity_0_is_the_plain_gan():
    """The generator's step is then that of the adversarial loss alone; the style head goes on learning."""
    plain, can = trainer(ambiguity=0.0), trainer(ambiguity=3.0)
    for one in (plain, can):
        torch.manual_seed(5)
        losses = one.training_step(batch())
        assert set(losses) == {"discriminator", "style", "adversarial", "ambiguity"}
    torch.manual_seed(5)
    alone = trainer(ambiguity=0.0)
    torch.manual_seed(5)
    made = alone.networks["generator"](*alone._noise(batch()["image"]))
    alone._update_discriminator(batch()["image"] * 2 - 1, torch.tensor([0, 1, 0, 1]), made.detach())
    for weight in alone.networks["generator"].parameters():
        weight.grad = None
    discriminator = alone.discriminator.requires_grad_(False)
    generator_loss(discriminator(made)[0], "vanilla").backward()
    grads = [[weight.grad for weight in one.networks["generator"].parameters()] for one in (alone, plain, can)]
    assert all(torch.allclose(one, other, atol=1e-7) for one, other in zip(grads[0], grads[1], strict=True))
    assert any(not torch.equal(one, other) for one, other in zip(grads[0], grads[2], strict=True))


def test_ambiguity_is_told_above_its_floor():
    for form in ("sigmoid", "softmax"):
        losses = trainer(style_form=form).training_step(batch())
        assert -1e-4 < losses["ambiguity"].item() < 5


def test_batch_normalisation_learns_in_training_and_rests_in_dreams():
    """One re-implementation has it the wrong way round."""
    made = trainer()
    generator = made.networks["generator"]
    before = generator.first[0].running_mean.clone()
    made.training_step(batch())
    assert not torch.equal(before, generator.first[0].running_mean)
    settled = made._settled()
    assert not settled.training
    z = torch.randn(3, 4)
    with torch.no_grad():
        assert torch.allclose(settled(z)[:1], settled(z[:1]), atol=1e-6)
    x = settled.dense(torch.randn(4000, 4)).unflatten(1, (-1, 4, 4)).detach()
    assert torch.allclose(settled.first[0](x).mean((0, 2, 3)), torch.zeros(x.shape[1]), atol=0.35)


def test_pictures_are_shown_whole():
    sample = trainer(crop=16).prepare(Uneven().load(3, ["image", "class"]))
    assert sample["image"].shape == (3, 27, 16)
    assert sample["image"].unique().tolist() == [3]
    assert sample["class"] == "a"
    same = {"image": torch.zeros(3, 16, 30, dtype=torch.uint8), "class": "a"}
    assert trainer(crop=16).prepare(dict(same))["image"] is same["image"]


def test_uneven_styles_come_evenly_unless_told_otherwise():
    for balanced, least in ((True, 0.45), (False, 0.05)):
        made = trainer(balanced=balanced)
        assert made.balance == ("class" if balanced else None)
        batches = Batches(Uneven(), made.columns, size=7, crop=8, seed=1, balance=made.balance)
        seen = [name for step in range(20) for name in batches.at(step)["class"]]
        share = seen.count("b") / len(seen)
        assert least <= share <= (0.55 if balanced else 0.2)


def test_sides_that_do_not_double_and_data_without_styles_are_refused():
    with pytest.raises(OptionError, match="16, 32, 64"):
        trainer(crop=24)

    plain = Uneven("caption", ())
    with pytest.raises(OptionError, match=r"in any text column which .* folder of its own"):
        trainer(plain)
    with pytest.raises(OptionError, match="'caption'"):
        find_styles(plain, "caption")
    assert find_styles(Uneven(), None).values == ("a", "b")
