"""Foreign generators as cyclegan models: one way, both ways, with discriminators, and training on from them."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from artkit import Chain
from artkit.cli import main
from artkit.errors import ModelError, OptionError, TrainingError
from artkit.models import read_header, user_model_path
from artkit.models.foreign import import_model
from artkit.plugins import current_registry
from artkit.spec import Hints
from artkit.training import train
from foreign_reference import patch_state, resnet_forward, resnet_state, unet_forward, unet_state

LEVEL = 1 / 255


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))


def save(state, path: Path) -> Path:
    torch.save(state, path)
    return path


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def run(model: object, image: np.ndarray, options: str = "") -> torch.Tensor:
    """Return 1 3 H W in [0, 1] of `cyclegan(model=..., ...)` in fp32."""
    return Chain(f"cyclegan(model={str(model)!r}{options})")(image, precision="fp32").tensor


def assert_near(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    torch.testing.assert_close(ours, ((theirs + 1) / 2).expand_as(ours), atol=LEVEL / 20, rtol=0)


def seen(image: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(image).float().div(255).permute(2, 0, 1)[None] * 2 - 1


@pytest.mark.parametrize("cut", [False, True])
def test_a_resnet_file_runs_as_it_is(tmp_path, capsys, cut):
    state, image = resnet_state(blocks=6, cut=cut), picture(36, 52)
    path = save(state, tmp_path / "latest_net_G.pth")
    assert_near(run(path, image), resnet_forward(state, seen(image), blocks=6, cut=cut))
    assert "ResNet-6, 4 filters, instance norm" in capsys.readouterr().err


@pytest.mark.parametrize("running", [False, True])
@pytest.mark.parametrize(
    ("state", "forward", "size"),
    [
        (partial(unet_state, levels=7), partial(unet_forward, levels=7), 128),
        (partial(resnet_state, norm="batch", blocks=6), partial(resnet_forward, norm="batch", blocks=6), 36),
        (
            partial(resnet_state, "batch", 1, True, True),
            partial(resnet_forward, norm="batch", blocks=1, dropout=True, cut=True),
            36,
        ),
    ],
    ids=["unet", "resnet", "cut"],
)
def test_batch_norm_uses_either_statistics(tmp_path, state, forward, size, running):
    weights, image = state(), picture(size, size)
    output = run(save(weights, tmp_path / "net.pth"), image, ",statistics=running" if running else "")
    assert_near(output, forward(weights, seen(image), running=running))
    assert not torch.allclose(output, (forward(weights, seen(image), running=not running) + 1) / 2, atol=LEVEL)


def test_a_trained_model_keeps_its_running_statistics(tmp_path):
    """Trained with batch norm, written back in that project's layout, read independently."""
    values = {
        "network": "resnet_6",
        "width": 4,
        "norm": "batch",
        "steps": 3,
        "crop": 16,
        "widths": (4,),
        "receptive_field": 16,
    }
    model = train("cyclegan", unpaired(tmp_path / "data"), tmp_path / "run", values=values)
    assert main(["models", "export", str(model), str(tmp_path / "theirs"), "--layout", "cyclegan"]) == 0
    image = picture(24, 28)
    for direction, name in (("AtoB", "G_A"), ("BtoA", "G_B")):
        state = torch.load(tmp_path / "theirs" / f"latest_net_{name}.pth", weights_only=True)
        state = {key: value.float() for key, value in state.items()}
        for statistics, running in (("picture", False), ("running", True)):
            output = run(model, image, f",direction={direction},statistics={statistics}")
            assert_near(output, resnet_forward(state, seen(image), norm="batch", blocks=6, running=running))


def test_running_statistics_need_a_batch_norm(tmp_path):
    path = save(resnet_state(blocks=1), tmp_path / "net.pth")
    with pytest.raises(OptionError, match="no batch norm"):
        run(path, picture(8, 8), ",statistics=running")


