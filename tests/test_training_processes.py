"""What a process makes of what its partner says; that both are real processes is for test_training_distributed."""

from __future__ import annotations

from types import SimpleNamespace
from unittest.mock import Mock

import pytest
import torch
from torch import distributed, nn

from artkit.errors import UsageError
from artkit.plugins import current_registry
from artkit.seeds import mix_seeds
from artkit.training import loop
from artkit.training.distribution import Processes, join_processes
from artkit.training.report import NullReporter
from artkit.training.run import _make_loop


@pytest.fixture
def partner(monkeypatch):
    """Stand in for torch.distributed: the other of two processes holds what the test lays into `says`."""
    one = SimpleNamespace(says=[], asked=[])

    def all_reduce(tensor, op=distributed.ReduceOp.SUM, group=None):
        one.asked.append(group)
        other = torch.as_tensor(one.says.pop(0), dtype=tensor.dtype)
        tensor.copy_(torch.maximum(tensor, other) if op == distributed.ReduceOp.MAX else tensor + other)

    def all_gather_object(states, state, group=None):
        one.asked.append(group)
        states[:] = [one.says.pop(0), state]

    def broadcast(tensor, source):
        assert source == 0
        tensor.copy_(one.says.pop(0))

    for stub in (all_reduce, all_gather_object, broadcast):
        monkeypatch.setattr(distributed, stub.__name__, stub)
    monkeypatch.setattr(distributed, "new_group", lambda backend: f"a group of {backend}")
    monkeypatch.setattr(distributed, "barrier", lambda group: one.asked.append(("barrier", group)))
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: one.asked.append("gone"))
    return one


def test_gradients_are_averaged_before_an_optimiser_steps(partner):
    first, second, idle = (nn.Parameter(torch.zeros(shape)) for shape in ((2, 3), (4,), (5,)))
    optimiser = torch.optim.SGD([{"params": [first, idle]}, {"params": [second]}], lr=1.0)
    Processes(1, 2).connect([optimiser])
    first.grad, second.grad = torch.arange(6.0).view(2, 3), torch.ones(4)
    partner.says = [torch.cat([torch.full((6,), 10.0), torch.full((4,), 3.0)])]
    optimiser.step()
    assert torch.equal(first.detach(), -(torch.arange(6.0).view(2, 3) + 10) / 2)
    assert torch.equal(second.detach(), torch.full((4,), -2.0))
    assert idle.grad is None
    assert partner.asked == [None]  # gradients go by the group of the devices
    optimiser.zero_grad()
    optimiser.step()  # nothing to average: nobody is asked
    assert partner.asked == [None]


def test_flags_numbers_and_states_are_shared(partner):
    both = Processes(1, 2)
    partner.says = [1.0, 0.0, 0.0, [4.0, -2.0], "first"]
    assert [both.any(False), both.any(True), both.any(False)] == [True, True, False]
    assert both.mean({"l1": 2.0, "gan": 0.5}) == {"l1": 3.0, "gan": -0.75}
    assert both.gather("second") == ["first", "second"]
    assert partner.asked == ["a group of gloo"] * 5
    assert both.mean({}) == {}
    both.close()
    assert partner.asked[5:] == [("barrier", "a group of gloo"), "gone"]


def test_buffers_are_those_of_the_first(partner):
    network = nn.BatchNorm1d(2)
    partner.says = [torch.tensor([3.0, 4.0]), torch.tensor([5.0, 6.0]), torch.tensor(7)]
    Processes(1, 2).share_buffers([network])
    assert network.running_mean.tolist() == [3, 4]
    assert network.running_var.tolist() == [5, 6]
    assert network.num_batches_tracked == 7


def test_one_process_asks_nobody(partner, monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    alone = join_processes()
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    alone.connect([optimiser])
    optimiser.step()
    alone.share_buffers([nn.BatchNorm1d(2)])
    alone.close()
    assert (alone.first, alone.any(True), alone.any(False)) == (True, True, False)
    assert (alone.mean({"l1": 2.0}), alone.gather(3)) == ({"l1": 2.0}, [3])
    assert partner.asked == []


def test_a_batch_is_shared_equally_or_not_at_all(partner):
    assert Processes(0, 2).share_of(6) == 3
    assert not Processes(1, 2).first
    with pytest.raises(UsageError, match=r"batch=7 cannot be shared by 2 processes: try --batch 8\."):
        Processes(0, 2).share_of(7)


@pytest.mark.parametrize(("cards", "backend"), [(True, "nccl"), (False, "gloo")])
def test_a_process_joins_by_what_torchrun_told_it(partner, monkeypatch, cards, backend):
    joined = []
    for name, value in {"WORLD_SIZE": "2", "LOCAL_RANK": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cards)
    monkeypatch.setattr(torch.cuda, "set_device", lambda card: joined.append(card))
    monkeypatch.setattr(distributed, "init_process_group", joined.append)
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    processes = join_processes()
    assert (processes.rank, processes.count) == (1, 2)
    assert joined == ([1, backend] if cards else [backend])


def test_a_run_hands_its_processes_on_and_computes_its_share_of_a_batch(partner, tmp_path):
    second = Processes(1, 2)
    values = {"labels": "label", "parts": "generate", "resolution": 32, "crop": 32, "batch": 4, "width": 2}
    values |= {"discriminator_width": 2}
    spec = current_registry().method("semgan")
    made = _make_loop(spec, "landscapes(count=4,size=[32,32])", tmp_path, values, NullReporter(), second)
    assert made.processes is second
    assert len(made.batches.at(0)["label"]) == 2
    assert torch.initial_seed() == mix_seeds(0, 1)  # what it draws is its own


def test_cuda_is_told_to_multiply_in_tf32_and_to_look_for_the_fastest_way(monkeypatch):
    told = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", told.append)
    for name in ("allow_tf32", "benchmark"):
        monkeypatch.setattr(torch.backends.cudnn, name, False)
    loop._tune_cuda()
    assert told == ["high"]
    assert torch.backends.cudnn.allow_tf32 is True
    assert torch.backends.cudnn.benchmark is True


def test_batches_go_to_a_gpu_out_of_pinned_memory(monkeypatch):
    card = torch.device("cuda")
    monkeypatch.setattr(loop, "training_format", {card: torch.channels_last}.__getitem__)
    for sides, layout in ((4, torch.channels_last), (3, torch.contiguous_format)):
        value = Mock()
        pinned = value.pin_memory.return_value
        pinned.dim.return_value = sides
        assert loop.Loop._place(SimpleNamespace(device=card), value) is pinned.to.return_value.contiguous.return_value
        pinned.to.assert_called_once_with(card, non_blocking=True)
        pinned.to.return_value.contiguous.assert_called_once_with(memory_format=layout)


def test_only_the_first_process_writes_what_all_were_warned_of():
    guard, log = Mock(), Mock()
    parts = {"guard": guard, "log": log, "step": 4, "meter": SimpleNamespace(read=lambda: ({"l1": 2.0}, 5.0))}
    processes = SimpleNamespace(first=False, mean=lambda losses: {name: 2 * loss for name, loss in losses.items()})
    loop.Loop._log(SimpleNamespace(processes=processes, **parts))
    guard.check_row.assert_called_once_with({"l1": 4.0}, 4)
    assert log.mock_calls == []
