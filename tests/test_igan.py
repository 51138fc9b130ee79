"""igan: components are the best linear projection, strokes steer, and a photo changes near them alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from torch.nn import functional as F

import artkit
from artkit import ImageError
from artkit.data import open_dataset
from artkit.models import save_model
from artkit.testing import check_spec
from artkit.training import Settings, train
from artkit_igan import SPEC, IganOptions, IganTraining
from artkit_igan.fitting import fit_components
from artkit_igan.losses import DREAMT, REAL, RECONSTRUCTED, colour_loss, directions, edge_loss, ternary_loss
from artkit_igan.networks import Discriminator, NetworksArguments
from artkit_igan.search import PRIOR, find_code, projection_loss
from artkit_igan.trainer import IganTrainer
from artkit_igan.transfer import carry_over, nearness
from artkit_igan.translator import Igan, gather
from plugin_kit import translator_of

DATA = "landscapes(count=30,size=[32,32],seed=5)"
SMALL = {"picture": "photo", "latent": 12, "width": 4, "discriminator_width": 4, "warm_up": 0}
BLUE = (0.1, 0.2, 0.9)


def make(steps=100, **options):
    torch.manual_seed(0)
    settings = Settings(batch=4, crop=32, steps=steps, learning_rate=1e-3)
    return IganTrainer(IganTraining(**(SMALL | options)), settings, open_dataset(DATA, "train"))


def photos(count=6, first=0):
    data = open_dataset(DATA, "train")
    return torch.stack([torch.as_tensor(data.load(first + i, ["photo"])["photo"]).float() / 255 for i in range(count)])


@pytest.fixture(scope="module")
def trainer():
    made = make()
    made.work_out_start()
    torch.nn.init.normal_(made.generator.leave.weight, 0, 0.015)  # components alone leave nothing to search for
    return made


@pytest.fixture(scope="module")
def model(trainer, tmp_path_factory):
    path = tmp_path_factory.mktemp("igan") / "model.safetensors"
    save_model(path, *trainer.export())
    return path


@pytest.fixture
def translator(trainer):
    return lambda **options: translator_of(trainer, Igan, IganOptions(**options))


@pytest.fixture(scope="module")
def strokes(tmp_path_factory):
    """Blue in the lower left corner of a transparent picture, of another size and shape than any photo here."""
    picture = Image.new("RGBA", (60, 40), (255, 0, 0, 0))
    ImageDraw.Draw(picture).rectangle((0, 30, 14, 39), tuple(round(255 * part) for part in BLUE))
    path = tmp_path_factory.mktemp("strokes") / "strokes.png"
    picture.save(path)
    return path


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)


def test_the_start_is_the_best_linear_projection():
    """Against a singular value decomposition of the same pictures."""
    torch.manual_seed(0)
    pictures = photos(20) * 2 - 1
    arguments = NetworksArguments(latent=5, side=32, width=4)
    encoder, generator = arguments.build_encoder(), arguments.build()
    fit_components(encoder, generator, pictures)
    codes, _ = encoder(pictures)
    torch.testing.assert_close(codes.mean(0), torch.zeros(5), atol=1e-3, rtol=0)
    torch.testing.assert_close(codes.square().mean(0), torch.ones(5), atol=1e-3, rtol=0)
    x = pictures.flatten(1) - pictures.flatten(1).mean(0)
    u, s, v = torch.linalg.svd(x, full_matrices=False)
    best = (u[:, :5] * s[:5]) @ v[:5] + pictures.flatten(1).mean(0)
    torch.testing.assert_close(generator(codes).flatten(1), best, atol=1e-3, rtol=0)


def test_training_starts_from_pictures_spread_over_the_data():
    made = make(start_from=3)
    made.work_out_start()
    last = made.dataset.count(made.picture) - 1
    mean = torch.cat([photos(1, first) for first in (0, round(last / 2), last)]).mean(0) * 2 - 1
    torch.testing.assert_close(made.generator(torch.zeros(1, made.options.latent))[0], mean, atol=1e-3, rtol=0)


def test_more_numbers_than_pictures_mean_nothing():
    arguments = NetworksArguments(latent=30, side=32, width=4)
    encoder, generator = arguments.build_encoder(), arguments.build()
    fit_components(encoder, generator, photos(4) * 2 - 1)
    assert (generator.base.weight.abs().sum(0) > 0).sum() == 3  # four pictures differ in three directions
    assert torch.isfinite(encoder(photos(4))[0]).all()


def test_the_ternary_loss_is_a_choice_of_three():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 0.0, 0.0]])
    for kind in (REAL, RECONSTRUCTED, DREAMT):
        expected = -(logits.exp() / logits.exp().sum(1, keepdim=True))[:, kind].log().mean()
        torch.testing.assert_close(ternary_loss(logits, kind), expected)


def test_both_steps_minimise_what_the_papers_say():
    """D tells x, G(E(x)) and G(noise) apart; E and G fool it, and reconstruct. Gradients are compared, too."""
    trainer = make(pixels=3.0, lowpass=2.0, matching=0.5, adversarial=0.7, kl=0.3, consistency=0.2, start_from=0)
    torch.nn.init.normal_(trainer.generator.leave.weight, 0, 0.1)  # else nothing but the components has a gradient
    batch, D = {"photo": photos(4)}, trainer.discriminator
    twin = make(start_from=0)
    for name in ("generator", "encoder", "discriminator"):
        getattr(twin, name).load_state_dict(getattr(trainer, name).state_dict())
    for judge in (D, twin.discriminator):
        judge.eval()  # else every look turns its spectral norms a little
    torch.manual_seed(3)
    losses = trainer.training_step(batch)

    torch.manual_seed(3)
    x = batch["photo"] * 2 - 1
    mean, log_variance = twin.encoder(x)
    z = mean + (log_variance / 2).exp() * torch.randn_like(mean)
    noise = torch.randn_like(mean)
    reconstruction, dream = twin.generator(z), twin.generator(noise)
    kinds = ((x, 0), (reconstruction.detach(), 1), (dream.detach(), 2))
    told = [F.cross_entropy(twin.discriminator.features(seen)[-1], torch.full((4,), kind)) for seen, kind in kinds]
    torch.testing.assert_close(losses["discriminator"], sum(told) / 3)

    real, made, dreamt = (D.features(seen) for seen in (x, reconstruction, dream))  # the D that has just learned
    expected = {
        "adversarial": sum(F.cross_entropy(seen[-1], torch.zeros(4).long()) for seen in (made, dreamt)) / 2,
        "matching": sum((a - b.detach()).abs().mean() for a, b in zip(made[:-1], real[:-1], strict=True)) / 4,
        "pixels": (reconstruction - x).abs().mean(),
        "lowpass": (F.avg_pool2d(reconstruction, 8) - F.avg_pool2d(x, 8)).abs().mean(),
        "kl": (mean.square() + log_variance.exp() - 1 - log_variance).mean() / 2,
        "consistency": (twin.encoder(dream)[0] - noise).abs().mean(),
    }
    for name, value in expected.items():
        torch.testing.assert_close(losses[name], value, atol=1e-4, rtol=1e-4)
    weights = {"pixels": 3.0, "lowpass": 2.0, "matching": 0.5, "adversarial": 0.7, "kl": 0.3, "consistency": 0.2}
    total = sum(weights[name] * value for name, value in expected.items())
    names = [name for name, _ in twin.generator.named_parameters()]
    for name, gradient in zip(names, torch.autograd.grad(total, list(twin.generator.parameters())), strict=True):
        torch.testing.assert_close(trainer.generator.get_parameter(name).grad, gradient, atol=1e-4, rtol=5e-3)


def test_components_learn_a_thousand_times_as_slowly(trainer):
    slow, fast = trainer.optimisers["generator"].param_groups[::-1]
    assert {id(p) for p in slow["params"]} == {
        id(p) for network in (trainer.generator, trainer.encoder) for p in network.base.parameters()
    }
    assert slow["lr"] == pytest.approx(1e-3 * fast["lr"])


def test_the_discriminator_joins_in_after_the_warm_up():
    trainer = make(warm_up=2, start_from=0)
    before = [weight.clone() for weight in trainer.discriminator.parameters()]
    told = []
    for trainer.step in range(3):
        told.append(set(trainer.training_step({"photo": photos(4)})))
        same = all(map(torch.equal, before, trainer.discriminator.parameters()))
        assert same is (trainer.step < 2)
    assert told[:2] == [{"pixels", "lowpass", "kl", "consistency"}] * 2
    assert told[2] - told[1] == {"discriminator", "adversarial", "matching"}


def test_what_convolutions_add_is_scaled_by_how_many_they_are():
    encoder, x = make(start_from=0).encoder, photos(2)
    before = encoder(x)[0]
    torch.nn.init.ones_(encoder.leave.weight)
    added = encoder(x)[0] - before
    y = F.leaky_relu(encoder.enter(x), 0.2)
    for down in encoder.downs:
        y = F.leaky_relu(down(y), 0.2)
    expected = y.flatten(1).sum(1, keepdim=True) / 512**0.5
    torch.testing.assert_close(added, expected.expand_as(added), rtol=1e-4, atol=1e-5)


def test_the_weight_of_the_prior_is_the_likeliest_codes():
    assert pytest.approx(0.025 / (3 * 64 * 64), rel=0.03) == PRIOR


def test_codes_are_never_so_uncertain_that_a_run_ends():
    encoder = make(start_from=0).encoder
    with torch.no_grad():
        encoder.leave.bias[encoder.leave.out_features // 2 :] = torch.tensor([-99.0, 99.0] * 6)
    log_variance = encoder(torch.zeros(1, 3, 32, 32))[1]
    assert log_variance.aminmax() == (-10.0, 2.0)


def test_the_discriminator_sees_how_much_a_batch_differs():
    torch.manual_seed(0)
    D = Discriminator(32, 4).eval()
    alike, apart = photos(1).expand(4, -1, -1, -1), photos(4)
    assert not torch.allclose(D.features(apart)[-1][0], D.features(apart[:1])[-1][0])
    torch.testing.assert_close(D.features(alike)[-1][0], D.features(alike[:2])[-1][0])


def test_the_search_finds_a_code_and_pictures_do_not_disturb_each_other(trainer):
    generator = trainer.generator
    wanted = torch.randn(2, 12, generator=torch.Generator().manual_seed(1))
    photo = generator(wanted).detach()
    start, seen = torch.zeros(2, 12), []
    found = find_code(generator, start, projection_loss(photo), 60, lambda share, made: seen.append(share))
    assert (generator(found) - photo).square().mean() < 0.05 * (generator(start) - photo).square().mean()
    alone = find_code(generator, start[:1], projection_loss(photo[:1]), 60, lambda share, made: None)
    torch.testing.assert_close(found[:1], alone, atol=1e-3, rtol=1e-3)
    assert seen[-1] == 1
    assert find_code(generator, start, projection_loss(photo), 0, lambda *_: None) is start


def test_a_code_that_nothing_holds_is_drawn_to_where_pictures_lie(trainer):
    """The prior, a ten-thousandth of the square length, is all that is left to descend."""
    start = torch.full((1, 12), 3.0)
    found = find_code(trainer.generator, start, lambda made, z: 0 * z.sum(1), 20, lambda *_: None)
    assert (found < start - 0.5).all()


def test_the_pull_holds_an_edit_where_the_picture_was(translator):
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 20:, :8] = 1
    ports = {"image": photos(1), "edit": torch.full((1, 3, 32, 32), 0.9), "mask": mask, "edges": None}
    loose, held = (translator(pull=pull).run(ports, seeds=(0,), size=(32, 32)) for pull in (0.0, 100.0))
    assert (held - photos(1)).abs().mean() < 0.5 * (loose - photos(1)).abs().mean()


def test_colours_count_where_they_are_painted_alone():
    made, mask = torch.rand(2, 3, 8, 8), torch.zeros(2, 1, 8, 8)
    mask[..., :2, :] = 1
    colours = made.clone()
    colours[..., 4:, :] = 5  # outside the strokes
    colours[1, :, 0, 0] += 1
    torch.testing.assert_close(colour_loss(made, colours, mask), torch.tensor([0.0, 1 / 16]), atol=1e-5, rtol=1e-3)


def test_edges_are_directions_whatever_their_sign_or_contrast():
    upright, level = torch.zeros(1, 1, 32, 32), torch.zeros(1, 1, 32, 32)
    upright[..., 12:], level[..., 12:, :] = 1, 1
    found = directions(upright.expand(-1, 3, -1, -1))
    assert found[0, :, 0, 1].argmax() == 0  # a gradient across
    assert directions(level)[0, :, 1, 0].argmax() == 4
    torch.testing.assert_close(directions(0.5 - 0.5 * upright), directions(upright), atol=0.05, rtol=0)
    drawn = F.pad(torch.ones(1, 1, 32, 1), (12, 19))  # a line where the edge of `upright` is
    alike, other = edge_loss(upright.expand(-1, 3, -1, -1), drawn), edge_loss(level.expand(-1, 3, -1, -1), drawn)
    assert alike < 0.5 * other


def test_what_is_transparent_does_not_mix_into_strokes():
    edit = torch.zeros(1, 3, 40, 60)  # transparent black
    mask = torch.zeros(1, 1, 40, 60)
    edit[..., 30:, :16] = torch.tensor(BLUE)[:, None, None]
    mask[..., 30:, :16] = 1
    colours, covered = gather(edit, mask, 16)
    there = covered[0, 0] > 0.01
    assert (colours[0][:, there] - torch.tensor(BLUE)[:, None]).abs().max() < 1e-4
    assert covered[0, 0, 14, 0] == pytest.approx(1, abs=1e-3)
    assert covered[0, 0, 0].max() == 0


def test_a_change_is_carried_over_and_nothing_else():
    photo = torch.rand(1, 3, 50, 70)
    before = torch.rand(1, 3, 16, 16)
    assert torch.equal(carry_over(photo, before, before, None), photo)
    after = before.clone()
    after[..., 8:] += 0.3  # right half
    made = carry_over(photo, before, after, None)
    torch.testing.assert_close(made[..., 50:], photo[..., 50:] + 0.3, atol=1e-5, rtol=0)
    torch.testing.assert_close(made[..., :24], photo[..., :24])
    faint = carry_over(photo, before, before + 0.02, None) - photo
    torch.testing.assert_close(faint, torch.full_like(faint, 0.004), atol=1e-5, rtol=0)  # a fifth of a clear change


def test_nearness_falls_from_half_of_the_reach_to_nothing():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 0] = 0.3
    near = nearness(mask, 0.5)
    assert near[0, 0, 5].tolist()[:5] == [1] * 5
    torch.testing.assert_close(near[0, 0, 5, 4:9], torch.tensor([1, 0.75, 0.5, 0.25, 0]))
    assert near[..., 8:].max() == 0
    assert nearness(mask, 1.0) is None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_strokes_steer_the_photo_near_them_and_leave_the_rest_bit_for_bit(model, strokes, precision):
    photo = photos(1, first=3)
    big = F.interpolate(photo, (90, 120), mode="bilinear").clamp(0, 1)
    before = artkit.read_picture(big)
    after = artkit.Chain(f"igan(model='{model}',reach=0.3)")(before, edit=strokes, precision=precision)
    change = (after.tensor - before.tensor)[0]
    assert torch.equal(after.tensor[..., :36, :], before.tensor[..., :36, :])  # strokes: the lower left corner
    assert torch.equal(after.tensor[..., 80:], before.tensor[..., 80:])
    painted = change[:, 75:, :25].mean((1, 2))
    target = torch.tensor(BLUE) - before.tensor[0, :, 75:, :25].mean((1, 2))
    assert (painted * target).sum() > 0.2 * target.square().sum()  # towards the colour


def test_without_a_photo_a_dream_is_edited_and_without_strokes_the_nearest_picture_is_shown(model, strokes):
    chain = artkit.Chain(f"igan(model='{model}')")
    dream, other = (chain(None, seed=seed, size=(64, 48)).tensor for seed in (1, 2))
    assert dream.shape == (1, 3, 48, 64)
    assert not torch.equal(dream, other)
    edited = chain(None, seed=1, size=(64, 48), edit=strokes).tensor
    corner = (..., slice(38, None), slice(0, 14))
    blue = torch.tensor(BLUE)[:, None, None]
    assert (edited[corner] - blue).abs().mean() < (dream[corner] - blue).abs().mean()
    photo = photos(1)
    shown = chain(artkit.read_picture(photo)).tensor
    assert 0 < (shown - photo).abs().mean() < (photo.mean((2, 3), keepdim=True) - photo).abs().mean()


def test_the_hybrid_projection_is_the_nearest_and_the_share_goes_there_in_steps(translator):
    image = photos(1, first=20)

    def error(way):
        ports = {"image": image, "edit": None, "mask": None, "edges": None}
        shown = translator(projection=way, steps=8).run(ports, seeds=(0,), size=(32, 32))
        return (shown - image).square().mean()

    errors = {way: error(way) for way in ("hybrid", "encoder", "optimisation")}
    assert errors["hybrid"] < errors["encoder"]
    assert errors["hybrid"] < errors["optimisation"]

    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 20:, :8] = 1
    ports = {"image": image, "edit": torch.full((1, 3, 32, 32), 0.9), "mask": mask, "edges": None}
    made = {share: translator(share=share).run(ports, seeds=(0,), size=(32, 32)) for share in (0.0, 0.5, 1.0)}
    assert torch.equal(made[0.0], image)
    half, whole = ((made[share] - image).abs().mean() for share in (0.5, 1.0))
    assert 0 < half < whole


def test_edges_alone_steer_too(translator):
    edges = torch.zeros(1, 1, 32, 32)
    edges[..., 16] = 1
    ports = {"image": photos(1), "edit": None, "mask": None, "edges": edges}
    made = translator(edge=2.0, pull=0.01).run(ports, seeds=(0,), size=(32, 32))
    assert not torch.equal(made, photos(1))
    calm = translator(edge=0.0).run(ports, seeds=(0,), size=(32, 32))
    assert (made - photos(1)).abs().mean() > (calm - photos(1)).abs().mean()


def test_a_batch_equals_its_pictures_one_by_one(translator):
    image, mask = photos(2), torch.zeros(2, 1, 32, 32)
    mask[0, :, 20:, :8] = mask[1, :, :8] = 1
    ports = {"image": image, "edit": torch.full((2, 3, 32, 32), 0.5), "mask": mask, "edges": None}
    both = translator().run(ports, seeds=(1, 2), size=(32, 32))
    for index in range(2):
        one = {name: None if value is None else value[index : index + 1] for name, value in ports.items()}
        alone = translator().run(one, seeds=(index + 1,), size=(32, 32))
        torch.testing.assert_close(alone[0], both[index], atol=2e-3, rtol=0)


def test_strokes_that_are_nowhere_are_told(model, tmp_path):
    chain = artkit.Chain(f"igan(model='{model}')")
    solid, empty = tmp_path / "solid.png", tmp_path / "empty.png"
    Image.new("RGB", (8, 8), (0, 0, 255)).save(solid)
    Image.new("RGBA", (8, 8), (0, 0, 255, 0)).save(empty)
    photo = artkit.read_picture(photos(1))
    with pytest.raises(ImageError, match=r"where are the strokes\? Give a picture that is transparent elsewhere"):
        chain(photo, edit=solid)
    with pytest.raises(ImageError, match="nothing is drawn"):
        chain(photo, edit=empty)
    white = tmp_path / "white.png"
    Image.fromarray(np.full((8, 8), 255, np.uint8)).save(white)
    assert not torch.equal(chain(photo, edit=solid, mask=white).tensor, photo.tensor)  # a mask says it as well


@pytest.mark.parametrize("crop", [48, 512])
def test_sides_are_powers_of_two(crop, tmp_path):
    with pytest.raises(artkit.OptionError, match=f"igan\\(crop={crop}\\): pictures are 16, 32, 64, 128, 256 px a side"):
        train("igan", DATA, tmp_path / "run", values=SMALL | {"crop": crop, "steps": 1})
