"""The command line as a process: pipes, Ctrl-C, closed readers, and `python -m artkit`."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from artkit.images import read_provenance
from cli_kit import command, environment, heed_interrupts, open_shell, pixels_of, run_process

shell = pytest.fixture(open_shell)


def test_pipe_in_and_out(shell):
    data = (shell.folder / shell.paint("a.png", 200)).read_bytes()
    finished = run_process("run", "-", "--chain", "invert", "-o", "-", cwd=shell.folder, input=data)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr == b""
    assert np.asarray(Image.open(io.BytesIO(finished.stdout)))[5, 5].tolist() == [55, 55, 55]
    assert shell.files() == {"a.png"}


def test_stdin_has_a_name(shell, monkeypatch):
    data = (shell.folder / shell.paint("a.png", 200)).read_bytes()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert shell("run", "-", "--chain", "invert").lines() == ["stdin.invert.png"]
    assert pixels_of("stdin.invert.png")[5, 5, 0] == 55


def interrupt(shell, *arguments) -> tuple[int, str, str]:
    """Run a command, press Ctrl-C when it says that it stalls, and return its exit code, stdout and stderr."""
    code, out, errors = interrupt_bytes(shell, *arguments)
    return code, out.decode(), errors


def interrupt_bytes(shell, *arguments) -> tuple[int, bytes, str]:
    """Do as `interrupt` does for a command that writes a picture to stdout."""
    process = subprocess.Popen(
        command(*arguments),
        cwd=shell.folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=heed_interrupts,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"stalling\n"
    os.kill(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=60)
    return process.returncode, out, errors.decode()


def test_ctrl_c_leaves_nothing_half_written(shell):
    shell.paint("in/a.png")
    shell.paint("in/b.png")
    code, _, errors = interrupt(shell, "run", "in", "--chain", "invert,stall", "-o", "out", "--keep-steps", "steps")
    assert code == 130
    assert errors.split() == ["artkit:", "stopped."]
    assert shell.files() == {"in/a.png", "in/b.png"}


IMPATIENT = """
import sys

class CtrlC:
    def find_spec(name, path=None, target=None):
        if name == "click":
            raise KeyboardInterrupt

sys.meta_path.insert(0, CtrlC)
from artkit.cli import main
sys.exit(main(["methods"]))
"""


def test_ctrl_c_while_starting(shell):
    finished = subprocess.run(
        [sys.executable, "-c", IMPATIENT], cwd=shell.folder, env=environment(), capture_output=True, check=False
    )
    assert finished.returncode == 130
    assert finished.stderr == b"artkit: stopped.\n"
    assert finished.stdout == b""


def test_ctrl_c_keeps_what_a_step_has_to_show(shell):
    """The step ends with its sketch, the steps after it run, and the pictures that were not begun are not."""
    for name, level in (("a", 20), ("b", 200), ("c", 20)):
        shell.paint(f"in/{name}.png", level)
    code, out, errors = interrupt(shell, "run", "in", "--chain", "sketch,invert", "-o", "out")
    assert code == 130
    assert out.split() == ["out/a.png", "out/b.png"]
    assert errors == "artkit: stopped at 50%: out/b.png is what there was by then.\n"
    assert [pixels_of(f"out/{name}.png")[5, 5, 0] for name in "ab"] == [255, 155]
    assert read_provenance(Path("out/b.png"))["stopped_at"] == 0.5


def test_a_stopped_picture_on_stdout_says_so_too(shell):
    code, out, _ = interrupt_bytes(shell, "run", shell.paint("b.png", 200), "--chain", "sketch", "-o", "-")
    assert code == 130
    assert read_provenance(io.BytesIO(out))["stopped_at"] == 0.5


def test_a_killed_run_goes_on_where_it_was(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_HOME", str(shell.folder / "home"))
    run = ("run", shell.paint("a.png", 200), "--chain", "mortal", "-o")
    killed = run_process(*run, "b.png", cwd=shell.folder, text=True)
    assert killed.returncode == -signal.SIGKILL
    assert killed.stdout.split("\n")[:-1] == ["round 0", "round 1"]
    other = run_process(*run, "c.png", "--seed", "1", cwd=shell.folder, text=True)
    assert "round 0" in other.stdout  # another seed is another run
    again = run_process(*run, "b.png", cwd=shell.folder, text=True)
    assert "round 0" not in again.stdout
    assert "round 3" in again.stdout
    assert np.array_equal(pixels_of("b.png"), pixels_of("c.png"))
    assert not [name for name in shell.files() if name.startswith("home/")]


def test_a_killed_folder_run_goes_on_with_what_is_missing(shell):
    for index, level in enumerate((200, 150, 100, 0, 250, 50)):
        shell.paint(f"in/{index}.png", level)
    run = ("run", "in", "--chain", "lethal,fade", "--seed", "3", "--skip-existing", "-o")
    killed = run_process(*run, "out", cwd=shell.folder, text=True)
    assert killed.returncode == -signal.SIGKILL
    before = {path: path.stat().st_mtime_ns for path in Path("out").glob("[0-9].png")}
    assert 0 < len(before) < 6
    again = run_process(*run, "out", cwd=shell.folder, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{len(before)} of 6 are there already" in again.stderr
    assert len(again.stdout.split()) == 6 - len(before)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert run_process(*run, "whole", cwd=shell.folder).returncode == 0
    for index in range(6):
        assert Path(f"out/{index}.png").read_bytes() == Path(f"whole/{index}.png").read_bytes()


def test_reader_that_goes_away(shell):
    read, write = os.pipe()
    os.close(read)
    light = [sys.executable, "-m", "artkit", "methods"]
    finished = subprocess.run(
        light, cwd=shell.folder, env=environment(), stdout=write, stderr=subprocess.PIPE, check=False
    )
    os.close(write)
    assert finished.stderr == b""
    assert finished.returncode == 1


def test_bug_keeps_its_traceback_and_says_where_to_report(shell):
    outcome = shell("crash")
    assert outcome.code == 1
    assert 'raise RuntimeError("a bug")' in outcome.err
    assert "Please report it" in outcome.err.splitlines()[-1]
