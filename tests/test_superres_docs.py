"""The commands of docs/superres.md run as written."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
import torch

import artkit
from artkit.cli import main
from artkit.plugins import current_registry, use_registry
from test_superres_import import rrdb_weights

PAGE = (Path(__file__).parents[1] / "docs" / "superres.md").read_text(encoding="utf-8")
COMMANDS = [
    line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) for line in block.splitlines()
]


@pytest.fixture(autouse=True)
def world(tmp_path, monkeypatch):
    """A folder with a photo, a dataset of one photo, and weights under a published name."""
    monkeypatch.chdir(tmp_path)
    photo = torch.rand(3, 32, 40, generator=torch.Generator().manual_seed(0))
    artkit.read_picture(photo).save(tmp_path / "photo.jpg")
    (tmp_path / "data" / "val" / "photo").mkdir(parents=True)
    artkit.read_picture(photo).save(tmp_path / "data" / "val" / "photo" / "1.png")
    torch.save({"params_ema": rrdb_weights(blocks=1)}, tmp_path / "RealESRGAN_x4plus.pth")
    installed = current_registry()
    yield
    use_registry(installed)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command, capsys):
    words = shlex.split(command, comments=True)
    if "resize(" in command and "resize" not in current_registry().methods:
        pytest.skip("the filters are not installed")
    assert words[0] == "artkit"
    assert main(words[1:]) == 0, capsys.readouterr().err


def test_there_are_commands():
    assert len(COMMANDS) >= 8
