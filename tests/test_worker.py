"""A worker of a cluster, in this process: what it makes, what it finds made, and what it refuses to start with."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from artkit import __version__
from artkit.buckets import BucketPath, stamps_of
from artkit.engine import Job
from artkit.engine.on_ray import CORES, Slot, find_slots
from artkit.engine.worker import Setup, Worker
from artkit.errors import ModelError, OutputError, UsageError
from bucket_kit import memory_bucket
from cli_kit import PLUGIN, open_shell

shell = pytest.fixture(open_shell)
bucket = pytest.fixture(memory_bucket)
NAMES = [Path(f"{index}.png") for index in range(3)]


@pytest.fixture
def setup(shell, monkeypatch):
    """What a worker is told of a run of `fade` in the folder of the shell, which has three pictures."""
    for index, name in enumerate(NAMES):
        shell.paint(f"in/{name}", 60 * index)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    nothing = {"ports": {}, "models": {}, "size": None, "variables": {}, "overwrite": False, "skip_existing": False}
    return Setup("fade", True, plugins=(PLUGIN,), device="cpu", precision="fp32", folder=shell.folder, **nothing)


def jobs_in(folder: Path | BucketPath, source: Path | BucketPath) -> list[Job]:
    return [Job(source / name, folder / name, 0, name) for name in NAMES]


def make(setup: Setup, jobs: list[Job], stamps=None, *, again: bool = False) -> list:
    worker = Worker(setup, neighbours=1)
    worker.start()
    stamps = stamps or {}
    return worker.make(jobs, [stamps.get(job.target) for job in jobs], [again] * len(jobs))


@pytest.fixture
def made_here(shell, setup):
    """The bytes that one process makes, by name."""
    assert shell("run", "in", "--chain", "fade", "-o", "whole", "--device", "cpu", "--precision", "fp32").code == 0
    return {name: Path("whole", name).read_bytes() for name in NAMES}


def test_it_makes_what_one_process_makes(setup, made_here):
    Path("out").mkdir()
    results = make(setup, jobs_in(Path("out"), Path("in")))
    assert {name: Path("out", name).read_bytes() for name in NAMES} == made_here
    assert [(result.picture.size, result.kept, result.error) for result in results] == [((12, 20), False, None)] * 3
    assert all(step.picture.tensor.is_meta for result in results for step in result.steps)


def test_from_a_bucket_to_a_bucket(setup, made_here, bucket):
    for name in NAMES:
        (bucket / "in" / name).write(Path("in", name).read_bytes())
    results = make(setup, jobs_in(bucket / "out", bucket / "in"))
    assert [result.error for result in results] == [None] * 3
    assert {name: (bucket / "out" / name).read() for name in NAMES} == made_here


def test_what_was_made_by_a_worker_that_died_stays(setup, made_here):
    """The first result lies there since the run was planned; of the others, one is new and one lay there before."""
    Path("out").mkdir()
    jobs = jobs_in(Path("out"), Path("in"))
    Path("out/2.png").write_bytes(made_here[NAMES[2]])
    stamps = stamps_of(job.target for job in jobs)
    Path("out/0.png").write_bytes(made_here[NAMES[0]])
    before = {name: os.stat(f"out/{name}").st_ino for name in ("0.png", "2.png")}
    results = make(replace(setup, overwrite=True), jobs, stamps, again=True)
    assert [result.kept for result in results] == [True, False, False]
    assert results[0].picture.size == (12, 20)
    assert [step.method for step in results[0].steps] == ["fade"]
    assert os.stat("out/0.png").st_ino == before["0.png"]
    assert os.stat("out/2.png").st_ino != before["2.png"]
    assert {name: Path("out", name).read_bytes() for name in NAMES} == made_here


def test_it_skips_what_is_there_and_refuses_what_differs(setup, made_here):
    Path("out").mkdir()
    jobs = jobs_in(Path("out"), Path("in"))
    Path("out/0.png").write_bytes(made_here[NAMES[0]])
    Path("out/1.png").write_bytes(made_here[NAMES[0]])
    stamps = stamps_of(job.target for job in jobs)
    skipped, refused, made = make(replace(setup, skip_existing=True), jobs, stamps)
    assert skipped.kept
    assert isinstance(refused.error, OutputError)
    assert str(refused.error).startswith("out/1.png exists already and was made from another input. Add --overwrite")
    assert (made.kept, made.error) == (False, None)
    assert Path("out/1.png").read_bytes() == made_here[NAMES[0]]
    stamps = stamps_of(job.target for job in jobs)
    again = make(replace(setup, skip_existing=True, overwrite=True), jobs, stamps)
    assert [result.kept for result in again] == [True, False, True]
    assert Path("out/1.png").read_bytes() == made_here[NAMES[1]]


def test_what_somebody_else_wrote_meanwhile_stays(setup):
    Path("out").mkdir()
    Path("out/0.png").write_bytes(b"mine")
    for again, words in ((False, "out/0.png exists"), (True, "out/0.png exists already and was not made by artkit")):
        first, *_ = make(setup, jobs_in(Path("out"), Path("in")), again=again)
        assert str(first.error).startswith(f"{words}. Add --overwrite")
        assert Path("out/0.png").read_bytes() == b"mine"


def test_a_picture_that_cannot_be_read_fails_alone(setup, bucket):
    sound = Path("in/0.png").read_bytes()
    for name, content in zip(NAMES, (sound, b"no picture", sound), strict=True):
        (bucket / "in" / name).write(content)
    results = make(setup, jobs_in(bucket / "out", bucket / "in"))
    assert [result.error is None for result in results] == [True, False, True]
    assert not (bucket / "out/1.png").is_file()


def test_what_lies_at_a_target_and_cannot_be_read_is_that_pictures_error(setup):
    Path("out/0.png").mkdir(parents=True)
    results = make(setup, jobs_in(Path("out"), Path("in")), again=True)
    assert [result.error and str(result.error) for result in results] == [
        "Cannot read out/0.png: Is a directory.", None, None
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "kind", "words"),
    [
        ({"version": "9.9"}, UsageError, f"this run was started with artkit 9.9, and a node has {__version__}."),
        (
            {"models": {"fade/default": "0" * 12}},
            ModelError,
            "a node has other models than who started this run: put ARTKIT_HOME where all nodes see it.",
        ),
        (
            {"folder": Path("/nowhere")},
            UsageError,
            "a node does not see the folder /nowhere: run where all nodes have the files, or give buckets, s3://.",
        ),
    ],
)
def test_a_node_that_is_other_is_told_of(setup, change, kind, words):
    with pytest.raises(kind) as caught:
        Worker(replace(setup, **change), neighbours=1).start()
    assert str(caught.value) == words


def test_variables_come_along_and_neighbours_share_the_memory(setup, monkeypatch):
    monkeypatch.setattr("artkit.engine.worker.free_memory", lambda device: 8_000)
    assert Worker(setup, neighbours=1).start() == ("cpu", "fp32")
    assert "ARTKIT_MEMORY" not in os.environ  # alone it takes what is free when it needs it
    Worker(replace(setup, variables={"ARTKIT_MAX_PIXELS": "1000"}), neighbours=2).start()
    assert (os.environ["ARTKIT_MAX_PIXELS"], os.environ["ARTKIT_MEMORY"]) == ("1000", "4000")
    Worker(replace(setup, variables={"ARTKIT_MEMORY": "5GB"}), neighbours=2).start()
    assert os.environ["ARTKIT_MEMORY"] == "5GB"


def node(name: str, *, alive: bool = True, **resources: float) -> dict:
    return {"NodeID": name, "Alive": alive, "Resources": {"memory": 1e9, **resources}}


NODES = [node("head", CPU=2.0), node("big", CPU=9.0), node("gpu", CPU=8.0, GPU=2.0), node("gone", CPU=4.0, alive=False)]


def test_places_are_what_each_node_has():
    cards, cores = [Slot("gpu", 1, 1, 2)] * 2, [Slot("head", 2, 0, 1), Slot("big", 4, 0, 2), Slot("big", 4, 0, 2)]
    assert CORES == 4
    assert find_slots(NODES, "auto") == [*cards, *cores]
    assert find_slots(NODES, "cuda") == cards
    assert find_slots(NODES, "cpu") == [*cores, Slot("gpu", 4, 0, 2), Slot("gpu", 4, 0, 2)]
    with pytest.raises(UsageError, match="has no node with a GPU: use --device auto or --device cpu"):
        find_slots(NODES[:2], "cuda")


def test_pixels_are_not_sent(setup):
    import pickle

    Path("out").mkdir()
    with_pixels = np.zeros((12, 20, 3), np.float32).nbytes
    (first, *_) = make(setup, jobs_in(Path("out"), Path("in")))
    told = pickle.loads(pickle.dumps(first))
    assert (told.picture.size, told.job) == ((12, 20), first.job)
    assert len(pickle.dumps(replace(first, job=replace(first.job, name=Path("a"))))) < with_pixels + 1500
