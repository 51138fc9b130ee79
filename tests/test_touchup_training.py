"""Touchup's trainer: what it learns from, that it learns, resumes to the bit, and exports what runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import artkit
from artkit import Kind, OptionError, TrainingError
from artkit.data import Column, Dataset, FolderDataset, Sample
from artkit.errors import ChainError
from artkit.images import paint_labels
from artkit.plugins import load_registry, use_registry
from artkit.spec import ClassSet, LabelClass, parse_options
from artkit.training import Settings, train
from artkit_touchup import TouchupTraining
from artkit_touchup.trainer import TouchupTrainer

CLASSES = ClassSet("two", (LabelClass("land", (200, 80, 40)), LabelClass("sea", (20, 60, 220))))
TINY = {"width": 8, "blocks": 1, "detail": [4, 4], "widths": [4], "receptive_field": 16}
RUN = {"crop": 16, "batch": 2, "log_every": 2, "sample_every": 100, "checkpoint_every": 2, "ema": 0.5, **TINY}


class Inverted(Dataset):
    """Label maps whose target is their colours inverted and brightened: `invert` gets all but the light right."""

    name = "inverted"

    def __init__(self, side: int = 24) -> None:
        self.side = side
        self.columns = {
            "label": Column("label", Kind.LABELS, CLASSES),
            "painting": Column("painting", Kind.IMAGE),
            "time": Column("time", Kind.TEXT, values=("dawn", "dusk")),
        }

    def __len__(self) -> int:
        return 4

    def load(self, index: int, names: Sequence[str]) -> Sample:
        labels = torch.randint(0, 2, (self.side, self.side), generator=torch.Generator().manual_seed(index))
        light = (1 - paint_labels(labels[None], CLASSES)[0]) * 0.8 + 0.2
        columns = {"label": labels.to(torch.uint8), "painting": (light * 255).round().to(torch.uint8), "time": "dusk"}
        return {name: columns[name] for name in names}


@pytest.fixture(autouse=True)
def _with_tiny_methods(monkeypatch):
    monkeypatch.setenv("ARTKIT_PLUGINS", "touchup")
    use_registry(load_registry((Path(__file__).parent / "tiny_methods.py",)))
    yield
    use_registry(None)


def trainer(dataset: Dataset | None = None, crop: int = 16, **options: object) -> TouchupTrainer:
    torch.manual_seed(0)
    values = parse_options(TouchupTraining, {"base": "invert", **TINY, **options}, "touchup")
    return TouchupTrainer(values, Settings(crop=crop, batch=2, learning_rate=2e-3), dataset or Inverted())


def batch_of(made: TouchupTrainer, dataset: Dataset) -> dict[str, torch.Tensor]:
    samples = [made.prepare(dataset.load(index, made.columns)) for index in range(2)]
    return {name: torch.stack([sample[name] for sample in samples]).float() / 255 for name in samples[0]}


def test_a_base_makes_pictures(monkeypatch):
    monkeypatch.setattr("artkit_touchup.trainer.plan_chain", lambda *_, **how: SimpleNamespace(output=Kind.MASK))
    with pytest.raises(OptionError, match=r"touchup\(base=invert\): the chain gives mask, not a picture"):
        trainer()


@pytest.fixture
def folder(tmp_path):
    """Eight pairs in a folder: noise, and the same inverted and made darker."""
    generator = torch.Generator().manual_seed(1)
    for index in range(8):
        source = torch.rand(1, 3, 20, 20, generator=generator)
        for name, picture in (("source", source), ("target", (1 - source) * 0.7)):
            path = tmp_path / "data" / name / f"{index}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            artkit.read_picture(picture).save(path)
    return tmp_path / "data"


def test_generated_is_what_the_base_makes_of_the_source():
    dataset = Inverted()
    sample = dataset.load(1, ("label", "painting", "time"))
    prepared = trainer(dataset).prepare(dict(sample))
    wanted = (1 - paint_labels(sample["label"][None].long(), CLASSES)[0]) * 255
    assert set(prepared) == {"generated", "places", "painting"}
    assert torch.equal(prepared["generated"], wanted.round().to(torch.uint8))


def test_base_gets_the_text_columns(monkeypatch):
    made, calls = trainer(), []
    ran = made.base.runner.run
    monkeypatch.setattr(made.base.runner, "run", lambda *a, **k: calls.append(k) or ran(*a, **k))
    for index in (0, 0, 1):
        made.prepare(Inverted().load(index, made.columns))
    assert calls[0]["facts"] == {"time": "dusk"}
    assert calls[0]["seed"] == calls[1]["seed"] != calls[2]["seed"]


@pytest.mark.parametrize("shown", ["residuals", "picture"])
def test_training_comes_closer_to_the_target(shown):
    dataset = Inverted()
    made = trainer(dataset, discriminator_input=shown, lowpass=1.0)
    batch = batch_of(made, dataset)
    for _ in range(60):
        losses = made.training_step(batch)
    before = (batch["generated"] - batch["painting"]).abs().mean()
    after = (made.preview(batch)[3] - batch["painting"]).abs().mean()
    assert after < before / 2
    assert set(losses) == {"discriminator", "additive", "subtractive", "lowpass", "adversarial"}


def test_discriminator_rests_without_an_adversarial_loss():
    dataset = Inverted()
    made = trainer(dataset, adversarial=0.0)
    before = [value.clone() for value in made.networks["discriminator"].parameters()]
    losses = made.training_step(batch_of(made, dataset))
    assert "adversarial" not in losses
    assert all(map(torch.equal, before, made.networks["discriminator"].parameters()))


def test_resumed_run_equals_an_uninterrupted_one(folder, tmp_path):
    values = {"base": "invert", **RUN}
    whole = train("touchup", str(folder), tmp_path / "whole", values={**values, "steps": 4, "decay_from": 1.0})
    train("touchup", str(folder), tmp_path / "halves", values={**values, "steps": 2, "decay_from": 1.0})
    halves = train("touchup", "", tmp_path / "halves", values={"steps": 4}, resume=True)
    a, b = (torch.load(tmp_path / run / "checkpoint.pt", weights_only=True) for run in ("whole", "halves"))
    assert equal(a, b)
    assert whole.read_bytes() == halves.read_bytes()


def test_exported_model_does_what_the_trainer_showed(folder, tmp_path):
    model = train("touchup", str(folder), tmp_path / "run", values={"base": "invert", "steps": 2, **RUN})
    header = artkit.models.read_header(model)
    assert header.method == "touchup"
    assert header.training["base"] == "invert"
    picture = torch.rand(1, 3, 13, 10)
    touched = artkit.load(model)(picture).tensor
    assert touched.shape == picture.shape
    assert not torch.equal(touched, picture)
    assert torch.equal(artkit.load(model, strength=0)(picture).tensor, picture)


def test_places_are_those_of_pictures_that_are_not_square():
    made = trainer()
    sample = Inverted().load(0, made.columns)
    prepared = made.prepare(
        {name: value[..., :20, :] if torch.is_tensor(value) else value for name, value in sample.items()}
    )
    assert {name: tuple(value.shape[-2:]) for name, value in prepared.items()} == dict.fromkeys(
        ("generated", "places", "painting"), (20, 24)
    )


def test_crop_must_fit_the_artists():
    with pytest.raises(OptionError, match=r"crop=18.*multiple of 4"):
        trainer(crop=18)


def test_base_that_cannot_run_is_refused_at_once():
    with pytest.raises(ChainError, match="inwert"):
        trainer(base="inwert")


def test_base_of_another_size_is_refused(monkeypatch):
    made = trainer()
    sample = Inverted().load(0, made.columns)
    sample["painting"] = sample["painting"][:, :20]
    with pytest.raises(TrainingError, match=r"24x24 pixels where 'painting' has 24x20"):
        made.prepare(sample)


def test_data_that_the_base_has_seen_is_mentioned(folder, monkeypatch, capsys):
    trainer(FolderDataset(folder))
    assert not capsys.readouterr().err
    monkeypatch.setattr("artkit_touchup.trainer.Base.has_seen", lambda base, data: data == "data")
    trainer(FolderDataset(folder))
    told = f"artkit: warning: invert was trained on {folder}: its mistakes there are too small to learn from.\n"
    assert capsys.readouterr().err == told


def equal(a: object, b: object) -> bool:
    """Compare nested states, tensors to the bit."""
    if isinstance(a, torch.Tensor):
        return torch.equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b
