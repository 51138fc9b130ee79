"""nextframe: motion is followed in the right direction, networks by their formulas, frames in the order of the clip."""

from __future__ import annotations

import copy
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

import artkit
from artkit import OptionError
from artkit.data import open_dataset
from artkit.models import save_model
from artkit.testing import check_spec
from artkit.training import Settings, train
from artkit_nextframe import SPEC, NextFrameOptions, NextFrameTraining
from artkit_nextframe.arguments import FlowArguments, PgnArguments, PredNetArguments
from artkit_nextframe.networks import warp
from artkit_nextframe.trainer import NextFrameTrainer, gradient_loss
from artkit_nextframe.translator import NextFrame
from cli_kit import open_shell

NETWORKS = {
    "flow": FlowArguments(width=8, blocks=1, detail=(8, 8)),
    "pgn": PgnArguments(width=8, blocks=1, detail=(8, 8)),
    "prednet": PredNetArguments(width=4),
}
SMALL = {"width": 8, "blocks": 1, "detail": (8, 8), "widths": (4,), "receptive_field": 16}


def dot(place: int, side: int = 32) -> np.ndarray:
    """A bright square 2 px a step further right, on grey."""
    frame = np.full((side, side, 3), 90, np.uint8)
    frame[10:16, 2 * place : 2 * place + 6] = (250, 200, 60)
    return frame


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Two clips of a moving square, eight frames each; the second moves down."""
    folder = tmp_path_factory.mktemp("clips")
    for name in ("across", "down"):
        (folder / name / "frame").mkdir(parents=True)
        for number in range(8):
            frame = dot(number) if name == "across" else dot(number).transpose(1, 0, 2)
            Image.fromarray(frame).save(folder / name / "frame" / f"{number:05d}.png")
    return folder


def make(clips, steps=100, **options):
    torch.manual_seed(0)
    settings = Settings(batch=2, crop=32, steps=steps, learning_rate=1e-3)
    return NextFrameTrainer(NextFrameTraining(**(SMALL | options)), settings, open_dataset(str(clips), "train"))


def draw(seed=0):
    random = torch.Generator().manual_seed(seed)
    return {name: torch.rand(2, 3, 32, 32, generator=random) for name in ("before2", "before", "frame", "next")}


def test_the_spec_keeps_the_contract():
    check_spec(SPEC)


def test_clips_tell_what_came_before_and_after(clips):
    data = open_dataset(str(clips), "train")
    assert len(data) == 14  # the last frame of each has no next one
    for index in range(len(data)):
        sample = data.load(index, ["before2", "before", "frame", "next"])
        places = [sample[name].float()[0].sub(90).clamp(min=0).sum(0).argmax().item() for name in sample]
        down = [sample[name].float()[0].sub(90).clamp(min=0).sum(1).argmax().item() for name in sample]
        moved = places if places[2] != 10 or places[3] != 10 else down
        assert moved[3] == moved[2] + 2
        assert moved[1] == max(moved[2] - 2, 0)
        assert moved[0] == max(moved[2] - 4, 0)


def test_a_warp_takes_each_pixel_from_where_the_motion_points():
    picture = torch.rand(1, 3, 9, 12)
    motion = torch.zeros(1, 2, 9, 12)
    motion[:, 0], motion[:, 1] = 2, -1  # from two to the right, one above
    moved = warp(picture, motion)
    torch.testing.assert_close(moved[..., 1:, :-2], picture[..., :-1, 2:])
    torch.testing.assert_close(moved[..., 1:, -1], picture[..., :-1, -1])  # beyond the border is the border
    half = warp(picture, motion / 4)
    expected = (picture[..., :-1] + picture[..., 1:]) / 2
    torch.testing.assert_close(half[..., 1:, :-1], 0.75 * expected[..., 1:, :] + 0.25 * expected[..., :-1, :])


def test_flow_starts_near_the_last_frame():
    torch.manual_seed(0)
    frames = torch.rand(1, 3, 3, 32, 32)
    predicted = NETWORKS["flow"].build()(frames)
    assert (predicted - frames[:, -1]).abs().mean() < 0.2 * (frames[:, -2] - frames[:, -1]).abs().mean()


def test_the_gated_unit_by_its_formula():
    torch.manual_seed(0)
    network, seen, state = NETWORKS["pgn"].build(), torch.randn(1, 8, 4, 4), torch.randn(1, 8, 4, 4)
    both = torch.cat([seen, state], 1)
    gates = torch.sigmoid(F.conv2d(both, network.gates.weight, network.gates.bias, padding=1))
    forget, update = gates[:, :8], gates[:, 8:]
    new = torch.tanh(network.candidate(torch.cat([seen, forget * state], 1)))
    torch.testing.assert_close(network._remember(state, seen), (1 - update) * state + update * new)


def test_prednet_by_the_algorithm_of_the_paper():
    """Algorithm 1, written out again for three frames, with the prediction of the fourth."""
    torch.manual_seed(0)
    network = NETWORKS["prednet"].build()
    frames = torch.rand(1, 3, 3, 16, 16) * 2 - 1
    channels, sides = (3, 4, 8), (16, 8, 4)
    R = [torch.zeros(1, c, s, s) for c, s in zip(channels, sides, strict=True)]
    C = [torch.zeros(1, c, s, s) for c, s in zip(channels, sides, strict=True)]
    E = [torch.zeros(1, 2 * c, s, s) for c, s in zip(channels, sides, strict=True)]
    wanted = []
    for step in range(4):
        for level in (2, 1, 0):
            above = [] if level == 2 else [F.interpolate(R[level + 1], scale_factor=2)]
            i, f, o, g = network.recurrent[level](torch.cat([E[level], R[level], *above], 1)).split(channels[level], 1)
            C[level] = F.hardsigmoid(f) * C[level] + F.hardsigmoid(i) * torch.tanh(g)
            R[level] = F.hardsigmoid(o) * torch.tanh(C[level])
        predictions = [F.relu(network.predict[level](R[level])) for level in range(3)]
        predictions[0] = predictions[0].clamp(max=1)
        wanted.append(predictions[0])
        if step == 3:
            break
        A = (frames[:, step] + 1) / 2
        for level in range(3):
            E[level] = torch.cat([F.relu(A - predictions[level]), F.relu(predictions[level] - A)], 1)
            if level < 2:
                A = F.max_pool2d(F.relu(network.targets[level](E[level])), 2)
    torch.testing.assert_close(network.follow(frames), torch.stack(wanted[1:], 1) * 2 - 1)
    torch.testing.assert_close(network(frames), wanted[3] * 2 - 1)


@pytest.mark.parametrize("network", ["flow", "pgn"])
def test_the_error_is_that_of_the_next_frame_alone(clips, network):
    trainer, batch = make(clips, network=network, gradients=0.5), draw()
    x = torch.stack([batch[name] for name in ("before2", "before", "frame")], 1) * 2 - 1
    y = batch["next"] * 2 - 1
    predicted = trainer.predictor(x)
    across, down = (predicted.diff(dim=axis).abs() - y.diff(dim=axis).abs() for axis in (-1, -2))
    total = (predicted - y).square().mean() + 0.5 * (across.abs().mean() + down.abs().mean())
    expected = torch.autograd.grad(total, list(trainer.predictor.parameters()))
    losses = trainer.training_step(batch)
    assert losses.keys() == {"mse", "gradients"}
    torch.testing.assert_close(losses["mse"], (predicted - y).square().mean())
    for parameter, gradient in zip(trainer.predictor.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, atol=1e-6, rtol=1e-3)


def test_prednet_learns_from_every_frame_but_the_first(clips):
    trainer, batch = make(clips, network="prednet"), draw()
    frames = [batch[name] * 2 - 1 for name in ("before2", "before", "frame", "next")]
    followed = trainer.predictor.follow(torch.stack(frames[:3], 1))
    losses = trainer.training_step(batch)
    expected = sum((followed[:, place] - frames[place + 1]).square().mean() for place in range(3)) / 3
    torch.testing.assert_close(losses["mse"], expected)


@pytest.mark.parametrize("gan", ["vanilla", "relativistic"])
def test_the_discriminator_sees_the_two_frames_before(clips, gan):
    trainer, batch = make(clips, adversarial=0.3, matching=2.0, network="pgn", gan=gan), draw()
    trainer.discriminator.eval()  # else every look turns its spectral norms a little
    before, frame, y = (batch[name] * 2 - 1 for name in ("before", "frame", "next"))
    x = torch.stack([batch["before2"] * 2 - 1, before, frame], 1)
    twin, untaught = copy.deepcopy(trainer.predictor), copy.deepcopy(trainer.discriminator)
    predicted = twin(x)
    mse = (predicted - y).square().mean()
    losses = trainer.training_step(batch)
    (fake,), (real,) = (untaught(torch.cat([before, frame, seen], 1)) for seen in (predicted, y))
    told = F.softplus(fake - real) if gan == "relativistic" else (F.softplus(-real) + F.softplus(fake)) / 2
    torch.testing.assert_close(losses["discriminator"], told.mean())
    judge = trainer.discriminator  # as it is after its own step
    fakes, reals = (judge.features(torch.cat([before, frame, seen], 1)) for seen in (predicted, y))
    pairs = [pair for f, r in zip(fakes, reals, strict=True) for pair in zip(f[:-1], r[:-1], strict=True)]
    matching = torch.stack([(fake - real.detach()).abs().mean() for fake, real in pairs]).mean()
    torch.testing.assert_close(losses["matching"], matching)
    ((*_, fake),), ((*_, real),) = fakes, reals
    adversarial = F.softplus((real.detach() if gan == "relativistic" else 0) - fake).mean()  # -log D, non-saturating
    torch.testing.assert_close(losses["adversarial"], adversarial)
    total = mse + 0.3 * adversarial + 2.0 * matching
    expected = torch.cat([gradient.flatten() for gradient in torch.autograd.grad(total, [*twin.parameters()])])
    found = torch.cat([parameter.grad.flatten() for parameter in trainer.predictor.parameters()])
    assert (found - expected).norm() < 0.01 * expected.norm()  # L1 has kinks: single numbers may differ


def test_no_discriminator_without_an_adversarial_loss(clips):
    assert "discriminator" not in make(clips).networks
    assert "discriminator" in make(clips, adversarial=0.1).networks


def test_gradients_compare_sizes_not_signs():
    rise = torch.arange(8.0).expand(1, 3, 8, 8)
    assert gradient_loss(rise, rise.flip(-1)) == 0
    assert gradient_loss(rise, 2 * rise) == pytest.approx(1)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("size", [(17, 30), (32, 32)])
def test_any_size_goes_through_and_looking_further_feeds_itself(clips, network, size):
    trainer = make(clips, network=network)
    header, tensors = trainer.export()
    random = torch.Generator().manual_seed(1)
    frames = {name: torch.rand(1, 3, *size, generator=random) for name in ("image", "before", "before2")}

    def run(ahead, dtype=torch.float32, **fed):
        model = NextFrame(NextFrameOptions(ahead=ahead), header)
        model.load_state_dict(tensors)
        return model.eval().to(dtype).run(frames | fed, seeds=(0,), size=size, dtype=dtype)

    first, second = run(1), run(2)
    assert first.shape == (1, 3, *size)
    torch.testing.assert_close(run(2, torch.bfloat16), second, atol=0.05, rtol=0)
    shifted = run(1, image=first, before=frames["image"], before2=frames["before"])
    if size == (32, 32):  # sides that are padded are predicted with their padding
        inside = (..., slice(8, -8), slice(8, -8))
        torch.testing.assert_close(second[inside], shifted[inside], atol=0.02, rtol=0)


def test_a_few_steps_learn_to_follow_the_square(clips, tmp_path):
    """Half the error of copying the last frame: which a network that sees frames in the wrong order does not reach."""
    values = SMALL | {"width": 16, "steps": 150, "batch": 4, "crop": 32, "learning_rate": 3e-3, "ema": 0.9}
    path = train("nextframe", str(clips), tmp_path / "run", values=values | {"precision": "fp32", "mirror": False})
    chain = artkit.Chain(f"nextframe(model='{path}')")
    frames = [dot(place) for place in range(2, 9)]
    made = [picture.numpy().astype(float) for picture in chain(frames[:-1])]
    errors = [np.square(found - after).mean() for found, after in zip(made[2:], frames[3:], strict=True)]
    copies = [np.square(now.astype(float) - after).mean() for now, after in pairwise(frames[2:])]
    assert np.mean(errors) < 0.5 * np.mean(copies)


shell = pytest.fixture(open_shell)


def test_a_folder_is_a_clip(clips, tmp_path):
    trainer = make(clips)
    path = tmp_path / "model.safetensors"
    save_model(path, *trainer.export())
    chain = artkit.Chain(f"nextframe(model='{path}')")
    frames = [dot(place) for place in range(4)]
    whole = chain(frames, precision="fp32")
    header, tensors = trainer.export()
    model = NextFrame(NextFrameOptions(), header)
    model.load_state_dict(tensors)
    tensor = [torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255 for frame in frames]
    ports = {"image": tensor[3], "before": tensor[2], "before2": tensor[1]}
    alone = model.eval().run(ports, seeds=(0,), size=(32, 32))
    torch.testing.assert_close(whole[3].tensor, alone)
    ports = {"image": tensor[1], "before": tensor[0], "before2": tensor[0]}
    torch.testing.assert_close(whole[1].tensor, model.run(ports, seeds=(0,), size=(32, 32)))


def test_what_is_no_clip_is_told(tmp_path):
    with pytest.raises(OptionError) as caught:
        train("nextframe", "landscapes(count=3,size=[32,32])", tmp_path / "run", values={"steps": 1, "crop": 32})
    assert str(caught.value) == (
        "training nextframe: landscapes has no column 'before2': it learns from clips, folders of frames, "
        "CLIP/frame/00001.png."
    )
