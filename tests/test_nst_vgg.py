"""nst's engine `vgg`, with random weights: losses, gradients, and the way down."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

import vgg_kit
from artkit import ModelError
from artkit_nst import SPEC, NstOptions
from artkit_nst.levels import Maps
from artkit_nst.patches import Source
from artkit_nst.regions import fit
from artkit_nst.style import Style
from artkit_nst.translator import Nst
from artkit_nst.vgg import network as network_module
from artkit_nst.vgg.losses import STYLE_LOSSES, GramLoss, SlicedLoss, WassersteinLoss, total_variation
from artkit_nst.vgg.network import CONTENT, STYLE
from artkit_nst.vgg.objective import IMPORTANT, Objective, Weights, feature_size
from artkit_nst.vgg.transfer import Schedule, transfer
from vgg_kit import photo, small_network, torchvision

WEIGHTS = Weights(content=0.1, style=1.0, variation=1.0)


def distance(loss, style, features):
    """Return the loss of features (C, N) against those of a style."""
    return loss([loss.measure(style)], [1.0])(loss.measure(features))


@pytest.fixture(autouse=True)
def narrow(monkeypatch):
    """Make VGG-19 narrow, so that random weights are small."""
    monkeypatch.setattr(network_module, "WIDTHS", vgg_kit.WIDTHS)


# -- losses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", STYLE_LOSSES.values(), ids=STYLE_LOSSES)
def test_losses_are_nothing_for_the_style_itself_and_do_not_grow_with_size(loss):
    style = torch.rand(6, 300, generator=torch.Generator().manual_seed(0))
    other = torch.rand(6, 300, generator=torch.Generator().manual_seed(1)) ** 2
    assert float(distance(loss, style, style)) < 1e-3
    once, thrice = distance(loss, style, other), distance(loss, style, other.repeat_interleave(3, 1))
    assert float(once) > 0.01
    assert float(thrice) == pytest.approx(float(once), rel=0.02)


def test_wasserstein_of_gaussians_agrees_with_the_closed_form():
    """Between N(0, I) and N(m, 4 I) in three dimensions it is |m|^2 + 3 (2 - 1)^2."""
    base = torch.randn(3, 20000, generator=torch.Generator().manual_seed(0))
    base = torch.linalg.inv(torch.linalg.cholesky(torch.cov(base, correction=0))) @ (base - base.mean(1, keepdim=True))
    moved = 2 * base + torch.tensor([1.0, 2.0, 0.0])[:, None]
    loss = WassersteinLoss([WassersteinLoss.measure(moved)], [1.0])
    assert float(loss(WassersteinLoss.measure(base)) * loss.scale) == pytest.approx(5 + 3, rel=1e-2)


def features(count: int, seed: int, width: int = 5) -> torch.Tensor:
    """Return features (C, count) that are correlated and skewed, in double precision."""
    generator = torch.Generator().manual_seed(seed)
    mixing = torch.rand(width, width, generator=generator).double()
    return mixing @ torch.rand(width, count, generator=generator).double() ** 2


def test_the_gram_loss_is_that_of_gatys_relative_to_the_style():
    style, made = features(70, 0).numpy(), features(40, 1).numpy()
    gram, goal = made @ made.T / 40, style @ style.T / 70
    wanted = ((gram - goal) ** 2).sum() / (goal**2).sum()
    assert float(distance(GramLoss, features(70, 0), features(40, 1))) == pytest.approx(wanted, rel=1e-9)


def test_the_wasserstein_loss_agrees_with_roots_of_matrices():
    """Of correlated features, whose covariances do not commute: the closed form with scipy's matrix roots."""
    style, made = features(70, 0).numpy(), features(40, 1).numpy()
    cov, goal = np.cov(made, bias=True), np.cov(style, bias=True)
    root = sqrtm(goal)
    cross = np.trace(sqrtm(root @ cov @ root)).real
    wanted = ((made.mean(1) - style.mean(1)) ** 2).sum() + np.trace(cov) + np.trace(goal) - 2 * cross
    wanted /= (style**2).sum() / 70
    assert float(distance(WassersteinLoss, features(70, 0), features(40, 1))) == pytest.approx(wanted, rel=1e-3)


