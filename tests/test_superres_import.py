"""RRDB networks of ESRGAN and Real-ESRGAN run as they are: every layout against a forward pass written here."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Chain, ModelError
from artkit.models.foreign import import_model
from artkit.plugins import current_registry
from artkit_superres.published import rename

Weights = dict[str, Tensor]


def rrdb_weights(blocks: int = 2, channels: int = 3, doublings: int = 2, width: int = 8, growth: int = 4) -> Weights:
    """Random weights under Real-ESRGAN's names."""
    generator = torch.Generator().manual_seed(3)
    weights: Weights = {}

    def conv(name: str, before: int, after: int) -> None:
        weights[f"{name}.weight"] = torch.randn(after, before, 3, 3, generator=generator) * (2 / (9 * before)) ** 0.5
        weights[f"{name}.bias"] = torch.randn(after, generator=generator) * 0.1

    conv("conv_first", channels, width)
    for block in range(blocks):
        for dense in (1, 2, 3):
            for index in range(1, 6):
                before, after = width + (index - 1) * growth, growth if index < 5 else width
                conv(f"body.{block}.rdb{dense}.conv{index}", before, after)
    conv("conv_body", width, width)
    for step in range(1, doublings + 1):
        conv(f"conv_up{step}", width, width)
    conv("conv_hr", width, width)
    conv("conv_last", width, 3)
    weights["conv_last.weight"] *= 0.05  # keeps most of the picture within [0, 1]
    weights["conv_last.bias"] += 0.5
    return weights


