"""SemGAN's refiner: what a smudged map was before, learned from real maps alone, and worked into dreams."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from artkit import OptionError
from artkit.models.file import load_model
from artkit.training import Settings, train
from artkit_semgan import SemganTraining
from artkit_semgan.networks import FINER, Refiner
from artkit_semgan.shares import argmax_shares, calibrate_refiner, cell_shares
from artkit_semgan.smudging import BLOBS, bend, scatter_blobs, smooth_noise, smudge
from artkit_semgan.trainer import SemganTrainer
from objectives import enliven
from test_semgan import PARTS, TINY, dream, maps, translator
from test_semgan_objective import SIZES, Maps

__all__ = ["maps"]

SMALL = {"refiner_width": 4, "refiner_dilations": [1, 2]}
REFINED = {"refiner": {"width": 4, "dilations": (1, 2)}}


def halves(side=64, count=6):
    """Maps whose upper half is class 0 and whose lower half is class 1, of three classes."""
    labels = torch.zeros(count, side, side, dtype=torch.long)
    labels[:, side // 2 :] = 1
    return labels


def test_a_new_refiner_leaves_the_dream_as_it_is():
    torch.manual_seed(0)
    shares = F.softmax(3 * torch.randn(2, 3, 8, 12), 1)
    refined = Refiner(3, 8, (1, 2))(shares)
    assert refined.shape == (2, 3, 8 * FINER, 12 * FINER)
    coarse = F.interpolate(shares, scale_factor=FINER, mode="bilinear")
    torch.testing.assert_close(refined, coarse.clamp_min(1e-4).log())


def test_a_refiner_sees_how_much_of_the_scene_each_class_covers():
    torch.manual_seed(0)
    refiner = Refiner(3, 8, (1,))
    torch.nn.init.normal_(refiner.leave.weight)
    sky = torch.zeros(1, 3, 32, 32)
    sky[:, 0] = 1
    other = sky.clone()
    other[:, :, 24:] = torch.tensor([0.0, 1.0, 0.0]).view(1, 3, 1, 1)
    apart = (refiner(sky) - refiner(other))[:, :, : 4 * FINER].abs().max()
    assert apart > 1e-4  # ten rows beyond what its convolutions see


def test_smudged_maps_are_distributions_that_still_show_the_scene():
    torch.manual_seed(0)
    smudged = smudge(halves(), 3, 16)
    assert smudged.shape == (6, 3, 16, 16)
    torch.testing.assert_close(smudged.sum(1), torch.ones(6, 16, 16))
    assert smudged.min() > 0
    right = (smudged.argmax(1) == cell_shares(halves(), 3, 16).argmax(1)).float().mean()
    assert 0.8 < right < 1
    assert not torch.equal(smudge(halves(), 3, 16), smudged)


def test_borders_stray_and_no_class_comes_in():
    torch.manual_seed(0)
    labels = halves(128)
    bent = bend(labels)
    assert bent.dtype == labels.dtype
    assert set(bent.unique().tolist()) == {0, 1}
    heights = (bent == 0).sum(1)  # of the upper half, column by column
    assert heights.float().std(1).min() > 0.5
    assert (heights - 64).abs().max() < 24
    assert torch.equal(bend(torch.full((1, 32, 32), 2)), torch.full((1, 32, 32), 2))


def test_blobs_of_any_class_lie_about():
    torch.manual_seed(0)
    plain = torch.zeros(200, 64, 64, dtype=torch.long)
    spoilt = scatter_blobs(plain, 3)
    assert torch.equal(plain, torch.zeros_like(plain))
    touched = (spoilt != plain).flatten(1).any(1).float().mean()
    assert 0.4 < touched < 1 - 0.5**BLOBS  # each there every other time, and a third of them of the class below
    assert all((spoilt == kind).any() for kind in (1, 2))
    assert (spoilt != plain).float().mean() < 0.05


def test_smooth_noise_is_of_about_unit_variance():
    torch.manual_seed(0)
    noise = smooth_noise(torch.empty(8, 3, 64, 64), 8)
    assert noise.shape == (8, 3, 64, 64)
    assert 0.6 < noise.std() < 1.2
    assert (noise[..., 1:] - noise[..., :-1]).abs().mean() < 0.2


def test_dreams_are_refined(monkeypatch):
    monkeypatch.setitem(PARTS, "refiner", REFINED["refiner"])
    plain, refined = translator(("generator",)), translator(("generator", "refiner"))
    refined.generator.load_state_dict(plain.generator.state_dict())
    seen = []
    refined.refiner.register_forward_hook(lambda module, given, made: seen.append((given[0], made)))
    dreamt = dream(refined, 3, 4, size=(32 * FINER, 32 * FINER))
    assert [tuple(shares.shape) for shares, _ in seen] == [(1, 3, 32, 32)] * 2
    assert torch.equal(dreamt, torch.cat([made for _, made in seen]).argmax(1))
    assert (dreamt == dream(plain, 3, 4, size=dreamt.shape[1:])).float().mean() > 0.9  # it is not trained


def test_a_refiner_is_calibrated_by_what_it_makes_of_dreams():
    torch.manual_seed(0)
    generator, refiner = translator(("generator",)).generator, Refiner(3, 4, (1,)).eval()
    real = torch.tensor([0.5, 0.2, 0.3])
    calibrated, z = calibrate_refiner(refiner, generator, real), torch.randn(256, 8)

    def gap(network):
        with torch.no_grad():
            return (argmax_shares(network(F.softmax(generator(z), 1))) - real).abs().max()

    assert gap(calibrated) < 0.05 < gap(refiner)
    assert refiner.leave.bias.abs().max() == 0  # a copy is changed
    others = {name: value for name, value in calibrated.state_dict().items() if name != "leave.bias"}
    assert all(torch.equal(value, refiner.state_dict()[name]) for name, value in others.items())


def trainer(step, **options):
    torch.manual_seed(0)
    values = {
        **SIZES,
        "parts": "refine",
        "warm_up": 5,
        "r1": 0.0,
        "refiner_width": 4,
        "refiner_dilations": (1,),
        **options,
    }
    settings = Settings(batch=3, crop=32, mirror=False, start="any", learning_rate=1e-3)
    made = SemganTrainer(SemganTraining(**values), settings, Maps())
    made.step = step
    for network in enliven(made).networks.values():
        network.train()
    return made


def labels(count=3):
    return torch.randint(3, (count, 8, 8)).repeat_interleave(4, 1).repeat_interleave(4, 2)


def test_a_refiner_first_learns_from_smudged_maps_alone():
    made, batch = trainer(step=4), {"label": labels()}
    before = {name: value.clone() for name, value in made.discriminator_refiner.state_dict().items()}
    assert list(made.training_step(batch)) == ["refinement"]
    assert all(torch.equal(value, before[name]) for name, value in made.discriminator_refiner.state_dict().items())
    torch.testing.assert_close(made.share_loss.real, cell_shares(batch["label"], 3, 64).mean((0, 2, 3)))


def test_then_it_plays_about_refined_dreams(monkeypatch):
    made, batch = trainer(step=5, reconstruction=3.0, shares=0.5), {"label": labels()}
    z, seen, totals = torch.randn(3, 4), {}, {}
    smudged = smudge(batch["label"], 3, 32)
    monkeypatch.setattr(made, "_noise", lambda like: z)
    monkeypatch.setattr(made, "_smudge", lambda like: smudged)
    monkeypatch.setattr(
        made, "update_discriminator", lambda name, real, fake, gan, **how: seen.update(real=real, fake=fake, how=how)
    )
    monkeypatch.setattr(made, "update", lambda name, loss: totals.update({name: loss}))
    before = {name: value.clone() for name, value in made.generator.state_dict().items()}
    real = cell_shares(batch["label"], 3, 64)
    expected = -(real * F.log_softmax(made.refiner(smudged), 1)).sum(1).mean()
    losses = made.training_step(batch)
    assert list(losses) == ["refinement", "discriminator", "adversarial", "shares"]
    torch.testing.assert_close(losses["refinement"], expected)
    assert torch.equal(seen["real"], real)
    with torch.no_grad():
        dreams = F.softmax(made.generator.eval()(z), 1)
        torch.testing.assert_close(seen["fake"], F.softmax(made.refiner(dreams), 1))
    total = 3 * losses["refinement"] + losses["adversarial"] + 0.5 * losses["shares"]
    torch.testing.assert_close(totals, {"refiner": total})
    assert all(torch.equal(value, before[name]) for name, value in made.generator.state_dict().items())
    totals["refiner"].backward()
    assert all(weight.grad is None for weight in made.generator.parameters())
    assert any(weight.grad is not None and weight.grad.abs().max() > 0 for weight in made.refiner.parameters())


def test_a_refiner_is_trained_beside_what_a_model_has(maps, tmp_path):
    start = train("semgan", str(maps), tmp_path / "start", values=TINY)
    rest = {"steps", "batch", "crop", "learning_rate", "ema", "sample_every", "checkpoint_every", "precision"}
    values = {name: TINY[name] for name in rest} | {"start": str(start), "parts": "refine", "decay_from": 1.0, **SMALL}
    model = train("semgan", str(maps), tmp_path / "refined", values=values)
    before, after = load_model(start), load_model(model)
    assert after.header.arguments == before.header.arguments | {"refiner": {"width": 4, "dilations": [1, 2]}}
    assert after.header.inputs == before.header.inputs
    assert {name.partition(".")[0] for name in before.tensors} == {"generator", "segmenter"}
    assert all(torch.equal(value, after.tensors[name]) for name, value in before.tensors.items())
    assert {name.partition(".")[0] for name in after.tensors.keys() - before.tensors.keys()} == {"refiner"}
    assert list((tmp_path / "refined" / "samples").iterdir())

    train("semgan", str(maps), tmp_path / "halves", values=values | {"steps": 3})
    resumed = train("semgan", "", tmp_path / "halves", values={"steps": 6}, resume=True)
    assert resumed.read_bytes() == model.read_bytes()


def test_a_refiner_learns_what_maps_were(monkeypatch):
    made, batch = trainer(step=0, refiner_width=16), {"label": labels()}
    torch.nn.init.zeros_(made.refiner.leave.weight)
    smudged = smudge(batch["label"], 3, 32)
    monkeypatch.setattr(made, "_smudge", lambda like: smudged)
    losses = [float(made.training_step(batch)["refinement"].detach()) for _ in range(60)]
    assert losses[-1] < 0.85 * losses[0]


def test_a_refiner_needs_a_model_that_dreams(maps, tmp_path):
    values = {"parts": "refine", "crop": 48, "steps": 1, **SMALL}
    with pytest.raises(OptionError, match="add start=MODEL"):
        train("semgan", str(maps), tmp_path / "none", values=values)
    reads = train("semgan", str(maps), tmp_path / "reads", values=TINY | {"parts": "segment", "steps": 1})
    with pytest.raises(OptionError, match="dreams nothing"):
        train("semgan", str(maps), tmp_path / "refined", values=values | {"start": str(reads)})
