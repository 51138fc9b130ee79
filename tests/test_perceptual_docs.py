"""The commands and the code of docs/perceptual.md run as written, with random weights in place of the extra's."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from artkit.cli import main
from artkit.plugins import current_registry, use_registry
from perceptual_kit import package

__all__ = ["package"]

PAGE = (Path(__file__).parents[1] / "docs" / "perceptual.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"^```sh\n(.*?)^```", PAGE, re.M | re.S) for line in block.splitlines()]


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command, package, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    installed = current_registry()
    words = shlex.split(command)
    assert words[0] == "artkit"
    assert main(words[1:]) == 0, capsys.readouterr().err
    use_registry(installed)


def test_code_runs(package, tmp_path):
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
    (tmp_path / "block.py").write_text(code)
    made = runpy.run_path(str(tmp_path / "block.py"))
    assert made["output"].grad.abs().sum() > 0


def test_there_are_commands():
    assert len(COMMANDS) == 4
