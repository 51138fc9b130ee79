"""Foreign files as models: they run as they are, become model files, and go back bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import artkit
from artkit import Chain, Kind, MethodSpec, ModelHeader, Port, Translator, hookimpl
from artkit.cli import main
from artkit.errors import ModelError, OptionError, PluginError
from artkit.models import Model, load_model, read_header, user_model_path
from artkit.models.foreign import export_networks, import_model, write_networks
from artkit.nn.reflection import reflect_index
from artkit.plugins import PluginSource, Registry, current_registry, use_registry
from artkit.seeds import mix_seeds
from artkit.spec import Hints
from foreign_reference import patch_state, resnet_forward, resnet_state, unet_forward, unet_state

LEVEL = 1 / 255


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))


def save(state, path: Path, **how) -> Path:
    torch.save(state, path, **how)
    return path


def picture(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def run(path: Path, image: np.ndarray, options: str = "", **how) -> torch.Tensor:
    """Return 1 3 H W in [0, 1] of `pix2pix(model=path, ...)` in fp32."""
    return Chain(f"pix2pix(model={path}{options})")(image, precision="fp32", **how).tensor


def padded(image: np.ndarray, multiple: int) -> torch.Tensor:
    """Return a picture as those networks take it, mirrored up to sides they take."""
    height, width = image.shape[:2]
    rows, columns = (reflect_index(side, -(-side // multiple) * multiple) for side in (height, width))
    x = torch.from_numpy(image).float().div(255).permute(2, 0, 1)[None] * 2 - 1
    return x[..., rows[:, None], columns]


def assert_near(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    height, width = ours.shape[-2:]
    wanted = (theirs[..., :height, :width] + 1) / 2
    torch.testing.assert_close(ours, wanted.expand_as(ours), atol=LEVEL / 20, rtol=0)


@pytest.mark.parametrize("legacy", [False, True])
def test_a_resnet_file_runs_as_it_is(tmp_path, capsys, legacy):
    state, image = resnet_state(blocks=6), picture(37, 50)
    path = save(state, tmp_path / "latest_net_G.pth", _use_new_zipfile_serialization=not legacy)
    assert_near(run(path, image), resnet_forward(state, padded(image, 4), blocks=6))
    run(path, image)
    words = "ResNet-6, 4 filters, instance norm, trained without dropout"
    assert capsys.readouterr().err == f"artkit: {path} is {words}\n"


@pytest.mark.parametrize("size", [(100, 37), (1, 1), (128, 256)])
def test_a_unet_takes_any_size(tmp_path, size):
    state, image = unet_state(levels=7), picture(*size)
    path = save(state, tmp_path / "net.pth")
    assert_near(run(path, image), unet_forward(state, padded(image, 128), levels=7))


def test_statistics_and_dropout_are_chosen(tmp_path):
    state, image = unet_state(levels=7), picture(128, 128)
    path, x = save(state, tmp_path / "net.pth"), padded(image, 128)
    own, kept, noisy = (
        run(path, image, options, seed=3) for options in ("", ",statistics=running", ",stochastic=true")
    )
    assert_near(own, unet_forward(state, x, levels=7))
    assert_near(kept, unet_forward(state, x, levels=7, running=True))
    random = torch.Generator().manual_seed(mix_seeds(3, 0))
    sides = {5: 4, 4: 8}  # the two wide blocks around the innermost, deepest first, and their outputs' sides
    keep = {depth: (torch.rand(32, side, side, generator=random) >= 0.5)[None] * 2 for depth, side in sides.items()}
    assert_near(noisy, unet_forward(state, x, levels=7, keep=keep))
    assert not torch.allclose(own, kept, atol=LEVEL)
    assert not torch.allclose(own, noisy, atol=LEVEL)


def test_statistics_need_a_batch_norm(tmp_path):
    path = save(resnet_state(blocks=1), tmp_path / "net.pth")
    with pytest.raises(OptionError, match="no batch norm"):
        run(path, picture(8, 8), ",statistics=running")


def test_a_batch_of_pictures_is_each_by_itself(tmp_path):
    model = import_model(save(unet_state(levels=5), tmp_path / "net.pth"), "pix2pix", current_registry())
    from artkit_pix2pix import Pix2PixOptions
    from artkit_pix2pix.translator import Pix2Pix

    translator = Pix2Pix(Pix2PixOptions(), model.header).eval()
    translator.load_state_dict(model.tensors)
    images = torch.rand(2, 3, 32, 32)
    both = translator.run({"image": images}, seeds=(1, 2), size=(32, 32))
    for index in range(2):
        alone = translator.run({"image": images[index : index + 1]}, seeds=(1,), size=(32, 32))
        torch.testing.assert_close(alone[0], both[index], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("inside", "outside"), [(1, 3), (3, 1), (1, 1)])
def test_grey_pictures_go_in_and_come_out(tmp_path, inside, outside):
    state, image = resnet_state(blocks=1, inside=inside, outside=outside), picture(16, 16)
    x = padded(image, 4)
    if inside == 1:
        x = (x * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(1, keepdim=True)
    assert_near(run(save(state, tmp_path / "net.pth"), image), resnet_forward(state, x, blocks=1))


def test_safetensors_and_wrapped_names_run_too(tmp_path):
    import safetensors.torch

    state, image = resnet_state(blocks=1), picture(16, 16)
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file({f"module.{name}": tensor for name, tensor in state.items()}, path)
    assert_near(run(path, image), resnet_forward(state, padded(image, 4), blocks=1))
    assert str(artkit.load(save(unet_state(levels=5), tmp_path / "net.pth"))).startswith("pix2pix(")


@pytest.mark.parametrize(
    "state",
    [
        resnet_state(),
        resnet_state("batch", blocks=6, dropout=True),
        resnet_state("none", blocks=2),
        resnet_state(cut=True),
        unet_state(levels=7),
        unet_state("instance", levels=8, inside=1),
    ],
    ids=lambda state: f"{len(state)}",
)
def test_the_way_there_and_back_changes_no_bit(tmp_path, capsys, state):
    path = save(state, tmp_path / "latest_net_G.pth")
    assert main(["models", "import", str(path), "--name", "zebra", "--method", "pix2pix"]) == 0
    stored = Path(capsys.readouterr().out.strip())
    assert stored == user_model_path("pix2pix", "zebra")
    assert main(["models", "export", "zebra", str(tmp_path / "back.pth"), "--layout", "cyclegan"]) == 0
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert list(back) == [name for name in back if name in state]
    assert len(back) == len(state)
    for name, tensor in state.items():
        assert back[name].dtype == tensor.dtype
        assert torch.equal(back[name], tensor)


@pytest.mark.parametrize(
    "discriminator", [patch_state(inside=6), patch_state("instance", 2, inside=6, cut=True)], ids=len
)
def test_discriminators_come_along(tmp_path, capsys, discriminator):
    generator = unet_state(levels=7)
    files = [save(generator, tmp_path / "latest_net_G.pth"), save(discriminator, tmp_path / "latest_net_D.pth")]
    assert main(["models", "import", *map(str, files), "--name", "facades"]) == 0
    model = load_model(user_model_path("pix2pix", "facades"))
    assert {name.partition(".")[0] for name in model.tensors} == {"generator", "discriminator"}
    assert "U-Net-128" in model.header.summary
    assert "PatchGAN" in model.header.summary
    image = picture(16, 16)
    assert torch.equal(run(user_model_path("pix2pix", "facades"), image), run(files[0], image))
    assert main(["models", "export", "pix2pix/facades", str(tmp_path / "back"), "--layout", "cyclegan"]) == 0
    for file, state in zip(files, (generator, discriminator), strict=True):
        back = torch.load(tmp_path / "back" / file.name, weights_only=True)
        assert back.keys() == state.keys()
        assert all(torch.equal(back[name], state[name]) for name in state)


def test_what_no_tensor_tells_is_noted(tmp_path, capsys):
    path = save(unet_state(levels=5, inside=4), tmp_path / "net.pth")
    classes = tmp_path / "classes.txt"
    classes.write_text("".join(f"{index} class{index} {index} 0 0\n" for index in range(4)))
    told = ["--classes", str(classes), "--size", "64", "--licence", "BSD-2-Clause", "--direction", "BtoA"]
    assert main(["models", "import", str(path), "--name", "maps"]) == 1
    assert "takes 4 channels" in capsys.readouterr().err
    assert main(["models", "import", str(path), "--name", "maps", *told]) == 0
    header = read_header(user_model_path("pix2pix", "maps"))
    assert (header.name, header.licence, header.training["crop"]) == ("maps", "BSD-2-Clause", 64)
    assert (header.inputs["image"], len(header.classes)) == (Kind.LABELS, 4)
    labels = np.zeros((20, 20, 3), np.uint8)
    labels[:10] = (3, 0, 0)
    assert Chain("pix2pix(model=maps)")(labels).size == (20, 20)


def test_a_model_is_not_replaced_unasked(tmp_path, capsys):
    path = save(unet_state(levels=5), tmp_path / "net.pth")
    command = ["models", "import", str(path), "--name", "zebra", "--json"]
    assert main(command) == 0
    assert '"recognised": "U-Net-32, 4 filters, batch norm"' in capsys.readouterr().out
    assert main(command) == 1
    assert "add --overwrite" in capsys.readouterr().err
    assert main([*command, "--overwrite"]) == 0
    export = ["models", "export", "zebra", str(path), "--layout", "cyclegan"]
    assert main(export) == 1
    assert "exists" in capsys.readouterr().err
    assert main([*export, "--overwrite"]) == 0


def test_names_that_leave_the_store_are_refused(tmp_path, capsys):
    path = save(unet_state(levels=5), tmp_path / "net.pth")
    assert main(["models", "import", str(path), "--name", "../zebra"]) == 1
    assert "no model name" in capsys.readouterr().err


def test_show_says_what_a_foreign_file_is(tmp_path, capsys):
    path = save(unet_state(levels=5), tmp_path / "net.pth")
    assert main(["models", "show", str(path)]) == 0
    assert "unet_32" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("states", "method", "words"),
    [
        ([{"fc.weight": torch.zeros(2, 2)}], None, r"net0\.pth is no network artkit knows"),
        ([{"fc.weight": torch.zeros(2, 2)}], "pix2pix", r"net0\.pth is no network artkit knows"),
        ([unet_state(levels=5)], "touchup", "touchup does not take that"),
        ([patch_state()], "pix2pix", "0 generators and 1 discriminators"),
        ([unet_state(levels=5), unet_state(levels=5)], None, "2 generators"),
        ([unet_state(levels=5, outside=2)], None, "gives 2 channels"),
        ([unet_state(levels=5, inside=7)], None, "label maps of 7 classes"),
        ([{**unet_state(levels=5), "model.model.3.bias": torch.tensor([0, 0, float("nan")])}], None, "NaN"),
    ],
)
def test_files_that_cannot_be_used_say_why(tmp_path, states, method, words):
    paths = [save(state, tmp_path / f"net{index}.pth") for index, state in enumerate(states)]
    with pytest.raises(ModelError, match=words) as raised:
        import_model(paths, method, current_registry())
    assert "\n" not in str(raised.value)


def test_a_chain_names_the_file_that_is_nothing_known(tmp_path, capsys):
    path = save({**resnet_state(blocks=6), "model.7.weight": torch.zeros(16, 9, 3, 3)}, tmp_path / "bad.pth")
    image = tmp_path / "image.png"
    artkit.read_picture(picture(8, 8)).save(image)
    assert main(["run", str(image), "--chain", f"pix2pix(model='{path}')"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert "nearest is ResNet-6" in line
    assert "model.7.weight (16, 9, 3, 3) for (16, 8, 3, 3)" in line


@pytest.mark.parametrize("name", ["mixer", "generator_c"])
def test_a_network_of_no_role_there_is_not_exported(name):
    header = ModelHeader(method="pix2pix", architecture="resnet_9", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)
    model = Model(header, {f"{name}.weight": torch.zeros(1)}, Path("model.safetensors"))
    with pytest.raises(ModelError, match=rf"has generators and discriminators, and no '{name}'\.$"):
        export_networks(model)


def test_a_model_in_no_known_layout_is_not_exported(tmp_path, capsys):
    assert main(["models", "export", "pix2pix/landscape", str(tmp_path / "net.pth"), "--layout", "cyclegan"]) == 1
    [line] = capsys.readouterr().err.splitlines()
    assert line.endswith(" is a subpixel network, which the layout of cyclegan does not have.")
    assert not (tmp_path / "net.pth").exists()


class Third:
    """A third party's layout: one gain a channel, and the method that uses it."""

    spec = MethodSpec("gain", "Gain.", (Port("image", Kind.IMAGE),), Kind.IMAGE, f"{__name__}:Gain")

    @hookimpl
    def register_methods(self):
        return [self.spec]

    @hookimpl
    def import_checkpoint(self, checkpoint, method):
        tensors = checkpoint.files[0].tensors
        if method not in (None, "gain") or "their.gain" not in tensors:
            return None
        assert checkpoint.hints == Hints()
        header = ModelHeader(method="gain", architecture="gain", inputs={"image": Kind.IMAGE}, output=Kind.IMAGE)
        return header, {"gain": tensors["their.gain"]}


