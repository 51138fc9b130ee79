"""`artkit run --engine ray` on a real cluster of two nodes, of which workers are killed."""

from __future__ import annotations

import json
import logging
import os
import shlex
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest

from artkit.engine import on_ray
from bucket_kit import s3_bucket
from cli_kit import ROOT, open_shell
from clip_kit import make_clip
from plugin_kit import write_plugin

NEEDS_RAY = "--engine ray is tested where Ray is: pip install '.[ray]'"
# Ray leaves sockets and log files to the end of the process, and warns of what it will do in later versions.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")]
shell = pytest.fixture(open_shell)
s3 = pytest.fixture(scope="module")(s3_bucket)
PLUGIN = '''
import os, signal, time
from pathlib import Path
from types import SimpleNamespace
from artkit import Kind, MethodSpec, Port, Translator, hookimpl

class Deadly(Translator):
    """Inverts a picture and notes it; kills its process over a black one once, and over a white one always.

    Before it does, it waits until what was made before in its lot is written.
    """

    spec = MethodSpec(
        name="deadly", summary="For tests.", inputs=(Port("image", Kind.IMAGE, "the picture"),), output=Kind.IMAGE,
        translator="deadly_plugin:Deadly", needs_model=False,
    )

    def translate(self, context, *, image):
        level = round(float(image[0, 0, -1, -1]) * 255)
        with open("made.log", "a") as log:
            log.write(f"{level} {os.getpid()}\\n")
        if level == 0 and not Path("killed").exists():
            while not all(Path(f"out/0{index}.png").exists() for index in (0, 1)):
                time.sleep(0.01)
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)
        if level == 255:
            os.kill(os.getpid(), signal.SIGKILL)
        return 1 - image

@hookimpl
def register_methods():
    return [Deadly.spec]
'''

KEYS = """
import os
from artkit import hookimpl

os.environ.update({variables})

@hookimpl
def register_methods():
    return []
"""


@pytest.fixture(scope="module")
def cluster():
    """Two nodes of one core on this machine, which this process joins."""
    ray = pytest.importorskip("ray", reason=NEEDS_RAY)
    from ray.cluster_utils import Cluster

    paths = os.pathsep.join([str(ROOT), str(ROOT / "plugins"), os.environ.get("PYTHONPATH", "")])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", paths)
        patch.setenv("ARTKIT_PLUGINS", "")
        node = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}
        nodes = Cluster(initialize_head=True, head_node_args=node)
        nodes.add_node(num_cpus=1, object_store_memory=80 * 2**20)
        ray.init(address=nodes.address, log_to_driver=False, logging_level="ERROR")
        yield nodes
        ray.shutdown()
        nodes.shutdown()


