"""The scripts of examples/clusters/ share out a folder over processes, of which two are killed and started again."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from artkit.cli.sharding import Shard
from cli_kit import ROOT, environment, open_shell

shell = pytest.fixture(open_shell)
SCRIPTS = ROOT / "examples" / "clusters"
SHARDS = [Shard(index, 4) for index in range(1, 5)]
PLUGIN = '''
import time
from pathlib import Path
from artkit import Kind, MethodSpec, Port, Translator, hookimpl

class Gate(Translator):
    """Inverts a picture; a dark one has to wait until there is no file called `gate`."""

    spec = MethodSpec(
        name="gate", summary="For tests.", inputs=(Port("image", Kind.IMAGE, "the picture"),), output=Kind.IMAGE,
        translator="gate_plugin:Gate", needs_model=False,
    )

    def translate(self, context, *, image):
        if float(image.mean()) < 0.1 and Path("gate").exists():
            print("waiting", flush=True)
            while Path("gate").exists():
                time.sleep(0.02)
        return 1 - image

@hookimpl
def register_methods():
    return [Gate.spec]
'''


@pytest.fixture
def folder(shell):
    """A folder of 24 pictures, the last of every shard dark, beside an `artkit` that knows the plugin."""
    names = [f"sub{index % 2}/{index:02}.png" for index in range(24)]
    for shard in SHARDS:
        *light, dark = sorted(name for name in names if shard.holds(Path(name)))
        assert len(light) > 1
        for name in light:
            shell.paint(f"in/{name}", 100 + 5 * int(Path(name).stem))
        shell.paint(f"in/{dark}", 0)
    (shell.folder / "gate_plugin.py").write_text(PLUGIN)
    tool = shell.folder / "bin" / "artkit"
    tool.parent.mkdir()
    words = [sys.executable, "-m", "artkit", "--plugin", str(shell.folder / "gate_plugin.py")]
    tool.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    tool.chmod(0o755)
    return shell.folder


def start(folder: Path, *words: str, **variables: str) -> subprocess.Popen[str]:
    """Start a script as a cluster would, in a group of processes of its own."""
    path = os.pathsep.join([str(folder / "bin"), os.environ["PATH"]])
    return subprocess.Popen(
        words,
        cwd=folder,
        env=environment(**{"PATH": path, "OMP_NUM_THREADS": "1"} | variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def slurm_task(folder: Path, index: int) -> subprocess.Popen[str]:
    words = ("bash", str(SCRIPTS / "slurm.sh"), "in", "out", "gate")
    return start(folder, *words, SLURM_ARRAY_TASK_ID=str(index), SLURM_ARRAY_TASK_COUNT="4", SLURM_CPUS_PER_TASK="1")


def pod(folder: Path, index: int) -> subprocess.Popen[str]:
    """Start what the container of a pod runs; completions count from 0."""
    job = yaml.safe_load((SCRIPTS / "kubernetes.yaml").read_text())["spec"]
    (container,) = job["template"]["spec"]["containers"]
    given = {one["name"]: one["value"] for one in container["env"]}
    assert int(given["SHARDS"]) == job["completions"]
    assert job["completionMode"] == "Indexed"
    given |= {"IN": "in", "OUT": "out", "CHAIN": "gate", "SHARDS": "4", "JOB_COMPLETION_INDEX": str(index - 1)}
    return start(folder, *container["command"], *container["args"], **given)


def finish(process: subprocess.Popen[str]) -> list[str]:
    """Wait for a process, which must be content, and return what it says to have made."""
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return [line for line in out.splitlines() if line != "waiting"]


def wait_for_the_dark(task: subprocess.Popen[str], folder: Path, shard: Shard) -> None:
    """Wait until a task is at the last picture of its shard, and has written another."""
    assert task.stdout is not None
    assert "waiting\n" in iter(task.stdout.readline, "")
    while not any(shard.holds(Path(path).relative_to("out")) for path in stamps(folder)):
        time.sleep(0.02)


def stamps(folder: Path) -> dict[str, int]:
    """Return when each picture was made."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.glob("out/*/[0-9]*.png")}


def test_four_processes_of_which_two_are_killed(shell, folder):
    (folder / "gate").touch()
    tasks = {shard: slurm_task(folder, shard.index) for shard in SHARDS}
    for shard, task in tasks.items():
        wait_for_the_dark(task, folder, shard)
    for shard in SHARDS[1:3]:
        os.killpg(tasks[shard].pid, signal.SIGKILL)
        tasks[shard].communicate(timeout=60)
        assert tasks[shard].returncode == -signal.SIGKILL
    (folder / "gate").unlink()
    for shard in (SHARDS[0], SHARDS[3]):
        finish(tasks[shard])
    before = stamps(folder)
    made = finish(slurm_task(folder, 2)) + finish(pod(folder, 3))  # any machine goes on with any other's shard
    after = stamps(folder)
    assert {path: after[path] for path in before} == before  # what was there was not made again
    assert sorted(made) == sorted(after.keys() - before.keys())
    assert len(made) >= 2

    assert shell("run", "in", "--plugin", "gate_plugin.py", "--chain", "gate", "-o", "whole").code == 0
    whole = {str(path.relative_to(folder / "whole")): path.read_bytes() for path in folder.glob("whole/*/*.png")}
    assert {str(path.relative_to(folder / "out")): path.read_bytes() for path in folder.glob("out/*/[!.]*")} == whole
    assert len(whole) == 24

    gone = [folder / "out" / name for name in ("sub0/04.png", "sub1/11.png")]
    for path in gone:
        path.unlink()
    words = ("sh", str(SCRIPTS / "xargs.sh"), "in", "out", "gate")  # with another number of shards
    assert sorted(finish(start(folder, *words, SHARDS="2"))) == [str(path.relative_to(folder)) for path in gone]
    assert [path.read_bytes() for path in gone] == [whole["sub0/04.png"], whole["sub1/11.png"]]
