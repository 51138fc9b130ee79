"""What the tests of the command line share: the real entry point, in this process or in one of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
from PIL import Image

from artkit.cli import main
from artkit.plugins import discovery

ROOT = Path(__file__).parents[1]
PLUGIN = Path(__file__).parent / "tiny_methods.py"


class Outcome(NamedTuple):
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    def lines(self) -> list[str]:
        return self.out.splitlines()


class Shell:
    """Runs `artkit` in a folder of its own with the tiny plugin and no other."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def __call__(self, *arguments: Any) -> Outcome:
        """Run a command in this process."""
        self.capsys.readouterr()
        code = main(["--plugin", str(PLUGIN), *map(str, arguments)])
        captured = self.capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    def paint(self, name: str, level: int = 200, size: tuple[int, int] = (20, 12)) -> Path:
        """Write a picture of one grey level with a mark in a corner; return its path as the shell sees it."""
        pixels = np.full((size[1], size[0], 3), level, np.uint8)
        pixels[0, 0] = (10, 20, 30)
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(path)
        return path.relative_to(self.folder)

    def files(self) -> set[str]:
        """List every file below the folder, hidden ones too."""
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file()}


def open_shell(tmp_path, monkeypatch, capsys):
    """Return a Shell in an empty folder; test modules make it a fixture: `shell = pytest.fixture(open_shell)`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(discovery, "_current", None)  # `main` replaces the process's registry: put it back afterwards
    monkeypatch.setenv("ARTKIT_PLUGINS", "")
    return Shell(tmp_path, capsys)


def pixels_of(path: Path | str) -> np.ndarray:
    """Read a written picture back as uint8."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def command(*arguments: Any) -> list[str]:
    """Return the command line of a process of its own."""
    return [sys.executable, "-m", "artkit", "--plugin", str(PLUGIN), *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    """Return the environment for such a process: this tree first, no installed plugin."""
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    own = {"PYTHONPATH": paths, "ARTKIT_PLUGINS": "", "PYTHONDONTWRITEBYTECODE": "1"}
    if os.environ.get("MUTANT_UNDER_TEST") == "stats":  # `make mutants` counts calls, which it can in its own process
        own["MUTANT_UNDER_TEST"] = ""
    return os.environ | own | extra


def forget_module(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Let a test import a module of this name, and the next one another; others that it imports first stay."""
    monkeypatch.setitem(sys.modules, name, ModuleType(name))  # what it puts there is taken away again
    del sys.modules[name]


def heed_interrupts() -> None:
    """Undo what shells do to commands in the background, which are started deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_process(*arguments: Any, cwd: Path, **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run `python -m artkit` to its end."""
    return subprocess.run(command(*arguments), cwd=cwd, env=environment(), capture_output=True, check=False, **options)