@pytest.mark.parametrize(("inside", "outside"), [(1, 3), (3, 1)])
def test_grey_pictures_go_in_and_come_out(tmp_path, inside, outside):
    state, image = resnet_state(blocks=1, inside=inside, outside=outside), picture(16, 16)
    x = seen(image)
    if inside == 1:
        x = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    assert_near(run(save(state, tmp_path / "net.pth"), image), resnet_forward(state, x, blocks=1))


def test_a_file_goes_one_way_and_says_so(tmp_path):
    path = save(resnet_state(blocks=1), tmp_path / "latest_net_G_B.pth")
    assert run(path, picture(8, 8)).shape == (1, 3, 8, 8)
    with pytest.raises(OptionError, match="goes AtoB alone"):
        run(path, picture(8, 8), ",direction=BtoA")


def test_a_hint_turns_the_direction(tmp_path):
    path = save(resnet_state(blocks=1, inside=1), tmp_path / "net.pth")
    model = import_model(path, "cyclegan", current_registry(), Hints(direction="BtoA"))
    assert model.header.arguments["directions"] == ["BtoA"]
    assert {name.split(".")[0] for name in model.tensors} == {"generator_b"}
    assert model.header.arguments["generator"]["out_channels"] == 1


def both_ways(folder: Path) -> tuple[list[Path], dict[str, dict[str, torch.Tensor]]]:
    states = {
        "G_A": resnet_state(blocks=6, inside=1, outside=3),
        "G_B": resnet_state(blocks=6, inside=3, outside=1),
        "D_A": patch_state(norm="instance", layers=1),
        "D_B": patch_state(norm="instance", layers=1, inside=1),
    }
    return [save(state, folder / f"latest_net_{name}.pth") for name, state in states.items()], states