class Gain(Translator):
    spec = Third.spec

    def __init__(self, options, header):
        super().__init__(options, header)
        self.register_buffer("gain", torch.ones(3))

    def translate(self, context, *, image):
        return image * self.gain[:, None, None]


class Faulty:
    """A plugin whose hook fails."""

    @hookimpl
    def import_checkpoint(self, checkpoint, method):
        raise ValueError("out of tune")


@pytest.fixture
def third():
    found = Registry()
    found.add(PluginSource("third", Third))
    use_registry(found)
    yield found
    use_registry(None)


def test_a_third_party_adds_a_layout(tmp_path, third):
    path = save({"their.gain": torch.tensor([1.0, 0.5, 0.0])}, tmp_path / "net.pth")
    image = np.full((4, 5, 3), 200, np.uint8)
    out = Chain(f"gain(model={str(path)!r})")(image, precision="fp32").numpy()
    assert out[0, 0].tolist() == [200, 100, 0]
    assert str(artkit.load(path)).startswith("gain(")


def test_a_plugin_that_fails_is_named(tmp_path, third):
    found = Registry()
    found.add(PluginSource("faulty", Faulty))
    with pytest.raises(PluginError, match=r"'faulty' failed to import .*out of tune"):
        import_model(save({"a": torch.ones(1)}, tmp_path / "net.pth"), None, found)


