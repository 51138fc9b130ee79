"""Training checkpoints that are damaged, foreign or hostile: one line each, and nothing in them runs."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from artkit.errors import TrainingError
from artkit.nn import Ema
from artkit.training.checkpoint import load_checkpoint, save_checkpoint
from artkit.training.distribution import Processes


class Payload:
    """Makes a file when it is unpickled by a reader that runs what it reads."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def trainer() -> Any:
    net = nn.Linear(3, 2)
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.ones(1, 3)).sum().backward()
    optimiser.step()
    kept: dict[str, Any] = {"pool": [1, 2]}
    return SimpleNamespace(
        networks={"generator": net},
        optimisers={"generator": optimiser},
        extra_state=lambda: kept,
        load_extra_state=lambda extra: kept.update(pool=list(extra["pool"])),
    )


def averages(one: Any) -> dict[str, Ema]:
    return {"generator": Ema(one.networks["generator"], 0.9)}


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    one = trainer()
    save_checkpoint(tmp_path / "checkpoint.pt", one, averages(one), 7)
    return tmp_path / "checkpoint.pt"


def load(path: Path) -> int:
    one = trainer()
    return load_checkpoint(path, one, averages(one))


def refusal(path: Path) -> str:
    with pytest.raises(TrainingError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


def test_a_sound_one_is_loaded(checkpoint):
    torch.manual_seed(1)
    assert load(checkpoint) == 7


def with_own(state: dict, **changes: object) -> dict:
    """Return the state with changes in what its one process held for itself."""
    return {**state, "processes": [{**state["processes"][0], **changes}]}


WRONG = {
    "random of another size": lambda state: with_own(state, random=torch.zeros(3, dtype=torch.uint8)),
    "random that is none": lambda state: with_own(state, random=None),
    "processes that are missing": lambda state: {name: value for name, value in state.items() if name != "processes"},
    "processes without any": lambda state: {**state, "processes": []},
    "networks that are a list": lambda state: {**state, "networks": []},
    "optimisers of text": lambda state: {**state, "optimisers": {"generator": "adam"}},
    "optimisers without groups": lambda state: {**state, "optimisers": {"generator": {"state": {}}}},
    "extra that is none": lambda state: with_own(state, extra=None),
    "averages of numbers": lambda state: {**state, "averages": {"generator": 3}},
    "step that is text": lambda state: {**state, "step": "many"},
    "step below zero": lambda state: {**state, "step": -1},
    "another network": lambda state: {**state, "networks": {"generator": {"weight": torch.ones(9)}}},
    "another format": lambda state: {**state, "format": 1},
    "no table": lambda state: [state],
    "an empty table": lambda state: {},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_reads_and_does_not_fit_is_refused_in_a_line(checkpoint, name):
    torch.save(WRONG[name](torch.load(checkpoint, weights_only=True)), checkpoint)
    assert len(refusal(checkpoint).split()) > 5


@pytest.mark.parametrize("place", ["alone", "inside", "as a tensor"])
def test_a_pickle_in_a_checkpoint_runs_nothing(checkpoint, tmp_path, place):
    marker = tmp_path / "marker"
    state = torch.load(checkpoint, weights_only=True)
    payload = Payload(marker)
    inside = {"extra": payload} if place == "inside" else {"random": payload}
    torch.save(payload if place == "alone" else with_own(state, **inside), checkpoint)
    assert "is damaged" in refusal(checkpoint)
    assert not marker.exists()


def test_a_bare_pickle_runs_nothing_either(checkpoint, tmp_path):
    checkpoint.write_bytes(pickle.dumps(Payload(tmp_path / "marker")))
    assert "is no checkpoint" in refusal(checkpoint)
    assert not (tmp_path / "marker").exists()


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "checkpoint.pt")
    assert "it is a pipe or a device" in refusal(tmp_path / "checkpoint.pt")


def test_there_is_no_checkpoint_yet(tmp_path):
    with pytest.raises(TrainingError, match=f"^{tmp_path} holds no checkpoint yet: train it longer"):
        load(tmp_path / "checkpoint.pt")


def test_every_process_goes_on_from_its_own_state_and_another_number_of_them_does_not(checkpoint):
    state = torch.load(checkpoint, weights_only=True)
    second = {**state["processes"][0], "extra": {"pool": [3]}}
    torch.save({**state, "processes": [state["processes"][0], second]}, checkpoint)
    for rank, pool in enumerate(([1, 2], [3])):
        one = trainer()
        assert load_checkpoint(checkpoint, one, averages(one), SimpleNamespace(rank=rank, count=2)) == 7
        assert one.extra_state() == {"pool": pool}
    one = trainer()
    with pytest.raises(TrainingError, match="2 processes, these are 1: torchrun --nproc-per-node 2 -m artkit train"):
        load_checkpoint(checkpoint, one, averages(one), Processes())
    torch.save(state, checkpoint)
    with pytest.raises(TrainingError, match="1 processes, these are 3: artkit train, without torchrun"):
        load_checkpoint(checkpoint, one, averages(one), SimpleNamespace(rank=0, count=3))
