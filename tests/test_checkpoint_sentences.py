"""What checkpoints are refused for, said in full; and what goes along in one."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from artkit.errors import TrainingError
from artkit.training.checkpoint import _in_short, load_checkpoint, save_checkpoint
from test_training_sentences import registry, said, tint

__all__ = ["registry"]


def test_checkpoints_that_do_not_fit(tmp_path):
    path, trainer = tmp_path / "checkpoint.pt", tint()
    assert said(lambda: load_checkpoint(path, trainer, {})) == (
        f"{tmp_path} holds no checkpoint yet: train it longer, or, without --resume, anew."
    )
    save_checkpoint(path, trainer, {}, 5)
    assert load_checkpoint(path, trainer, {}) == 5
    sound = torch.load(path, weights_only=True)
    assert (sound["format"], len(sound["processes"])) == (2, 1)
    for change, sentence in (
        ({"format": "x" * 30}, f"was written by another version of artkit (format {'x' * 20})."),
        ({"format": 1}, "was written by another version of artkit (format 1)."),
        ({"step": -1}, "does not fit this run: its step is -1."),
        ({"step": "five"}, "does not fit this run: its step is 'five'."),
        ({"networks": {}}, "does not fit this run: KeyError 'generator'."),
    ):
        torch.save({**sound, **change}, path)
        assert said(lambda: load_checkpoint(path, trainer, {}), TrainingError) == f"{path} {sentence}"
    torch.save({**sound, "step": 0}, path)
    assert load_checkpoint(path, trainer, {}) == 0
    for content in ([], {"step": 1}):
        torch.save(content, path)
        assert said(lambda: load_checkpoint(path, trainer, {})) == f"{path} is damaged: it is no checkpoint."
    path.write_bytes(b"no archive")
    assert said(lambda: load_checkpoint(path, trainer, {})) == f"{path} is damaged: it is no checkpoint."
    path.unlink()
    path.mkdir()
    assert said(lambda: load_checkpoint(path, trainer, {})) == f"Cannot read {path}: Is a directory."


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ValueError("two words"), "two words"),
        (KeyError("one"), "KeyError 'one'"),
        (RuntimeError("one"), "RuntimeError one"),
        (EOFError(), "EOFError"),
        (ValueError("its first line .: \n and more"), "its first line"),
    ],
)
def test_what_torch_says_of_a_file_in_one_line(error, words):
    assert _in_short(error) == words


@pytest.mark.parametrize(
    ("held", "count", "how"),
    [(2, 1, "torchrun --nproc-per-node 2 -m artkit train"), (1, 2, "artkit train, without torchrun")],
)
def test_a_checkpoint_of_another_number_of_processes(tmp_path, held, count, how):
    path, trainer = tmp_path / "checkpoint.pt", tint()
    save_checkpoint(path, trainer, {}, 5)
    state = torch.load(path, weights_only=True)
    torch.save({**state, "processes": state["processes"] * held}, path)
    these = SimpleNamespace(count=count, rank=0)
    assert said(lambda: load_checkpoint(path, trainer, {}, these), TrainingError) == (
        f"{path} is of a run of {held} processes, these are {count}: {how}."
    )
    assert load_checkpoint(path, trainer, {}) == 5  # to look at it alone


def test_chance_goes_on_where_it_was(tmp_path):
    path, trainer = tmp_path / "checkpoint.pt", tint()
    torch.manual_seed(3)
    save_checkpoint(path, trainer, {}, 5)
    expected = torch.rand(3)
    torch.rand(9)
    load_checkpoint(path, trainer, {})
    assert torch.equal(torch.rand(3), expected)


def test_the_chance_of_cards_goes_along_where_there_are_any(tmp_path, monkeypatch):
    path, trainer, given = tmp_path / "checkpoint.pt", tint(), []
    monkeypatch.setattr(torch.cuda, "get_rng_state_all", lambda: [torch.tensor([7])])
    monkeypatch.setattr(torch.cuda, "set_rng_state_all", given.append)
    for there in (True, False):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        save_checkpoint(path, trainer, {}, 5)
        held = torch.load(path, weights_only=True)["processes"][0]["cuda"]
        assert held == ([torch.tensor([7])] if there else [])
        load_checkpoint(path, trainer, {})
    assert given == [[torch.tensor([7])]]