def contents(folder: str) -> dict[str, bytes]:
    """Return every file below a folder, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()}


RAY = ("--engine", "ray", "--device", "cpu", "--precision", "fp32")


def test_workers_are_killed_and_nothing_is_lost_or_made_twice(shell, cluster, monkeypatch):
    plugin = write_plugin(shell.folder / "deadly_plugin.py", PLUGIN, monkeypatch)
    levels = [40, 50, 0, *range(60, 180, 10), 255]  # the third of the first lot kills once, the last always
    for index, level in enumerate(levels):
        shell.paint(f"in/{index:02}.png", level)
    run = ("run", "in", "--plugin", plugin, "--chain", "deadly", "-o")
    outcome = shell(*run, "out", *RAY, "--json")
    told = json.loads(outcome.out)
    assert outcome.code == 1
    assert "artkit: in/15.png: 3 workers died over it. Is memory short?\n" in outcome.err
    assert outcome.err.count("artkit: a worker died; another takes its place.\n") >= 4  # Ray may lose one by itself
    assert [failure["input"] for failure in told["failures"]] == ["in/15.png"]
    assert sorted(one["output"] for one in told["results"]) == [f"out/{index:02}.png" for index in range(15)]
    assert (told["device"], told["precision"]) == ("cpu", "fp32")

    lines = [line.split() for line in Path("made.log").read_text().splitlines()]
    assert Counter(int(level) for level, _ in lines) == {**dict.fromkeys(levels, 1), 0: 2, 255: 3}

    Path("in/15.png").unlink()
    assert shell(*run, "whole", *RAY[2:]).code == 0
    assert contents("out") == contents("whole")


def test_a_run_goes_on_and_refuses_what_differs(shell, cluster):
    for index in range(6):
        shell.paint(f"in/sub{index % 2}/{index}.png", 40 * index)
    run = ("run", f"file://{shell.folder}/in", "--chain", "dream", "-n", "2", "-o", f"file://{shell.folder}/out/", *RAY)
    made = shell(*run)
    assert (made.code, len(made.lines())) == (0, 12), made.err
    before = contents("out")
    assert shell("run", "in", "--chain", "dream", "-n", "2", "-o", "whole", *RAY[2:]).code == 0
    assert contents("whole") == before
    refused = shell(*run)
    assert (refused.code, refused.out) == (1, "")
    assert "out/sub0/0-0.png (and 11 more) exists already. Add --overwrite" in refused.err
    Path("out/sub0/2-1.png").unlink()
    Path("out/sub1/3-0.png").write_bytes(before["sub1/1-0.png"])
    again = shell(*run, "--skip-existing")
    assert again.code == 1
    assert again.lines() == [f"{shell.folder}/out/sub0/2-1.png"]
    assert "artkit: 10 of 12 are there already.\n" in again.err
    assert "out/sub1/3-0.png exists already and was made from another input. Add --overwrite" in again.err
    assert contents("out") == before | {"sub1/3-0.png": before["sub1/1-0.png"]}


def test_a_single_picture_that_fails_raises_its_error(shell, cluster):
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fail", "-o", "b.png", *RAY)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.count("\n") == 1
    assert "out of paint" in outcome.err


def test_buckets_in_and_out(shell, cluster, s3):
    """Workers have the credentials of their machine, which artkit does not send: here a plugin has them."""
    for index in range(5):
        (s3 / f"in/sub/{index}.png").write(shell.paint(f"in/sub/{index}.png", 40 * index).read_bytes())
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    plugin = shell.folder / "keys_plugin.py"
    plugin.write_text(KEYS.format(variables=variables))
    outcome = shell("run", f"{s3}/in", "--plugin", plugin, "--chain", "fade", "-o", f"{s3}/out", *RAY)
    assert (outcome.code, outcome.err) == (0, "")
    assert sorted(outcome.lines()) == [f"{s3}/out/sub/{index}.png" for index in range(5)]
    assert shell("run", "in", "--chain", "fade", "-o", "whole", *RAY[2:]).code == 0
    for name, content in contents("whole").items():
        assert (s3 / "out" / name).read() == content
        assert b"hunter2" not in content
    refused = shell("run", f"{s3}/in", "--chain", "fade", "-o", f"{s3}/out", *RAY)
    assert f"{s3}/out/sub/0.png (and 4 more) exists already" in refused.err


def test_other_models_on_a_node_end_the_run(shell, cluster, monkeypatch):
    shell.paint("a.png")
    monkeypatch.setattr("artkit.cli.skipping.hash_models", lambda plan: {"fade/default": "0" * 12})
    outcome = shell("run", "a.png", "--chain", "fade", "-o", "out/", *RAY)
    assert outcome.code == 1
    assert outcome.err.startswith("artkit: a node has other models than who started this run")


def test_no_worker_can_start(shell, cluster, monkeypatch):
    class Unborn(on_ray.Worker):
        def __init__(self, *given):
            raise RuntimeError("no artkit here")

    shell.paint("a.png")
    monkeypatch.setattr(on_ray, "Worker", Unborn)
    monkeypatch.setattr(on_ray, "LIVES", 1)
    outcome = shell("run", "a.png", "--chain", "fade", "-o", "out/", *RAY)
    assert outcome.code == 2
    told = "no worker can start. Has each node this artkit? The last one said: RuntimeError: no artkit here."
    assert outcome.err == f"artkit: {told}\n"


def test_ray_begins_silently_and_once(monkeypatch):
    begun, worker = [], SimpleNamespace()
    for known in (False, True):
        ray = SimpleNamespace(is_initialized=lambda known=known: known, init=lambda **how: begun.append(how))
        monkeypatch.setitem(sys.modules, "ray", ray)
        monkeypatch.setitem(sys.modules, "ray._private", SimpleNamespace(worker=worker))
        on_ray.connect()
    assert begun == [{"log_to_driver": False, "logging_level": logging.ERROR}]
    assert worker._worker_logs_enabled is False


def test_without_ray_one_line_says_what_to_install(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fade", "-o", "out/", *RAY)
    assert outcome.code == 2
    assert outcome.err == ("artkit: --engine ray needs a package that is not here: pip install 'artkit-images[ray]'\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--strip", "s.png"), "--strip is for one process: leave it out with --engine ray."),
        (("--keep-steps", "steps"), "--keep-steps is for one process"),
        (("--show",), "--show is for one process"),
        (("-o", "-"), "-o - is for one process"),
        (("-o", "memory://a/b"), "memory:// is seen by one process alone"),
        (("-o", "gs://a/b"), "artkit knows no gs:// addresses of pictures"),
        (("-o", "s3://me:hunter2@a/b"), "an @ in its bucket"),
    ],
)
def test_what_one_process_does_is_refused(shell, words, told):
    shell.paint("a.png")
    outcome = shell("run", "a.png", "--chain", "fade", *RAY, *words)
    assert outcome.code == 2
    assert told in outcome.err
    assert "hunter2" not in outcome.err


def test_clips_are_refused(shell):
    make_clip(Path("clip.gif"), 2)
    outcome = shell("run", "clip.gif", "--chain", "fade", "-o", "b.gif", *RAY)
    assert "--engine ray shares out pictures, and a clip is made in one piece" in outcome.err


@pytest.mark.parametrize(
    "words", [("s3://a/b.png",), ("a.png", "-o", "s3://a/"), ("a.png", "-i", "style=s3://a/b.png")]
)
def test_one_process_reads_and_writes_no_buckets(shell, words):
    shell.paint("a.png")
    outcome = shell("run", *words, "--chain", "fade")
    assert outcome.code == 2
    assert "is in a bucket: give inputs and -o there with --engine ray" in outcome.err


def test_the_plan_is_printed_without_a_cluster(shell, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    shell.paint("in/a.png")
    assert shell("run", "in", "--chain", "fade", "-o", "out", *RAY, "--dry-run").lines()[-1] == "in/a.png -> out/a.png"


def test_the_line_in_the_docs(shell, monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "filters")
    page = (ROOT / "docs" / "clusters.md").read_text(encoding="utf-8")
    (line,) = (line for line in page.splitlines() if line.startswith("artkit run photos/") and "--engine ray" in line)
    shell.paint("photos/a.png")
    assert shell(*shlex.split(line)[1:], "--dry-run").lines()[-1] == "photos/a.png -> soft/a.png"