def enlarge(weights: Weights, image: Tensor, unshuffle: int = 1) -> Tensor:
    """The forward pass of ESRGAN (section 3.1 and figure 4), layer by layer."""

    def conv(name: str, x: Tensor) -> Tensor:
        return F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)

    def leaky(x: Tensor) -> Tensor:
        return torch.where(x > 0, x, 0.2 * x)

    n, _, height, width = image.shape
    cells = image.view(n, 3, height // unshuffle, unshuffle, width // unshuffle, unshuffle)
    cells = cells.permute(0, 1, 3, 5, 2, 4).reshape(n, -1, height // unshuffle, width // unshuffle)
    first = x = conv("conv_first", cells)
    for block in range(len({name.split(".")[1] for name in weights if name.startswith("body.")})):
        before = x
        for dense in (1, 2, 3):
            made = [x]
            for index in range(1, 5):
                made.append(leaky(conv(f"body.{block}.rdb{dense}.conv{index}", torch.cat(made, 1))))
            x = x + 0.2 * conv(f"body.{block}.rdb{dense}.conv5", torch.cat(made, 1))
        x = before + 0.2 * x
    x = first + conv("conv_body", x)
    for step in range(1, sum(name.startswith("conv_up") for name in weights) // 2 + 1):
        x = leaky(conv(f"conv_up{step}", x.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    return conv("conv_last", leaky(conv("conv_hr", x)))


def second_layout(weights: Weights) -> Weights:
    """The names of ESRGAN's later files."""
    names = {"body.": "RRDB_trunk.", "conv_body": "trunk_conv", "conv_up": "upconv", "conv_hr": "HRconv"}
    renamed = {}
    for name, tensor in weights.items():
        for ours, theirs in names.items():
            name = name.replace(ours, theirs) if name.startswith(ours) else name
        renamed[name.replace("rdb", "RDB")] = tensor
    return renamed


def first_layout(weights: Weights) -> Weights:
    """The names of ESRGAN's first files: stages of one sequence, those without weights counted too."""
    doublings = sum(name.startswith("conv_up") for name in weights) // 2
    blocks = len({name.split(".")[1] for name in weights if name.startswith("body.")})
    stages = {"conv_first": "model.0", "conv_body": f"model.1.sub.{blocks}"}
    stages |= {f"conv_up{step}": f"model.{3 * step}" for step in range(1, doublings + 1)}
    stages |= {"conv_hr": f"model.{3 * doublings + 2}", "conv_last": f"model.{3 * doublings + 4}"}
    renamed = {}
    for name, tensor in weights.items():
        stem, _, kind = name.rpartition(".")
        if stem.startswith("body."):
            _, block, dense, conv = stem.split(".")
            stem = f"model.1.sub.{block}.{dense.upper()}.{conv}.0"
        renamed[f"{stages.get(stem, stem)}.{kind}"] = tensor
    return renamed


LAYOUTS = {"real": dict, "second": second_layout, "first": first_layout}
WRAPPERS = {
    "none": lambda weights: weights,
    "params": lambda weights: {"params": weights},
    "params_ema": lambda weights: {"params_ema": weights},
    "both": lambda weights: {"params": {k: v + 1 for k, v in weights.items()}, "params_ema": weights},
    "parallel": lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
}


def runs_equal(path, weights: Weights, unshuffle: int, scale: int) -> None:
    image = torch.rand(1, 3, 12, 8, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.25
    output = Chain(f"superres(model={str(path)!r})")(image, precision="fp32")
    expected = enlarge(weights, image, unshuffle).clamp(0, 1)
    assert output.size == (12 * scale, 8 * scale)
    assert expected.std() > 0.02
    assert ((expected > 0) & (expected < 1)).float().mean() > 0.5
    assert torch.allclose(output.tensor, expected, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("doublings", [1, 2, 3])
def test_every_layout_runs_as_written(tmp_path, layout, doublings):
    weights = rrdb_weights(doublings=doublings)
    torch.save(LAYOUTS[layout](weights), tmp_path / "net.pth")
    runs_equal(tmp_path / "net.pth", weights, 1, 2**doublings)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_wrappers_come_off(tmp_path, wrapper):
    weights = rrdb_weights(blocks=1)
    torch.save(WRAPPERS[wrapper](weights), tmp_path / "net.pth")
    runs_equal(tmp_path / "net.pth", weights, 1, 4)


@pytest.mark.parametrize(("channels", "unshuffle", "scale"), [(12, 2, 2), (48, 4, 1)])
def test_unshuffled_networks_run_as_written(tmp_path, channels, unshuffle, scale):
    weights = rrdb_weights(blocks=6, channels=channels)
    torch.save({"params_ema": weights}, tmp_path / "net.pth")
    runs_equal(tmp_path / "net.pth", weights, unshuffle, scale)


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (7, 1)])
def test_unshuffled_networks_take_any_size(tmp_path, size):
    torch.save(rrdb_weights(blocks=1, channels=12), tmp_path / "net.pth")
    out = Chain(f"superres(model={str(tmp_path / 'net.pth')!r})")(torch.rand(1, 3, *size))
    assert out.size == (2 * size[0], 2 * size[1])


def test_the_line_says_what_it_is(tmp_path):
    torch.save(rrdb_weights(blocks=6), tmp_path / "anime.pth")
    model = import_model(tmp_path / "anime.pth", None, current_registry())
    assert model.header.method == "superres"
    assert model.header.summary == "an RRDB network of 6 blocks that enlarges 4 times"
    assert model.header.arguments["networks"][0]["growth"] == 4


def test_names_of_the_published_files():
    """Spot checks of the three layouts at the published depth, 23 blocks."""
    assert set(rename({"model.0.weight": 1, "model.1.sub.22.RDB3.conv5.0.bias": 2, "model.1.sub.23.weight": 3,
                       "model.3.weight": 4, "model.6.weight": 5, "model.8.bias": 6, "model.8.weight": 7,
                       "model.10.weight": 8})) == {
        "conv_first.weight", "body.22.rdb3.conv5.bias", "conv_body.weight", "conv_up1.weight", "conv_up2.weight",
        "conv_hr.bias", "conv_hr.weight", "conv_last.weight",
    }  # fmt: skip
    assert set(rename({"RRDB_trunk.22.RDB3.conv5.bias": 1, "upconv2.weight": 2, "HRconv.bias": 3})) == {
        "body.22.rdb3.conv5.bias", "conv_up2.weight", "conv_hr.bias",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda w: w.pop("conv_hr.bias"), "nearly an RRDB network; missing: conv_hr.bias"),
        (lambda w: w.update(extra=torch.zeros(1)), "unexpected: extra"),
        (lambda w: w.update({"body.1.rdb1.conv1.weight": torch.zeros(4, 9, 3, 3)}), "misshaped"),
        (lambda w: w.update({"conv_first.weight": torch.zeros(8, 5, 3, 3)}), "5 channels"),
        (lambda w: w.update({"conv_last.bias": torch.full((3,), torch.nan)}), "NaN"),
    ],
)
def test_broken_files_are_one_line(tmp_path, spoil, message):
    weights = rrdb_weights()
    spoil(weights)
    torch.save(weights, tmp_path / "net.pth")
    with pytest.raises(ModelError, match=message):
        import_model(tmp_path / "net.pth", None, current_registry())


def test_other_networks_are_left_to_others(tmp_path):
    torch.save({"conv_first.weight": torch.zeros(8, 3, 3, 3)}, tmp_path / "net.pth")
    with pytest.raises(ModelError, match="no network artkit knows"):
        import_model(tmp_path / "net.pth", None, current_registry())
