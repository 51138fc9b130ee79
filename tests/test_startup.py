"""Commands that compute nothing import nothing that computes, so that they answer at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SLOW = ("importlib.metadata", "email", "logging", "json", "difflib")  # each a tenth of a start, or more
COMPUTE = ("torch", "skimage", "scipy", "rich")
ARRAYS = ("numpy", "PIL")

# Ends the process where a heavy import starts, with the stack that leads there; no `except ImportError` can hide it.
GUARD = """
import os, sys, traceback

class Guard:
    def find_spec(self, name, path=None, target=None):
        if name in {heavy}:
            traceback.print_stack()
            sys.stderr.flush()
            os._exit(99)

sys.meta_path.insert(0, Guard())
"""

MAIN = """
from artkit.cli import main
sys.argv = ["artkit", *{arguments}]
main()
"""

landed = pytest.mark.skipif(not (ROOT / "artkit" / "cli" / "__init__.py").is_file(), reason="no command line yet")


def run_guarded(code: str, heavy: tuple[str, ...], cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter in which the `heavy` imports end the process."""
    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": paths, "ARTKIT_STRICT": "1"}
    command = [sys.executable, "-c", GUARD.format(heavy=heavy) + code]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=60, check=False)


@landed
@pytest.mark.parametrize(
    "code",
    ["import artkit", "import artkit.spec, artkit.errors, artkit.hookspecs, artkit.plugins", "import artkit.chain"],
)
def test_import_is_light(code):
    result = run_guarded(code, COMPUTE + ARRAYS)
    assert result.returncode == 0, result.stderr


@landed
@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        ([], COMPUTE + ARRAYS + SLOW),
        (["--help"], COMPUTE + ARRAYS + SLOW),
        (["run", "--help"], COMPUTE + ARRAYS + SLOW),
        (["methods"], COMPUTE + ARRAYS + SLOW),
        (["plugins"], COMPUTE + ARRAYS),
        (["models"], COMPUTE),
        (["run", "examples/semantic.png", "--chain", "semgan,pix2pix,touchup", "--dry-run"], COMPUTE),
    ],
    ids=lambda value: None if isinstance(value, tuple) else " ".join(value[:2]) or "artkit",
)
def test_command_is_light(arguments, heavy):
    result = run_guarded(MAIN.format(arguments=arguments), heavy)
    assert result.returncode == 0, result.stderr


def test_guard_names_the_import():
    result = run_guarded("import torch", COMPUTE)
    assert result.returncode == 99
    assert 'File "<string>"' in result.stderr


def test_the_short_helps_that_are_shown_are_those_of_the_commands():
    from artkit.cli import COMMANDS, make_cli
    from artkit.cli.group import LateCommand
    from artkit.plugins import Registry

    cli = make_cli(Registry())
    assert all(isinstance(command, LateCommand) for command in cli.commands.values())
    for name, (_, short_help) in COMMANDS.items():
        command = cli.get_command(None, name)
        assert not isinstance(command, LateCommand)
        assert command.name == name
        assert command.get_short_help_str(200) == short_help


def test_help_imports_no_command():
    listed = (
        "import sys; print(sorted(name for name in sys.modules if name.startswith('artkit.cli.')), file=sys.stderr)"
    )
    result = run_guarded(MAIN.format(arguments=["--help"]) + listed, COMPUTE)
    assert "Train a method on data." in result.stdout
    assert result.stderr.strip() == "['artkit.cli.group', 'artkit.cli.output']"


def test_a_late_command_takes_verbose_behind_it_as_well():
    from artkit.cli import make_cli
    from artkit.plugins import Registry

    command = make_cli(Registry()).get_command(None, "doctor")
    assert any("--verbose" in parameter.opts for parameter in command.params)


@pytest.mark.parametrize(("there", "set_by_hand", "asked"), [(True, None, "1"), (True, "0", "0"), (False, None, None)])
def test_torch_asks_for_large_pages_where_there_are_any(tmp_path, monkeypatch, capsys, there, set_by_hand, asked):
    from artkit import cli

    monkeypatch.setenv("THP_MEM_ALLOC_ENABLE", set_by_hand or "")  # so that it is put back
    if set_by_hand is None:
        monkeypatch.delenv("THP_MEM_ALLOC_ENABLE")
    monkeypatch.setattr(cli, "HUGE_PAGES", str(tmp_path if there else tmp_path / "none"))
    assert cli.main(["--version"]) == 0
    assert os.environ.get("THP_MEM_ALLOC_ENABLE") == asked
