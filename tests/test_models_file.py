"""Model files: round trips, damage, and fitting weights into networks."""

from __future__ import annotations

import errno
import os
import struct
from pathlib import Path

import msgspec
import numpy as np
import pytest
import safetensors.numpy
import torch
from torch import nn

from artkit.errors import ModelError, OutputError
from artkit.models import load_into, load_model, model_hash, read_header, save_model
from artkit.models.header import encode_header
from artkit.spec import Kind, ModelHeader

HEADER = ModelHeader(method="paint", architecture="net", inputs={"input": Kind.IMAGE}, output=Kind.IMAGE)


def make_net() -> nn.Module:
    """Return a network with running statistics, so with an integer buffer too."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 3, 1))


def test_weights_survive_bit_for_bit(tmp_path: Path) -> None:
    net, path = make_net(), tmp_path / "deep" / "er" / "m.safetensors"
    save_model(path, HEADER, net.state_dict())
    model = load_model(path)
    assert (model.header, model.path) == (HEADER, path)
    assert model.tensors.keys() == net.state_dict().keys()
    assert all(torch.equal(model.tensors[name], tensor) for name, tensor in net.state_dict().items())
    assert model.tensors["1.num_batches_tracked"].dtype == torch.int64


def test_half_is_half_the_size_and_loads_as_float32(tmp_path: Path) -> None:
    weight = torch.randn(64, 64) * 3
    save_model(tmp_path / "whole.safetensors", HEADER, {"weight": weight, "count": torch.tensor(70_000)})
    save_model(tmp_path / "half.safetensors", HEADER, {"weight": weight, "count": torch.tensor(70_000)}, half=True)
    sizes = [(tmp_path / f"{name}.safetensors").stat().st_size for name in ("whole", "half")]
    assert sizes[0] - sizes[1] == pytest.approx(weight.numel() * 2, abs=16)
    loaded = load_model(tmp_path / "half.safetensors").tensors
    assert loaded["weight"].dtype == torch.float32
    assert torch.equal(loaded["weight"], weight.half().float())
    assert loaded["count"].item() == 70_000


def test_bfloat16_loads_as_float32(tmp_path: Path) -> None:
    save_model(tmp_path / "m.safetensors", HEADER, {"weight": torch.full((3,), 0.5, dtype=torch.bfloat16)})
    assert torch.equal(load_model(tmp_path / "m.safetensors").tensors["weight"], torch.full((3,), 0.5))


def test_views_and_tied_weights_are_stored(tmp_path: Path) -> None:
    """Transposed, sliced and shared tensors are whatever they show."""
    base = torch.arange(12.0).reshape(3, 4)
    tensors = {"turned": base.T, "slice": base[:, 1:3], "tied": base, "again": base}
    save_model(tmp_path / "m.safetensors", HEADER, tensors)
    loaded = load_model(tmp_path / "m.safetensors").tensors
    assert all(torch.equal(loaded[name], tensor) for name, tensor in tensors.items())


def test_channels_last_and_gradients_do_not_matter(tmp_path: Path) -> None:
    weight = torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last).requires_grad_()
    save_model(tmp_path / "m.safetensors", HEADER, {"weight": weight})
    loaded = load_model(tmp_path / "m.safetensors").tensors["weight"]
    assert torch.equal(loaded, weight)
    assert not loaded.requires_grad


def test_same_model_same_bytes_same_hash(tmp_path: Path) -> None:
    tensors = make_net().state_dict()
    one, two, three = (tmp_path / f"{name}.safetensors" for name in ("one", "two", "three"))
    save_model(one, HEADER, tensors)
    save_model(two, HEADER, dict(reversed(tensors.items())))
    save_model(three, msgspec.structs.replace(HEADER, name="other"), tensors)
    assert one.read_bytes() == two.read_bytes()
    assert model_hash(one) == model_hash(two) != model_hash(three)
    assert len(model_hash(one)) == 12


def test_hash_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert model_hash(tmp_path / "abc") == "ba7816bf8f01"
    with pytest.raises(ModelError, match="Cannot read"):
        model_hash(tmp_path / "none")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_no_numbers_are_refused_both_ways(tmp_path: Path, value: float) -> None:
    path = tmp_path / "m.safetensors"
    weight = np.ones((2, 2), np.float32)
    weight[1, 0] = value
    with pytest.raises(ModelError, match=r"Cannot save .*'layer\.weight'"):
        save_model(path, HEADER, {"layer.weight": torch.from_numpy(weight)})
    assert not path.exists()
    safetensors.numpy.save_file({"layer.weight": weight}, path, metadata=encode_header(HEADER))
    with pytest.raises(ModelError, match=r"damaged: tensor 'layer\.weight' holds NaN"):
        load_model(path)


def test_weights_too_large_for_half_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="infinite"):
        save_model(tmp_path / "m.safetensors", HEADER, {"weight": torch.tensor([1e6])}, half=True)


def test_truncated_file(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, HEADER, make_net().state_dict())
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ModelError, match="cut short"):
        load_model(path)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [100], "data_offsets": [0, 8]},
        {"dtype": "F99", "shape": [2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]},
    ],
)
def test_tensors_that_lie_about_themselves(tmp_path: Path, entry: dict) -> None:
    text = msgspec.json.encode({"__metadata__": encode_header(HEADER), "weight": entry})
    path = tmp_path / "m.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(ModelError, match="damaged") as caught:
        load_model(path)
    assert "\n" not in str(caught.value)


def test_tensors_damaged_since_the_header_was_read(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, HEADER, make_net().state_dict())
    header = read_header(path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(ModelError, match=r"m\.safetensors is damaged: "):
        load_model(path, header)


def test_failed_write_leaves_the_old_model_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.safetensors"
    save_model(path, HEADER, {"weight": torch.ones(2)})
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="full"):
        save_model(path, HEADER, {"weight": torch.zeros(2)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_unwritable_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="Cannot make the folder"):
        save_model(tmp_path / "file" / "m.safetensors", HEADER, {"weight": torch.ones(2)})
    with pytest.raises(OutputError, match="Cannot write"):
        save_model(tmp_path, HEADER, {"weight": torch.ones(2)})


def test_load_into_copies(tmp_path: Path) -> None:
    net, tensors = make_net(), {name: torch.ones_like(tensor) for name, tensor in make_net().state_dict().items()}
    load_into(net, tensors, "m.safetensors")
    assert all(torch.equal(tensor, torch.ones_like(tensor)) for tensor in net.state_dict().values())


def test_load_into_names_what_does_not_fit() -> None:
    net, tensors = make_net(), make_net().state_dict()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    del tensors["0.bias"]
    tensors["3.weight"] = torch.ones(1)
    tensors["2.weight"] = torch.ones(3, 9, 1, 1)
    with pytest.raises(ModelError) as caught:
        load_into(net, tensors, Path("m.safetensors"))
    differences = "missing: 0.bias; unexpected: 3.weight; misshaped: 2.weight (3, 9, 1, 1) for (3, 8, 1, 1)"
    assert differences in str(caught.value)
    assert "m.safetensors" in str(caught.value)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_load_into_names_three_and_counts_the_rest() -> None:
    with pytest.raises(ModelError, match=r"missing: 0\.weight, 0\.bias, 1\.weight and 6 more") as caught:
        load_into(make_net(), {}, "m.safetensors")
    assert "\n" not in str(caught.value)


def test_saving_leaves_the_weights_alone(tmp_path: Path) -> None:
    weight = torch.randn(5, 5)
    before = weight.clone()
    save_model(tmp_path / "m.safetensors", HEADER, {"weight": weight}, half=True)
    assert torch.equal(weight, before)
    assert read_header(tmp_path / "m.safetensors") == HEADER
