"""Tiny networks of four architectures, with random weights: imported, run, and equal to what spandrel computes."""

import re
import sys

import pytest
import torch
from artkit.chain import Chain
from artkit.cli import main
from artkit.errors import ModelError
from artkit.models.foreign import import_model
from artkit.plugins import current_registry
from spandrel import MAIN_REGISTRY
from spandrel.architectures.Compact import Compact
from spandrel.architectures.NAFNet import NAFNet
from spandrel.architectures.SPAN import SPAN
from spandrel.architectures.SwinIR import SwinIR

from artkit_spandrel.networks import SpandrelArguments

NETWORKS = {
    "Compact": lambda: Compact(num_feat=8, num_conv=2, upscale=2),
    "SPAN": lambda: SPAN(num_in_ch=3, num_out_ch=3, feature_channels=8, upscale=4),
    "NAFNet": lambda: NAFNet(width=8, middle_blk_num=1, enc_blk_nums=[1, 1], dec_blk_nums=[1, 1]),
    "SwinIR": lambda: SwinIR(
        img_size=16,
        window_size=8,
        depths=[2, 2],
        embed_dim=12,
        num_heads=[2, 2],
        upscale=2,
        upsampler="pixelshuffledirect",
    ),
}
SCALES = {"Compact": 2, "SPAN": 4, "NAFNet": 1, "SwinIR": 2}


@pytest.fixture(params=NETWORKS)
def network(request, tmp_path):
    """The id of an architecture, and a file of one of its networks."""
    torch.manual_seed(0)
    path = tmp_path / f"{request.param.lower()}.pth"
    torch.save({"params": NETWORKS[request.param]().state_dict()}, path)
    return request.param, path


def test_a_file_runs_as_spandrel_runs_it(network):
    name, path = network
    picture = torch.rand(1, 3, 18, 21, generator=torch.Generator().manual_seed(1))
    made = Chain(f"spandrel(model='{path}')")(picture, device="cpu", precision="fp32")
    known = MAIN_REGISTRY.load(torch.load(path, weights_only=True)["params"])
    assert known.architecture.id == name
    assert (made.height, made.width) == (18 * SCALES[name], 21 * SCALES[name])
    assert torch.allclose(made.tensor, known(picture), atol=1e-5)


def test_an_imported_model_makes_the_same_picture(network, tmp_path, monkeypatch):
    name, path = network
    monkeypatch.setenv("ARTKIT_HOME", str(tmp_path / "home"))
    picture = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(1))
    assert main(["models", "import", str(path), "--method", "spandrel", "--name", "mine"]) == 0
    first, second = (Chain(f"spandrel(model={model})") for model in (f"'{path}'", "mine"))
    how = {"device": "cpu", "precision": "fp32"}
    assert torch.equal(first(picture, **how).tensor, second(picture, **how).tensor)


def test_the_header_says_what_it_is(network):
    name, path = network
    header = import_model(path, "spandrel", current_registry()).header
    assert (header.architecture, header.arguments["scale"]) == (name, SCALES[name])
    assert header.summary.endswith(f"enlarges {SCALES[name]} times" if SCALES[name] > 1 else "restores pictures")


def test_what_spandrel_does_not_know_is_nobodys(tmp_path):
    torch.save({"weight": torch.zeros(3)}, tmp_path / "a.pth")
    with pytest.raises(ModelError):
        import_model(tmp_path / "a.pth", "spandrel", current_registry())


def test_a_network_of_one_channel_is_refused(tmp_path):
    torch.save(Compact(num_in_ch=1, num_out_ch=1, num_feat=8, num_conv=2, upscale=2).state_dict(), tmp_path / "a.pth")
    with pytest.raises(ModelError, match="of 1 channels to 1, not of three to three"):
        import_model(tmp_path / "a.pth", "spandrel", current_registry())


def test_a_file_that_is_cut_is_refused(tmp_path):
    tensors = Compact(num_feat=8, num_conv=2, upscale=2).state_dict()
    del tensors["body.2.weight"]
    torch.save(tensors, tmp_path / "a.pth")
    with pytest.raises(ModelError) as refused:
        import_model(tmp_path / "a.pth", "spandrel", current_registry())
    words = (
        f"{tmp_path / 'a.pth'} is not for spandrel: it is nearly a network that spandrel knows, and cannot be built: "
    )
    assert re.fullmatch(re.escape(words) + r"\w+Error\.", str(refused.value))


def test_a_network_that_its_shapes_do_not_tell_is_refused(tmp_path, monkeypatch):
    torch.save(Compact(num_feat=8, num_conv=2, upscale=2).state_dict(), tmp_path / "a.pth")
    longer = MAIN_REGISTRY.load(Compact(num_feat=8, num_conv=3, upscale=2).state_dict())
    monkeypatch.setattr(SpandrelArguments, "build", lambda self: longer)
    with pytest.raises(ModelError, match="not for spandrel: it is a .+ network whose form lies in its numbers"):
        import_model(tmp_path / "a.pth", "spandrel", current_registry())


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    class Evil:
        def __reduce__(self):
            return print, ("run",)

    torch.save({"params": Evil()}, tmp_path / "a.pth")
    with pytest.raises(ModelError):
        import_model(tmp_path / "a.pth", "spandrel", current_registry())
    assert "run" not in capsys.readouterr().out


def test_help_does_not_import_spandrel(capsys):
    loaded = "spandrel" in sys.modules
    assert main(["methods", "spandrel"]) == 0
    assert "architecture" in capsys.readouterr().out
    assert loaded or "spandrel" not in sys.modules