def test_the_sliced_loss_is_the_distance_of_quantiles_along_directions():
    style, other, made = features(70, 0), features(90, 2), features(40, 1)
    loss = SlicedLoss([SlicedLoss.measure(style), SlicedLoss.measure(other)], [0.25, 0.75])
    assert torch.allclose(loss.directions.norm(dim=1), torch.ones(10).double())

    def quantiles(of: torch.Tensor) -> np.ndarray:
        lines, places = (loss.directions @ of).numpy(), np.linspace(0, 1, 1024)
        return np.stack([np.interp(places, np.linspace(0, 1, line.size), np.sort(line)) for line in lines])

    goal = 0.25 * quantiles(style) + 0.75 * quantiles(other)
    wanted = ((quantiles(made) - goal) ** 2).mean() / (goal**2).mean()
    assert float(loss(SlicedLoss.measure(made))) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("loss", [GramLoss, WassersteinLoss])
def test_mixed_styles_are_one_whose_moments_are_mixed(loss):
    """A quarter of one style and three of another are a style of as many places of each."""
    one, other, made = features(50, 0), features(50, 2), features(40, 1)
    mixed = loss([loss.measure(one), loss.measure(other)], [0.25, 0.75])(loss.measure(made))
    joined = distance(loss, torch.cat([one, other.repeat(1, 3)], 1), made)
    assert float(mixed) == pytest.approx(float(joined), rel=1e-6)


def test_the_objective_is_the_weighted_sum_of_content_styles_and_variation():
    """Each part by its own formula, from the features of the network."""
    network, goal, picture, style = small_network(), photo(20, 2), photo(20, 3), photo(24, 1)
    white = torch.rand(1, 20, 20, generator=torch.Generator().manual_seed(4))
    weights = Weights(content=2e5, style=2.0, variation=5.0)  # random weights hardly tell contents apart
    found = Objective(network, goal, [Source(style, 1.0)], Maps(importance=white), GramLoss, weights)(picture)
    made, photos, styles = ({k: v.flatten(1) for k, v in network(one).items()} for one in (picture, goal, style))
    counts = 1 + IMPORTANT * fit(white, feature_size((20, 20), CONTENT)).flatten()
    content = (counts * (made[CONTENT] - photos[CONTENT]).square()).sum() / photos[CONTENT].square().sum()
    gram = [distance(GramLoss, styles[layer], made[layer]) for layer in STYLE]
    wanted = 2e5 * content + 2 * sum(gram) / len(STYLE) + 5 * total_variation(picture)
    assert float(found) == pytest.approx(float(wanted), rel=1e-4)
    assert 2e5 * float(content) > 0.1 * float(found)


def test_variation_is_the_mean_squared_step_down_and_across():
    picture = photo(7, 3)[:, :5].double().numpy()
    down, across = picture[:, 1:] - picture[:, :-1], picture[:, :, 1:] - picture[:, :, :-1]
    wanted = ((down**2).sum() + (across**2).sum()) / (3 * 5 * 7)
    assert float(total_variation(torch.from_numpy(picture))) == pytest.approx(wanted)


@pytest.mark.parametrize("loss", [GramLoss, WassersteinLoss, SlicedLoss])
def test_gradients_of_losses_agree_with_finite_differences(loss):
    style = torch.rand(4, 60, generator=torch.Generator().manual_seed(0)).double()
    features = torch.rand(4, 30, generator=torch.Generator().manual_seed(1)).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda features: distance(loss, style, features), features, atol=1e-4)


def test_gradient_of_the_whole_objective_agrees_with_finite_differences():
    network = small_network().double()
    source = Source(photo(24, 1).double(), 1.0)
    objective = Objective(network, photo(20, 2).double(), [source], Maps(), GramLoss, WEIGHTS)
    picture = photo(20, 3).double().requires_grad_()
    (gradient,) = torch.autograd.grad(objective(picture), picture)
    direction = torch.randn(picture.shape, generator=torch.Generator().manual_seed(4)).double()
    with torch.no_grad():
        slope = (objective(picture + 1e-6 * direction) - objective(picture - 1e-6 * direction)) / 2e-6
    assert float((gradient * direction).sum()) == pytest.approx(float(slope), rel=1e-3)


def test_variation_is_nothing_where_all_is_flat():
    assert float(total_variation(torch.full((3, 5, 5), 0.3))) == 0