def test_training_goes_on_from_an_imported_model(tmp_path):
    from PIL import Image

    from artkit.errors import TrainingError
    from artkit.training import train

    for index in range(2):
        sheet = tmp_path / "data" / "train" / f"{index}_AB.png"
        sheet.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(32, 64)).save(sheet)
    generator, discriminator = resnet_state("batch", blocks=6, dropout=True), patch_state(inside=6, layers=2, width=6)
    files = [save(generator, tmp_path / "G.pth"), save(discriminator, tmp_path / "D.pth")]
    assert main(["models", "import", *map(str, files), "--name", "mine", "--method", "pix2pix"]) == 0
    still = {"start": "mine", "steps": 1, "crop": 32, "learning_rate": 1e-12, "ema": 0, "precision": "fp32"}
    train("pix2pix", str(tmp_path / "data"), tmp_path / "run", values=still)
    networks = torch.load(tmp_path / "run" / "checkpoint.pt", weights_only=True)["networks"]
    imported = load_model(user_model_path("pix2pix", "mine")).tensors
    for network in ("generator", "discriminator"):
        for name, tensor in networks[network].items():
            if not name.endswith(("running_mean", "running_var", "num_batches_tracked")):
                torch.testing.assert_close(tensor, imported[f"{network}.{name}"], atol=1e-6, rtol=0)
    user_model_path("pix2pix", "mine").unlink()
    train("pix2pix", str(tmp_path / "data"), tmp_path / "run", values={"steps": 2}, resume=True)
    # A generator alone is enough to start from; one that does not fit is told.
    with pytest.raises(TrainingError, match="its generator is not the one in training"):
        train("pix2pix", str(tmp_path / "data"), tmp_path / "b", values={**still, "start": str(files[0]), "width": 8})


def test_a_plugin_that_fails_is_seen_in_full_by_its_author(tmp_path, monkeypatch):
    found = Registry()
    found.add(PluginSource("faulty", Faulty))
    monkeypatch.setenv("ARTKIT_STRICT", "1")
    with pytest.raises(ValueError, match="out of tune"):
        import_model(save({"a": torch.ones(1)}, tmp_path / "net.pth"), None, found)


def test_a_network_is_exported_as_safetensors_by_that_ending(tmp_path):
    state = unet_state(levels=5)
    model = import_model(save(state, tmp_path / "net.pth"), "pix2pix", current_registry())
    (written,) = write_networks(model, tmp_path / "net.safetensors")
    back = load_file(written)
    assert back.keys() == state.keys()
    assert all(torch.equal(back[name], state[name]) for name in state)