def test_four_files_make_one_model_and_come_back_bit_for_bit(tmp_path):
    paths, states = both_ways(tmp_path)
    assert main(["models", "import", *map(str, paths), "--name", "zebra"]) == 0
    assert read_header(user_model_path("cyclegan", "zebra")).arguments["directions"] == ["AtoB", "BtoA"]
    image = picture(16, 20)
    grey = (seen(image) * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    assert_near(run("zebra", image), resnet_forward(states["G_A"], grey, blocks=6))
    assert_near(run("zebra", image, ",direction=BtoA"), resnet_forward(states["G_B"], seen(image), blocks=6))
    assert main(["models", "export", "zebra", str(tmp_path / "back"), "--layout", "cyclegan"]) == 0
    for name, state in states.items():
        back = torch.load(tmp_path / "back" / f"latest_net_{name}.pth", weights_only=True)
        assert list(back) == list(state)
        assert all(torch.equal(back[key], state[key]) for key in state)


def test_training_goes_on_from_imported_networks(tmp_path):
    paths, states = both_ways(tmp_path)
    assert main(["models", "import", *map(str, paths), "--name", "zebra"]) == 0
    unpaired(tmp_path / "data")
    values = {"start": "zebra", "steps": 1, "crop": 16, "ema": 0, "learning_rate": 1e-12}
    train("cyclegan", str(tmp_path / "data"), tmp_path / "run", values=values)
    networks = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["networks"]
    for ours, theirs in (("generator_b", "G_B"), ("discriminator_a", "D_A")):
        weights = [tensor.sum() for tensor in networks[ours].values()]
        assert torch.allclose(torch.stack(weights).sum(), sum(tensor.sum() for tensor in states[theirs].values()))


def unpaired(folder: Path) -> str:
    for column in ("a", "b"):
        (folder / "train" / column).mkdir(parents=True)
        Image.fromarray(picture(96, 96)).save(folder / "train" / column / "0.png")
    return str(folder)


@pytest.mark.parametrize(
    ("kind", "judge"),
    [
        ("cut", {"cut": True}),
        ("plain", {"layers": 4}),
        ("plain", {"layers": 2}),
        ("plain", {"layers": 5, "norm": "none"}),
    ],
    ids=["cut", "142px", "34px", "286px"],
)
def test_any_discriminator_and_filtered_networks_train_on(tmp_path, kind, judge):
    """All tensors are taken over, filters too, and one step changes what learns and leaves filters alone."""
    norm = judge.get("norm", "instance")
    states = {name: resnet_state(norm, blocks=6, cut=kind == "cut") for name in ("G_A", "G_B")} | {
        name: patch_state(**{"norm": "instance", **judge}) for name in ("D_A", "D_B")
    }
    paths = [save(state, tmp_path / f"latest_net_{name}.pth") for name, state in states.items()]
    assert main(["models", "import", *map(str, paths), "--name", "theirs"]) == 0
    values = {"start": "theirs", "steps": 1, "crop": 96, "ema": 0}
    still = train("cyclegan", unpaired(tmp_path / "data"), tmp_path / "still", values=values | {"learning_rate": 1e-12})
    moved = train("cyclegan", str(tmp_path / "data"), tmp_path / "moved", values=values | {"learning_rate": 1e-3})
    image = picture(36, 40)
    theirs = resnet_forward(states["G_A"], seen(image), norm, blocks=6, cut=kind == "cut")
    assert (run(still, image) - (theirs + 1) / 2).abs().max() < 3 * LEVEL  # exported in half precision
    assert (run(moved, image) - (theirs + 1) / 2).abs().max() > 10 * LEVEL
    networks = torch.load(tmp_path / "moved" / "checkpoint.pt", weights_only=True)["networks"]
    for name, state in (("generator_b", states["G_B"]), ("discriminator_a", states["D_A"])):
        filters = [tensor for key, tensor in networks[name].items() if key.endswith(".filter")]
        assert len(filters) == len([key for key in state if key.endswith(".filt")])
        assert all(any(torch.equal(one, other) for other in state.values()) for one in filters)


def test_a_generator_of_cut_alone_trains_on(tmp_path):
    path = save(resnet_state(blocks=6, cut=True), tmp_path / "latest_net_G.pth")
    values = {"start": str(path), "steps": 1, "crop": 16, "widths": (4,), "receptive_field": 16}
    model = train("cyclegan", unpaired(tmp_path / "data"), tmp_path / "run", values=values)
    assert read_header(model).arguments["generator"]["antialias"] is True
    assert run(model, picture(16, 20), ",direction=BtoA").shape == (1, 3, 16, 20)


def test_a_discriminator_that_no_option_builds_is_told(tmp_path):
    states = {"G_A": resnet_state(blocks=6), "D_A": patch_state("instance", layers=6)}
    paths = [save(state, tmp_path / f"latest_net_{name}.pth") for name, state in states.items()]
    assert main(["models", "import", *map(str, paths), "--name", "deep"]) == 0
    with pytest.raises(TrainingError, match="discriminator_a is not the one in training"):
        train("cyclegan", unpaired(tmp_path / "data"), tmp_path / "run", values={"start": "deep", "crop": 24})


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("one", "two"), "goes from A to B"),
        (("latest_net_G_A", "other_net_G_A"), "goes from A to B"),
    ],
)
def test_two_generators_must_say_which_is_which(tmp_path, names, words):
    paths = [save(resnet_state(blocks=1), tmp_path / f"{name}.pth") for name in names]
    with pytest.raises(ModelError, match=words):
        import_model(paths, "cyclegan", current_registry())


def test_two_generators_must_be_alike(tmp_path):
    first = save(resnet_state(blocks=1), tmp_path / "latest_net_G_A.pth")
    second = save(resnet_state(blocks=2), tmp_path / "latest_net_G_B.pth")
    with pytest.raises(ModelError, match="import them one by one"):
        import_model([first, second], "cyclegan", current_registry())


def test_a_discriminator_alone_is_no_model(tmp_path):
    with pytest.raises(ModelError, match="needs a generator"):
        import_model(save(patch_state(), tmp_path / "latest_net_D_A.pth"), "cyclegan", current_registry())
