"""How much memory a step may take: what the user says, else what is free."""

from __future__ import annotations

import os

import pytest
import torch

from artkit import Chain, ImageError, Kind, ModelHeader, UsageError
from artkit.engine import memory
from artkit.engine.memory import free_memory, memory_limit, parse_bytes
from artkit.models import save_model
from artkit.nn import ResnetArguments, UnetArguments

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("text", "size"),
    [("4GB", 4e9), ("800 MB", 8e8), ("1.5GiB", 1.5 * 2**30), ("512m", 5.12e8), ("100", 100), ("2kib", 2048)],
)
def test_sizes_are_read(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["four", "4 frogs", "-1GB", "0", "GB", "1e9"])
def test_what_is_no_size_is_one_line(text, monkeypatch):
    monkeypatch.setenv("ARTKIT_MEMORY", text)
    with pytest.raises(UsageError, match=f"ARTKIT_MEMORY={text} is no size: write 4GB or 800MB"):
        memory_limit(CPU)


def test_the_user_decides_else_what_is_free(monkeypatch):
    monkeypatch.delenv("ARTKIT_MEMORY", raising=False)
    assert 2**20 < memory_limit(CPU) < 2**50
    monkeypatch.setenv("ARTKIT_MEMORY", "3GB")
    assert memory_limit(CPU) == 3e9


def test_containers_leave_what_their_limit_leaves(tmp_path, monkeypatch):
    for name, text in (("memory.max", "1000"), ("memory.current", "700"), ("memory.stat", "anon 5\ninactive_file 150")):
        (tmp_path / name).write_text(text + "\n")
    assert memory._group_memory(tmp_path) == 450
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._group_memory(tmp_path) == float("inf")
    monkeypatch.setattr(memory, "_group_memory", lambda: 450)
    assert free_memory(CPU) == 450


def save_generator(name, path):
    torch.manual_seed(0)
    sizes = {"in_channels": 3, "out_channels": 3, "width": 4}
    arguments = {"resnet_1": ResnetArguments(blocks=1, **sizes), "unet_8": UnetArguments(levels=3, **sizes)}[name]
    tensors = {f"generator.{key}": value for key, value in arguments.build().state_dict().items()}
    header = ModelHeader(
        method="pix2pix",
        architecture=name,
        arguments={"generator": arguments.record()},
        inputs={"image": Kind.IMAGE},
        output=Kind.IMAGE,
        size_multiple=8,
    )
    save_model(path, header, tensors)


def test_a_chain_in_little_memory_makes_the_same_picture(tmp_path, monkeypatch):
    save_generator("resnet_1", tmp_path / "model.safetensors")
    chain, picture = Chain(f"pix2pix(model='{tmp_path}/model.safetensors')"), torch.rand(3, 200, 160)
    whole = chain(picture, precision="fp32")
    monkeypatch.setenv("ARTKIT_MEMORY", "2MB")
    assert torch.allclose(chain(picture, precision="fp32").tensor, whole.tensor, atol=1e-5)


def test_a_network_that_cannot_be_cut_says_which_size_would_do(tmp_path, monkeypatch):
    save_generator("unet_8", tmp_path / "model.safetensors")
    chain, picture = Chain(f"pix2pix(model='{tmp_path}/model.safetensors')"), torch.rand(3, 200, 160)
    monkeypatch.setenv("ARTKIT_MEMORY", "500KB")
    with pytest.raises(ImageError, match=r"whole picture at once.*--size (\d+)x(\d+)") as caught:
        chain(picture, precision="fp32")
    width, height = map(int, str(caught.value).split("--size ")[1].split(",")[0].split("x"))
    assert chain(picture, size=(width, height), precision="fp32").size == (height, width)


def test_what_torch_holds_without_using_it_is_free(monkeypatch):
    for name, held in (("memory_reserved", 70), ("memory_allocated", 30)):
        monkeypatch.setattr(torch.cuda, name, lambda device, held=held: held)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (500, 9999))
    assert free_memory(torch.device("cuda")) == 540
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 900)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 250)
    assert free_memory(torch.device("mps")) == 650


def test_a_system_that_does_not_tell_what_is_free_has_half_of_its_memory(monkeypatch):
    monkeypatch.setattr(memory, "_numbers", lambda file: {"MemAvailable": 5})
    assert memory._system_memory() == 5120
    monkeypatch.setattr(memory, "_numbers", lambda file: {})
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 10, "SC_PHYS_PAGES": 7}.__getitem__)
    assert memory._system_memory() == 35
    monkeypatch.delattr(os, "sysconf")
    assert memory._system_memory() == memory.UNKNOWN == 4_000_000_000