# -- the way down ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("loss", STYLE_LOSSES)
@pytest.mark.parametrize("optimiser", ["adam", "lbfgs"])
def test_steps_bring_the_picture_nearer(loss, optimiser):
    network, style = small_network(), Style([Source(photo(40, 1) ** 3, 1.0)])
    schedule = Schedule(loss, optimiser, 25, None, WEIGHTS)
    made = transfer(network, photo(), style, lambda: photo(), schedule)
    objective = Objective(network, photo(), style.at((40, 40)), Maps(), STYLE_LOSSES[loss], WEIGHTS)
    assert float(objective(made)) < 0.9 * float(objective(photo()))
    assert torch.equal(made, transfer(network, photo(), style, lambda: photo(), schedule))


def test_a_time_shorter_than_a_step_still_takes_one():
    style = Style([Source(photo(40, 1), 1.0)])
    made = transfer(small_network(), photo(), style, lambda: photo(), Schedule("gram", "adam", 1000, 1e-6, WEIGHTS))
    assert not torch.equal(made, photo())


def test_nan_in_the_middle_keeps_what_was_good(caplog):
    network, calls = small_network(), []

    def spoil(module, inputs, output):
        calls.append(1)
        return {name: value * torch.nan for name, value in output.items()} if len(calls) > 5 else output

    network.register_forward_hook(spoil)
    style = Style([Source(photo(40, 1), 1.0)])
    with caplog.at_level(logging.WARNING, "artkit.nst"):
        made = transfer(network, photo(), style, lambda: photo(), Schedule("gram", "adam", 50, None, WEIGHTS))
    assert "no number" in caplog.text
    assert bool(torch.isfinite(made).all())
    assert not torch.equal(made, photo())


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (17, 16)])
@pytest.mark.parametrize("start", ["patch", "photo", "noise"])
def test_the_step_runs_with_weights_at_any_size(size, start, tmp_path):
    torch.save(torchvision(), tmp_path / "w.pth")
    options = NstOptions(weights=str(tmp_path / "w.pth"), start=start, steps=2, quality="draft", colours="luminance")
    ports = dict.fromkeys(port.name for port in SPEC.inputs)
    ports |= {"image": photo(90)[None, :, : size[0], : size[1]], "style": photo(30, 1)[None]}
    made = Nst(options, None).run(ports, seeds=(0,), size=size)
    assert made.shape == (1, 3, *size)


def test_regions_pull_apart(tmp_path):
    network = small_network()
    left = (torch.arange(32) < 16).float().expand(32, 32)
    regions = torch.stack([left, 1 - left])
    whole = torch.ones(1, 32, 32)
    dark, light = 0.2 * photo(32, 1), 0.8 + 0.2 * photo(32, 2)
    sources = [Source(dark, 0.5, torch.cat([whole, 0 * whole])), Source(light, 0.5, torch.cat([0 * whole, whole]))]
    schedule = Schedule("w2", "adam", 40, None, Weights(0.0, 1.0, 0.0))
    made = transfer(network, photo(32), Style(sources), lambda: photo(32), schedule, Maps(regions))
    assert float(made[..., :14].mean()) < float(made[..., 18:].mean()) - 0.1


def test_important_places_stay_nearer_to_the_photo():
    goal, style = photo(32), Style([Source(0.2 * photo(32, 1), 1.0)])
    schedule = Schedule("w2", "adam", 30, None, Weights(1e4, 1.0, 0.0))
    left = Maps(importance=(torch.arange(32) < 16).float().expand(1, 32, 32))
    made = [transfer(small_network(), goal, style, lambda: goal, schedule, maps) for maps in (Maps(), left)]
    plain, kept = (float((one - goal)[..., :16].square().mean()) for one in made)
    assert kept < 0.4 * plain


# -- the choice ------------------------------------------------------------------------------------------


def test_one_line_says_which_engine_runs_and_why(tmp_path, caplog, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with caplog.at_level(logging.DEBUG, "artkit.nst"):
        assert Nst(NstOptions(), None).network is None
        torch.save(torchvision(), tmp_path / "w.pth")
        assert Nst(NstOptions(weights=str(tmp_path / "w.pth")), None).network is not None
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert [record.getMessage().split(":")[1] for record in caplog.records] == [" engine patch", " engine vgg"]
    with pytest.raises(ModelError, match="weights=PATH"):
        Nst(NstOptions(engine="vgg"), None)
