"""The commands of docs/nst.md run as written, on small pictures, and its table of options is complete."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

import artkit
from artkit.cli import main
from artkit.plugins import current_registry, use_registry
from artkit.spec import describe_options
from artkit_nst import NstOptions

PAGE = (Path(__file__).parents[1] / "docs" / "nst.md").read_text(encoding="utf-8")
BLOCKS = [block.splitlines() for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S)]


@pytest.fixture
def world(tmp_path, monkeypatch):
    """A folder with the pictures that the page speaks of."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for index, name in enumerate(("photo.jpg", "monet.jpg", "gogh.jpg", "photos/a.jpg", "photos/b.jpg")):
        noise = torch.rand(3, 40, 48, generator=torch.Generator().manual_seed(index))
        artkit.read_picture(noise).save(tmp_path / name)
    halves = (torch.arange(48) < 24).float().expand(3, 40, 48)
    for name in ("photo_map.png", "monet_map.png", "photo_importance.png"):
        artkit.read_picture(halves).save(tmp_path / name)
    installed = current_registry()
    yield
    use_registry(installed)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block[0])
def test_commands_run_one_after_the_other(block, world, capsys):
    for command in block:
        words = shlex.split(command)
        assert words[0] == "artkit"
        flags = ["--overwrite"] if words[1] == "run" else []  # commands of one block write the same picture
        assert main(words[1:] + flags) == 0, capsys.readouterr().err


def test_there_are_commands():
    assert sum(map(len, BLOCKS)) >= 10


def test_every_option_is_on_the_page():
    told = set(re.findall(r"^\| `(\w+)=", PAGE, re.M))
    assert told | {"style", "weights"} == {row.name for row in describe_options(NstOptions)} | {"seed"}
