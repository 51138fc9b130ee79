"""Balanced batches: every value of a column equally often, every sample once before any comes again."""

from __future__ import annotations

from collections import Counter

import pytest
import torch
from hypothesis import given, strategies as st

from artkit import Kind
from artkit.data import Batches, Column, Dataset
from artkit.data.batches import Shuffle
from artkit.seeds import mix_seeds

SHARES = {"many": 9, "some": 4, "few": 1}


class Uneven(Dataset):
    name = "uneven"

    def __init__(self):
        self.labels = [name for name, count in SHARES.items() for _ in range(count)]
        column = Column("class", Kind.TEXT, values=tuple(sorted(SHARES)))
        self.columns = {"image": Column("image", Kind.IMAGE), "class": column}

    def __len__(self):
        return len(self.labels)

    def load(self, index, names):
        sample = {"image": torch.full((3, 8, 8), index, dtype=torch.uint8), "class": self.labels[index]}
        return {name: sample[name] for name in names}


def draws(count, size=5, **options):
    batches = Batches(Uneven(), ["image", "class"], size=size, crop=8, **{"seed": 3, "balance": "class", **options})
    found = [batches.at(step) for step in range(-(-count // size))]
    pictures = [round(float(picture.mean()) * 255) for batch in found for picture in batch["image"]]
    return pictures[:count], [name for batch in found for name in batch["class"]][:count]


def test_every_value_comes_once_a_round():
    _, names = draws(60)
    assert all(sorted(names[start : start + 3]) == sorted(SHARES) for start in range(0, 60, 3))
    assert len({tuple(names[start : start + 3]) for start in range(0, 60, 3)}) > 1


def test_every_sample_comes_once_before_any_comes_again():
    pictures, names = draws(27 * 3)
    for name, count in SHARES.items():
        own = [picture for picture, label in zip(pictures, names, strict=True) if label == name]
        assert all(len(set(own[start : start + count])) == count for start in range(0, 27 // count * count, count))


def test_a_batch_depends_on_seed_and_step_alone():
    assert draws(20) == draws(20)
    assert draws(20)[0] != draws(20, seed=4)[0]


def test_without_it_samples_come_as_often_as_they_are():
    _, names = draws(14 * 3, balance=None)
    assert Counter(names) == {name: 3 * count for name, count in SHARES.items()}


@pytest.mark.parametrize("count", [1, 2, 7])
def test_draws_go_through_all_before_any_comes_again(count):
    shuffle = Shuffle(count, 5)
    drawn = [shuffle.draw(number) for number in range(3 * count)]
    assert all(sorted(drawn[start : start + count]) == list(range(count)) for start in range(0, 3 * count, count))


def in_one_go(count, number, seed):
    """Draw as before orders were remembered: the reference."""
    epoch, position = divmod(number, count)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix_seeds(seed, epoch)))
    return int(order[position])


@given(st.integers(1, 9), st.lists(st.integers(0, 40), max_size=20), st.integers(0, 3))
def test_remembered_orders_are_those_of_each_round(count, numbers, seed):
    shuffle = Shuffle(count, seed)
    assert [shuffle.draw(number) for number in numbers] == [in_one_go(count, number, seed) for number in numbers]


def test_a_round_is_shuffled_once(monkeypatch):
    shuffle, made, randperm = Shuffle(50, 1), [], torch.randperm
    monkeypatch.setattr(torch, "randperm", lambda *told, **named: made.append(told) or randperm(*told, **named))
    for number in range(100):
        shuffle.draw(number)
    assert len(made) == 2


def test_batches_draw_as_ever():
    """The samples of the first steps, plain and balanced, are those of the reference."""
    plain, _ = draws(28, balance=None)
    assert plain == [in_one_go(14, number, 3) for number in range(28)]
    groups = [list(range(13, 14)), list(range(9)), list(range(9, 13))]  # few, many, some
    balanced, _ = draws(30)
    turns = [(in_one_go(3, number, 3), number // 3) for number in range(30)]
    assert balanced == [
        groups[turn][in_one_go(len(groups[turn]), number, mix_seeds(3, turn, 1))] for turn, number in turns
    ]
